"""Independent test PKI of ICP-Brasil shape (certomancer).

    python pki.py generate DIR [--url http://localhost:9000]   keys, certificates, PKCS#12 files, identities
    python pki.py serve DIR --port 9000                        CRL, OCSP and TSA of what was generated

Keys are made by `generate` and never committed. The folder afterwards:

    keys/*.pem  certificates/*.pem  root.pem  chain.pem  certomancer.yml
    p12/NAME.p12          key, certificate and issuers; PBES2, AES-256, HMAC-SHA256
    p12/NAME.legacy.p12   the same as old tools write it: SHA-1, 3DES
    identities.json       for the Web PKI simulator
The password of every PKCS#12 file is in p12/password.txt.
"""

import argparse
import base64
import json
import os
import sys
from pathlib import Path

import yaml
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

HERE = Path(__file__).resolve().parent
PASSWORD = "senha de TESTE"
AUTHORITIES = ["root", "ac1", "ac2", "ac2-ocsp", "tsa", "estranha-root"]
CURVES = {"curva-p256": ec.SECP256R1(), "curva-p384": ec.SECP384R1()}
RSA_BITS = {"root": 4096, "rsa-4096": 4096, "rsa-3072": 3072}
PEM = serialization.Encoding.PEM


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    generate_parser = commands.add_parser("generate")
    generate_parser.add_argument("folder", type=Path)
    generate_parser.add_argument("--url", default="http://localhost:9000")
    serve_parser = commands.add_parser("serve")
    serve_parser.add_argument("folder", type=Path)
    serve_parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.command == "generate":
        generate(arguments.folder, arguments.url)
    else:
        serve(arguments.folder, arguments.port)


def generate(folder, url):
    """Writes everything. The folder may exist; its content is replaced."""
    for part in ("keys", "certificates", "p12"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    config_file = folder / "certomancer.yml"
    config_file.write_text((HERE / "certomancer.yml").read_text().replace("@URL@", url))
    labels = list(yaml.safe_load(config_file.read_text())["keysets"]["test"]["keys"])
    keys = {label: key_of(label) for label in labels}
    for label, key in keys.items():
        (folder / "keys" / f"{label}.pem").write_bytes(pkcs8(key))

    architecture = CertomancerConfig.from_file(str(config_file)).get_pki_arch(ArchLabel("test"))
    certificates = {
        label: x509.load_der_x509_certificate(architecture.get_cert(CertLabel(label)).dump()) for label in labels
    }
    for label, certificate in certificates.items():
        (folder / "certificates" / f"{label}.pem").write_bytes(certificate.public_bytes(PEM))
    chain = [certificates["ac2"], certificates["ac1"]]
    (folder / "root.pem").write_bytes(certificates["root"].public_bytes(PEM))
    (folder / "chain.pem").write_bytes(b"".join(issuer.public_bytes(PEM) for issuer in chain))

    holders = [label for label in labels if label not in AUTHORITIES]
    for label in holders:
        issuers = [certificates["estranha-root"]] if label == "estranha" else chain
        for suffix, encryption in (("", modern()), (".legacy", legacy())):
            content = pkcs12.serialize_key_and_certificates(
                label.encode(), keys[label], certificates[label], issuers, encryption
            )
            (folder / "p12" / f"{label}{suffix}.p12").write_bytes(content)
    (folder / "p12" / "password.txt").write_text(PASSWORD)
    identities = {label: identity(keys[label], certificates[label], chain) for label in holders}
    (folder / "identities.json").write_text(json.dumps(identities, indent=1))
    print(f"test PKI: {len(labels)} certificates in {folder}")


def key_of(label):
    """A new key, or the one that an earlier call left in the folder RUBRICA_TEST_KEYS: large keys take seconds."""
    kept = os.environ.get("RUBRICA_TEST_KEYS")
    if not kept:
        return generate_key(label)
    path = Path(kept) / f"{label}.pem"
    if path.is_file():
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    key = generate_key(label)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two processes may get here at once: whoever renames last wins, and no file is ever half written.
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(pkcs8(key))
    unfinished.replace(path)
    return key


def pkcs8(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def generate_key(label):
    """RSA 2048 as in the field, 4096 for the root, something else where the name says so."""
    if label in CURVES:
        return ec.generate_private_key(CURVES[label])
    if label == "curva-ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS.get(label, 2048))


def modern():
    return (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(10_000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(PASSWORD.encode())
    )


def legacy():
    return (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2_048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .hmac_hash(hashes.SHA1())
        .build(PASSWORD.encode())
    )


def identity(key, certificate, chain):
    """One entry for the simulator: certificate and software key (JWK)."""
    return {
        "certificate": der64(certificate),
        "private_key": jwk(key),
        "chain": [der64(issuer) for issuer in chain],
    }


def der64(certificate):
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()


def jwk(key):
    """The simulator computes with RSA only; of the others it needs to know the kind."""
    if isinstance(key, rsa.RSAPrivateKey):
        return rsa_jwk(key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return {"kty": "EC", "crv": f"P-{key.curve.key_size}"}
    return {"kty": "OKP", "crv": "Ed25519"}


def rsa_jwk(key):
    numbers = key.private_numbers()
    public = numbers.public_numbers
    members = {
        "n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
        "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }
    return {"kty": "RSA"} | {name: integer64(value) for name, value in members.items()}


def integer64(value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def serve(folder, port):
    """Replaces this process by certomancer's server, so that its end is our end."""
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    command = [sys.executable, "-m", "certomancer", "--config", str(folder / "certomancer.yml"), "animate"]
    os.execve(sys.executable, [*command, "--port", str(port), "--no-web-ui"], environment)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    main()
