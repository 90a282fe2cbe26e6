"""pyHanko's opinion on PDFs, trust left aside: one word per file, as a JSON list.

usage: pyhanko_verdicts.py FILE…

    intact       every signature verifies, and what came later is allowed
    refused      one does not, or something forbidden came later
    unsigned     no signature
    unreadable   pyHanko cannot read the file or the signature
"""

import json
import logging
import sys

from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

REVISIONS = (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION)


def main():
    logging.disable(logging.CRITICAL)
    print(json.dumps([verdict(path) for path in sys.argv[1:]]))


def verdict(path):
    try:
        with open(path, "rb") as file:
            reader = PdfFileReader(file, strict=False)
            if reader.encrypted and reader.decrypt("").status == AuthStatus.FAILED:
                return "unreadable"
            signatures = list(reader.embedded_signatures)
            return "unsigned" if not signatures else "intact" if all(map(holds, signatures)) else "refused"
    except Exception:  # noqa: BLE001 (whatever it is, it could not be read)
        return "unreadable"


def holds(signature):
    context = ValidationContext(trust_roots=[], allow_fetching=False)
    if signature.sig_object_type == "/DocTimeStamp":
        status = validate_pdf_timestamp(signature, context)
    else:
        status = validate_pdf_signature(signature, context)
    return (
        status.intact
        and status.valid
        and status.coverage in REVISIONS
        and status.docmdp_ok is not False  # None: a time stamp asks for nothing
        and status.modification_level != ModificationLevel.OTHER
    )


main()
