"""PAdES-B with pyHanko: the peer of `rubrica-bench pdf`.

usage: pyhanko_pades.py KEY.pem CERT.pem FILE.pdf COUNT shipped|tuned

`shipped` is SimpleSigner as it comes; `tuned` keeps the parsed key and reserves a given number of
bytes, so that the key is used once per document. Prints one JSON object; `cpu_seconds` counts the
signing loop only.
"""

import asyncio
import io
import json
import sys
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers


class CachedKeySigner(signers.SimpleSigner):
    """SimpleSigner that parses its private key once."""

    cached_key = None

    def sign_raw(self, data, digest_algorithm):
        if self.cached_key is None:
            self.cached_key = serialization.load_der_private_key(self.signing_key.dump(), password=None)
        assert digest_algorithm == "sha256"
        return self.cached_key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def main():
    key, certificate, path, count, mode = sys.argv[1:]
    kind = CachedKeySigner if mode == "tuned" else signers.SimpleSigner
    signer = kind.load(key, certificate)
    metadata = signers.PdfSignatureMetadata(
        field_name="Signature1",
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
    )
    with open(path, "rb") as file:
        document = file.read()
    reserved = 16384 if mode == "tuned" else None
    size = 0
    start = 0.0
    for round in range(int(count) + 1):
        if round == 1:  # The first document pays for imports and caches.
            start = time.process_time()
        writer = IncrementalPdfFileWriter(io.BytesIO(document))
        pdf_signer = signers.PdfSigner(metadata, signer=signer)
        signed = asyncio.run(pdf_signer.async_sign_pdf(writer, bytes_reserved=reserved))
        size = len(signed.getbuffer())
    cpu = time.process_time() - start
    print(json.dumps({"documents": int(count), "cpu_seconds": cpu, "signed_bytes": size}))


main()
