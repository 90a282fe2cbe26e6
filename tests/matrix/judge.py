"""pyHanko judges many signatures in one process: starting it takes longer than a verdict.

Reads a JSON list of jobs from standard input, writes a JSON list of verdicts in the same order.

    job      {"kind": "pdf", "file": …, "level": "b" | "t" | "lt" | "lta", "trust": PEM file of the root}
             {"kind": "cms", …, and "content": path, or null when it is inside}
             "password" where a PDF needs one
    verdict  {"accepted": bool, "detail": str}

The process of EN 319 102-1 that belongs to the level decides: basic (§5.3), with time (§5.5), long-term (§5.6.3, which
needs a document time stamp).
Every signature of a PDF has to pass, later changes included, and document time stamps too; the level is asked of the
last signature, the others may be basic. From LT on every certificate needs evidence of revocation, and nothing is
fetched: what is in the file has to do.
"""

import asyncio
import hashlib
import json
import logging
import multiprocessing
import sys
from dataclasses import replace
from functools import lru_cache

from asn1crypto import cms, pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import DEFAULT_DIFF_POLICY
from pyhanko.sign.validation import async_validate_pdf_timestamp
from pyhanko.sign.validation.ades import (
    _dss_to_local_knowledge,
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevocationInfoGatheringSpec,
    RevinfoOnlineFetchingRule,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    REQUIRE_REVINFO,
    CertRevTrustPolicy,
    FreshnessReqType,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

LONG_TERM = ("lt", "lta")
REVISIONS = (SignatureCoverageLevel.ENTIRE_FILE, SignatureCoverageLevel.ENTIRE_REVISION)


def main():
    logging.disable(logging.CRITICAL)
    jobs = json.load(sys.stdin)
    with multiprocessing.Pool() as pool:
        json.dump(pool.map(judge, jobs, chunksize=4), sys.stdout)


def judge(job):
    try:
        accepted, detail = asyncio.run(judge_pdf(job) if job["kind"] == "pdf" else judge_cms(job))
    except Exception as error:  # noqa: BLE001 (whatever it is, it is not accepted)
        accepted, detail = False, f"{type(error).__name__}: {error}"
    return {"accepted": accepted, "detail": detail}


async def judge_pdf(job):
    with open(job["file"], "rb") as file:
        reader = PdfFileReader(file)
        if reader.encrypted:
            reader.decrypt(job.get("password", ""))
        signatures = list(reader.embedded_regular_signatures)
        results = [await pdf_signature(signature, job, job["level"] if signature is signatures[-1] else "b")
                   for signature in signatures]
        stamps = list(reader.embedded_timestamp_signatures)
        results += [await document_time_stamp(stamp, job) for stamp in stamps]
        missing = []
        if job["level"] in LONG_TERM and "/DSS" not in reader.root:
            missing.append("no DSS")
        if job["level"] == "lta" and not stamps:
            missing.append("no document time stamp")
        accepted = bool(signatures) and not missing and all(held for held, _ in results)
        return accepted, "; ".join([text for _, text in results] + missing)


async def pdf_signature(signature, job, level):
    spec = signature_spec(job["trust"], level)
    if level == "lta":
        result = await ades_lta_validation(signature, PdfSignatureValidationSpec(spec))
    else:
        if level == "lt":
            spec = replace(spec, local_knowledge=_dss_to_local_knowledge(signature.reader))
        process = ades_basic_validation if level == "b" else ades_with_time_validation
        result = await process(signature.signed_data, spec, raw_digest=signature.compute_digest())
        signature.compute_integrity_info(diff_policy=DEFAULT_DIFF_POLICY)
    held, text = verdict(result)
    integrity = signature.summarise_integrity_info()
    if integrity["coverage"] not in REVISIONS or not integrity["docmdp_ok"]:
        held, text = False, f"{text} {integrity}"
    return held, f"{signature.field_name}: {text}"


async def document_time_stamp(stamp, job):
    context = ValidationContext(trust_roots=[root(job["trust"])], allow_fetching=False)
    status = await async_validate_pdf_timestamp(stamp, context)
    held = status.valid and status.intact and status.trusted and status.coverage in REVISIONS
    return held, f"{stamp.field_name}: {status.summary()}"


async def judge_cms(job):
    with open(job["file"], "rb") as file:
        signed_data = cms.ContentInfo.load(file.read())["content"]
    signer = signed_data["signer_infos"][0]
    digest = None
    if job.get("content"):
        digest = digest_of(job["content"], signer["digest_algorithm"]["algorithm"].native)
    # pyHanko does not look for evidence inside a CMS: there, the higher levels are asked for their time stamp.
    level = "b" if job["level"] == "b" else "t"
    process = ades_basic_validation if level == "b" else ades_with_time_validation
    return verdict(await process(signed_data, signature_spec(job["trust"], level), raw_digest=digest))


def verdict(result):
    status = result.api_status
    held = result.ades_subindic == AdESPassed.OK and status is not None and status.bottom_line
    return held, f"{result.ades_subindic} {result.failure_msg or (status.summary() if status else '')}"


def digest_of(path, algorithm):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).digest()


def signature_spec(trust, level):
    policy = REQUIRE_REVINFO if level in LONG_TERM else NO_REVOCATION
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            trust_manager=SimpleTrustManager.build([root(trust)]),
            revinfo_policy=CertRevTrustPolicy(
                policy, freshness=None, freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION
            ),
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(
            online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY
        ),
        # pyHanko asks for nonRepudiation unless told otherwise; ICP-Brasil does not.
        key_usage_settings=KeyUsageConstraints(key_usage={"digital_signature"}),
    )


@lru_cache
def root(path):
    with open(path, "rb") as file:
        return x509.Certificate.load(pem.unarmor(file.read())[2])


if __name__ == "__main__":
    main()
