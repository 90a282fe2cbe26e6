//! What may be wrong inside the CMS of a PDF.

use super::super::forge::*;
use super::*;

/// DER taken apart, to be put together otherwise.
enum Node {
    Constructed(u8, Vec<Self>),
    Primitive(Vec<u8>),
}

impl Node {
    fn parse(der: &[u8]) -> (Self, &[u8]) {
        let (tag, long) = (der[0], usize::from(der[1] & 0x7f));
        let (start, length) = if der[1] < 0x80 {
            (2, usize::from(der[1]))
        } else {
            (2 + long, der[2..2 + long].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        };
        let (body, rest) = (&der[start..start + length], &der[start + length..]);
        if tag & 0x20 == 0 {
            return (Self::Primitive(der[..start + length].to_vec()), rest);
        }
        let (mut inside, mut nodes) = (body, Vec::new());
        while !inside.is_empty() {
            let (node, rest) = Self::parse(inside);
            nodes.push(node);
            inside = rest;
        }
        (Self::Constructed(tag, nodes), rest)
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Primitive(bytes) => bytes.clone(),
            Self::Constructed(tag, nodes) => {
                let body: Vec<u8> = nodes.iter().flat_map(Self::encode).collect();
                let length = u16::try_from(body.len()).unwrap().to_be_bytes();
                let head = match body.len() {
                    0..=0x7f => vec![*tag, length[1]],
                    0x80..=0xff => vec![*tag, 0x81, length[1]],
                    _ => vec![*tag, 0x82, length[0], length[1]],
                };
                [head, body].concat()
            }
        }
    }

    fn nodes(&mut self) -> &mut Vec<Self> {
        match self {
            Self::Constructed(_, nodes) => nodes,
            Self::Primitive(_) => panic!("a constructed value was expected"),
        }
    }
}

/// The signed contract with its CMS changed.
fn with_cms(change: impl FnOnce(&mut Vec<Node>)) -> Vec<u8> {
    let file = signed_contract();
    let hex = contents(&file);
    let bytes: Vec<u8> =
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    let (mut content_info, _) = Node::parse(&bytes);
    change(content_info.nodes()[1].nodes()[0].nodes());
    let changed: String = content_info.encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(changed.len() < hex.len());
    replaced(&file, &hex, &format!("{changed:0<width$}", width = hex.len()))
}

#[test]
fn the_signature_inside_has_one_signer_and_no_content() {
    let unchanged = with_cms(|_| ());
    assert!(validate(&unchanged).signatures[0].has_passed(Check::SignatureValue), "{}", validate(&unchanged));
    let double = with_cms(|signed_data| {
        let signers = signed_data.last_mut().unwrap().nodes();
        let (again, _) = Node::parse(&signers[0].encode());
        signers.push(again);
    });
    let with_content = with_cms(|signed_data| {
        let content = Node::Constructed(0xa0, vec![Node::Primitive(b"\x04\x03abc".to_vec())]);
        signed_data[2].nodes().push(content);
    });
    let nobody = with_cms(|signed_data| signed_data.last_mut().unwrap().nodes().clear());
    let no_certificates = with_cms(|signed_data| signed_data[3].nodes().clear());
    let without_attributes = with_cms(|signed_data| {
        let signer = signed_data.last_mut().unwrap().nodes()[0].nodes();
        signer.retain(|node| !matches!(node, Node::Constructed(0xa0, _)));
    });
    let unsigned_instead = with_cms(|signed_data| {
        let signer = signed_data.last_mut().unwrap().nodes()[0].nodes();
        for node in signer {
            if let Node::Constructed(tag @ 0xa0, _) = node {
                *tag = 0xa1;
            }
        }
    });
    run(vec![
        attack("two signers", double, Caught::Failed(Check::Format)),
        attack("content of its own", with_content, Caught::Failed(Check::Format)),
        attack("no signer", nobody, Caught::Failed(Check::Format)),
        attack("no certificate", no_certificates, Caught::By(Check::SignerCertificate)),
        attack("no signed attributes", without_attributes, Caught::By(Check::SignedAttributes)),
        attack("attributes that are not signed", unsigned_instead, Caught::Anyhow),
    ]);
}
