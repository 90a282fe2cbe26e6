"""Validation of one signed PDF with pyHanko: the peer of `rubrica-bench verify`.

usage: pyhanko_validate.py ROOT.pem FILE.pdf COUNT

Trust is built once, and nothing is fetched. Prints one JSON object; `cpu_seconds` counts the loop only.
"""

import io
import json
import logging
import sys
import time

from asn1crypto import pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


def main():
    logging.disable(logging.CRITICAL)
    root_file, path, count = sys.argv[1:]
    with open(root_file, "rb") as file:
        root = x509.Certificate.load(pem.unarmor(file.read())[2])
    with open(path, "rb") as file:
        document = file.read()
    start = 0.0
    for round in range(int(count) + 1):
        if round == 1:  # The first document pays for imports and caches.
            start = time.process_time()
        reader = PdfFileReader(io.BytesIO(document))
        context = ValidationContext(trust_roots=[root], allow_fetching=False)
        status = validate_pdf_signature(reader.embedded_signatures[0], context)
        assert status.intact and status.valid
    print(json.dumps({"documents": int(count), "cpu_seconds": time.process_time() - start}))


main()
