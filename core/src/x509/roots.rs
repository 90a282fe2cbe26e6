//! The roots of ICP-Brasil that come with the program (`core/trust/README.md` says where they are from).

use super::{Certificate, TrustAnchors};

const PEM: [&[u8]; 2] =
    [include_bytes!("../../trust/icp-brasil-v5.pem"), include_bytes!("../../trust/icp-brasil-v12.pem")];

impl TrustAnchors {
    /// Trusts the roots v5 and v12, the two that the ICP-Brasil signature policies of 2025 name. Older roots ended in
    /// 2023 or before.
    ///
    /// # Panics
    /// Never: the files are part of the program and read by its tests.
    #[must_use]
    pub fn icp_brasil() -> Self {
        Self::new(
            PEM.map(|pem| Certificate::from_pem_or_der(pem).expect("a root of ours can be read")).to_vec(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::to_hex;

    #[test]
    fn the_roots_have_their_published_fingerprints() {
        let roots = TrustAnchors::icp_brasil();
        let [v5, v12] = roots.certificates() else { panic!("two roots are expected") };
        for (root, fingerprint, key_id, end) in [
            (
                v5,
                "caa53fc6091c6951887c976e378f6ef89aa6377c55d97b6475422b71ed7e9b17",
                "69a8be75d9c4ef6ce71345e4616ee568f8b6405e",
                "2029-03-02",
            ),
            (
                v12,
                "d8478e37ce19c690cf657381e68fe600e4e1a042536830f06847e03e554c4b01",
                "6ac17ad792c1ba694ed6e2f3c2998489be55740e",
                "2037-10-22",
            ),
        ] {
            assert_eq!(root.sha256().to_hex(), fingerprint);
            assert_eq!(root.subject_key_id().map(to_hex).as_deref(), Some(key_id));
            assert!(root.not_after().to_string().starts_with(end), "{}", root.not_after());
            let key = root.public_key().unwrap();
            assert_eq!(key.describe(), "RSA-4096");
            assert_eq!(root.verify_issued_by(root.signature_algorithm().unwrap(), &key), Ok(()));
        }
    }
}
