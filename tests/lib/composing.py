"""Signatures around a value that somebody else's key makes (TEST): the first step says what is signed, the second puts the value in.

For stand-ins of programs and services that do this. CMS by asn1crypto, PDF by pyHanko, neither of which is ours. pyHanko is imported
only where it is needed: it takes half a second.
"""

import hashlib
import io

from asn1crypto import cms, tsp

# Identifier and signPolicyHash of AD-RB, CAdES 2.4 and PAdES 1.3, as ICP-Brasil publishes them.
AD_RB = {
    "cades": ("2.16.76.1.7.1.1.2.4", "1f3c904c44c392feef447e21faa7a04e85d9c0153346320f557b7042af5dcf13"),
    "pades": ("2.16.76.1.7.1.11.1.3", "23e4be4b9b362172e4ebb0e72b86a133ece5aad843d8651c6e38a0ba3f08fc60"),
}
# Room for the CMS in a PDF, in hexadecimal digits.
ROOM = 16384


def signed_attributes(content_digest, signer, ad_rb=None):
    """DER of the attributes of CAdES-B: content-type, message-digest, signing-certificate-v2, and the policy when one is named."""
    more = [policy_attribute(ad_rb)] if ad_rb else []
    reference = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(signer.dump()).digest()})
    attributes = [
        cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
        cms.CMSAttribute({"type": "message_digest", "values": [content_digest]}),
        cms.CMSAttribute({"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [reference]})]}),
    ]
    return cms.CMSAttributes(attributes + more).dump()


def policy_attribute(family):
    """signature-policy-identifier of AD-RB. pyHanko names the attribute when it is imported, before anybody asked for its name."""
    from pyhanko.sign.ades.cades_asn1 import SignaturePolicyIdentifier

    oid, digest = AD_RB[family]
    value = {"sig_policy_id": oid, "sig_policy_hash": {"digest_algorithm": {"algorithm": "sha256"}, "digest": bytes.fromhex(digest)}}
    value = SignaturePolicyIdentifier("signature_policy_id", value)
    return cms.CMSAttribute({"type": "signature_policy_identifier", "values": [value]})


def signed_data(attributes, chain, value):
    """DER of the CMS, with the signer's certificate, those above it, and without the content."""
    signer = chain[0]
    info = {
        "version": "v1",
        "sid": {"issuer": signer.issuer, "serial_number": signer.serial_number},
        "digest_algorithm": {"algorithm": "sha256"},
        "signed_attrs": cms.CMSAttributes.load(attributes),
        "signature_algorithm": {"algorithm": "sha256_rsa"},
        "signature": value,
    }
    info["sid"] = cms.SignerIdentifier("issuer_and_serial_number", cms.IssuerAndSerialNumber(info["sid"]))
    signed = cms.SignedData({
        "version": "v1",
        "digest_algorithms": [{"algorithm": "sha256"}],
        "encap_content_info": {"content_type": "data"},
        "certificates": chain,
        "signer_infos": [cms.SignerInfo(info)],
    })
    return cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump()


def prepare_pdf(document):
    """Appends a revision with an empty signature. Gives the digest of what it covers, the revision, and where its room begins."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigSeedSubFilter
    from pyhanko.sign.signers import cms_embedder, pdf_byterange

    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    steps = cms_embedder.PdfCMSEmbedder().write_cms(field_name=f"TEST{hashlib.sha256(document).hexdigest()[:8]}", writer=writer)
    next(steps)
    empty = pdf_byterange.SignatureObject(subfilter=SigSeedSubFilter.PADES, bytes_reserved=ROOM)
    steps.send(cms_embedder.SigObjSetup(sig_placeholder=empty))
    prepared, output = steps.send(cms_embedder.SigIOSetup(md_algorithm="sha256"))
    whole = output.getvalue()
    assert whole.startswith(document)
    return prepared.document_digest, whole[len(document):], prepared.reserved_region_start - len(document)


def turn_pages(document):
    """The document with a further revision, in which its pages are turned: not what a person was shown."""
    from pyhanko.pdf_utils.generic import NumberObject, pdf_name
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    pages = writer.root["/Pages"]
    pages[pdf_name("/Rotate")] = NumberObject(90)
    writer.update_container(pages)
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def fill_pdf(document, revision, room, signature):
    """The signed file: document and revision, with the CMS in its room."""
    digits = signature.hex().encode()
    assert len(digits) <= ROOM
    return document + revision[: room + 1] + digits + revision[room + 1 + len(digits):]
