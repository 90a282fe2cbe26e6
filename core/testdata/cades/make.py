"""Makes the CAdES files described in ../README.md with pyHanko, over the PKI of tests/pki/pki.py.

    python make.py PKI-FOLDER
"""

import asyncio
import sys
from pathlib import Path

from asn1crypto import cms, crl, pem
from pyhanko.keys import load_cert_from_pemder, load_certs_from_pemder, load_private_key_from_pemder
from pyhanko.sign import signers, timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

HERE = Path(__file__).resolve().parent
pki = Path(sys.argv[1])


def key(name):
    return load_private_key_from_pemder(str(pki / "keys" / f"{name}.pem"), passphrase=None)


def certificate(name):
    return load_cert_from_pemder(str(pki / "certificates" / f"{name}.pem"))


def store(*names):
    return SimpleCertificateStore.from_certs([certificate(name) for name in names])


stamper = timestamps.DummyTimeStamper(
    tsa_cert=certificate("tsa"), tsa_key=key("tsa"), certs_to_embed=store("ac2")
)
for name, file in (("pessoa-nova", "pyhanko-t.p7s"), ("curva-p256", "pyhanko-t-ecdsa.p7s")):
    signer = signers.SimpleSigner(
        signing_cert=certificate(name), signing_key=key(name), cert_registry=store("ac2", "ac1")
    )
    signature = asyncio.run(
        signer.async_sign_general_data(b"abc", "sha256", timestamper=stamper, use_cades=True)
    )
    (HERE / file).write_bytes(signature.dump())
