"""Stand-in for Lacuna PKI Express (TEST). See README.md."""

import base64
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "lib"))

FOLDER = pathlib.Path(os.environ["RUBRICA_PKIE_STAND_IN"])
VERSION = (1, 36, 2)
BAD_SYNTAX, UNKNOWN_ERROR, FILE_NOT_FOUND, BAD_CERTIFICATE, BAD_DATA, BAD_SIGNATURE, BAD_POLICY = 1, 2, 3, 4, 7, 8, 10
VALIDATION_FAILED, IO_ERROR, NOT_ACTIVATED, UPDATE_NEEDED = 14, 15, 17, 25
SHA256 = "2.16.840.1.101.3.4.2.1"

# Options with the number of values that each takes.
GLOBAL = {
    "--file-reference": 1, "--trust-root": 1, "--trust-test": 0, "--trust-clear": 0, "--trust-brazil": 0, "--trust-system": 0,
    "--offline": 0, "--crl-timeout": 1, "--ca-issuers-timeout": 1, "--culture": 1, "--timezone": 1, "--base64": 0, "--min-version": 1,
}
# Commands with the number of their arguments and their own options.
COMMANDS = {
    "version": (0, {}),
    "start-pades": (3, {"--policy": 1, "--suppress-default-visual-rep": 0}),
    "start-cades": (3, {"--policy": 1, "--detached": 0}),
    "complete-sig": (4, {"--data-file": 1}),
}
# What is younger than 1.3 has to be asked for with --min-version.
YOUNGER = {"--suppress-default-visual-rep": (1, 13, 1)}


class Ended(Exception):
    """Ends the run with a code and, as the vendor's program does, lines for people on the standard output."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


def parse(words):
    if not words or words[0] not in COMMANDS:
        raise Ended(BAD_SYNTAX, "unknown command")
    command = words[0]
    count, own = COMMANDS[command]
    known, positional, options = {**GLOBAL, **own}, [], {}
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith("--"):
            positional.append(word)
        elif word not in known:
            raise Ended(BAD_SYNTAX, f"unknown option {word}")
        else:
            values = [next(rest, None) for _ in range(known[word])]
            if None in values:
                raise Ended(BAD_SYNTAX, f"{word} needs a value")
            options.setdefault(word, []).extend(values)
    if len(positional) != count:
        raise Ended(BAD_SYNTAX, f"{command} takes {count} arguments")
    asked = tuple(int(part) for part in options.get("--min-version", ["1.3"])[0].split("."))
    if asked > VERSION:
        raise Ended(UPDATE_NEEDED, "update needed")
    for option, since in YOUNGER.items():
        if option in options and asked < since:
            raise Ended(BAD_SYNTAX, f"{option} without --min-version")
    return command, positional, options


def read(path):
    try:
        return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        raise Ended(FILE_NOT_FOUND, f"{path} not found") from None


def certificates(data):
    from asn1crypto import pem, x509

    parts = [der for _, _, der in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
    try:
        return [x509.Certificate.load(der, strict=True) for der in parts]
    except ValueError:
        raise Ended(BAD_CERTIFICATE, "bad certificate") from None


def check_trust(signer, options):
    """Gives signer and issuers. Without roots of its own it trusts ICP-Brasil alone, which issued no certificate for tests."""
    roots = [root for path in options.get("--trust-root", []) for root in certificates(read(path))]
    chain = [signer]
    while issuer := next((root for root in roots if root.subject == chain[-1].issuer and root not in chain), None):
        chain.append(issuer)
    if len(chain) == 1:
        name = signer.subject.native.get("common_name")
        raise Ended(VALIDATION_FAILED, f"The certificate of {name} is not trusted:\n- issuer not found")
    return chain


def start(command, document_path, certificate_path, transfer_path, options, fault):
    import composing

    kind = command.removeprefix("start-")
    document, [signer] = read(document_path), certificates(read(certificate_path))
    chain = check_trust(signer, options)
    policy = options.get("--policy", [""])[0]
    if policy not in (kind, "adrb"):
        raise Ended(BAD_POLICY, f"policy {policy}")
    required = {"cades": "--detached", "pades": "--suppress-default-visual-rep"}[kind]
    if required not in options:
        raise Ended(BAD_SYNTAX, f"the stand-in knows {command} with {required} only")
    if fault == "wrong-document":
        document = composing.turn_pages(document) if kind == "pades" else document + b"TEST"
    transfer = {"kind": kind, "document": hashlib.sha256(document).hexdigest(), "chain": [base64.b64encode(one.dump()).decode() for one in chain]}
    content = hashlib.sha256(document).digest()
    if kind == "pades":
        content, revision, room = composing.prepare_pdf(document)
        transfer |= {"revision": base64.b64encode(revision).decode(), "room": room}
    attributes = composing.signed_attributes(content, signer, kind if policy == "adrb" else None)
    transfer["attributes"] = base64.b64encode(attributes).decode()
    if fault == "wrong-document":
        transfer["altered"] = base64.b64encode(document).decode()
    if fault != "no-transfer":
        with open(transfer_path, "x", encoding="ascii") as file:
            json.dump(transfer, file)
    if fault == "sha1":
        return [base64.b64encode(hashlib.sha1(attributes).digest()).decode(), "SHA1", "1.3.14.3.2.26"]
    return [base64.b64encode(hashlib.sha256(attributes).digest()).decode(), "SHA256", SHA256]


def complete(document_path, transfer_path, value, output_path, fault):
    import composing
    from asn1crypto import x509
    from cryptography import x509 as certificate
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    document, transfer = read(document_path), json.loads(read(transfer_path))
    if "altered" in transfer:
        document = base64.b64decode(transfer["altered"])
    if hashlib.sha256(document).hexdigest() != transfer["document"]:
        raise Ended(BAD_DATA, "not the file of the first step")
    chain, attributes = [base64.b64decode(one) for one in transfer["chain"]], base64.b64decode(transfer["attributes"])
    try:
        value = base64.b64decode(value, validate=True)
        key = certificate.load_der_x509_certificate(chain[0]).public_key()
        key.verify(value, attributes, padding.PKCS1v15(), hashes.SHA256())
    except (ValueError, InvalidSignature):
        raise Ended(BAD_SIGNATURE, "bad signature") from None
    if fault == "other-value":
        value = bytes(len(value))
    made = composing.signed_data(attributes, [x509.Certificate.load(one) for one in chain], value)
    if transfer["kind"] == "pades":
        made = composing.fill_pdf(document, base64.b64decode(transfer["revision"]), transfer["room"], made)
    if fault == "half":
        made = made[: len(made) // 2]
    with open(output_path, "xb") as file:
        file.write(made)
    return []


def misbehave(fault, folder):
    if fault == "hang":
        # A child that does not mind being asked to end.
        wait = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
        child = subprocess.Popen([sys.executable, "-c", wait])
        (FOLDER / "hanging").write_text(f"{os.getpid()} {child.pid}\n", encoding="ascii")
        time.sleep(600)
    elif fault == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif fault == "garbage":
        sys.stdout.buffer.write(b"\xff\xfe TEST \x00 garbage\n" * 3)
        raise Ended(0, "")
    elif fault == "chatty":
        while True:
            sys.stdout.write("TEST " * 1000)
    elif fault == "flood":
        with open(folder / "flood", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
                time.sleep(0.005)
    elif fault.startswith("exit-"):
        raise Ended(int(fault.removeprefix("exit-")), "TEST: ANA BEATRIZ DE SOUZA TEST:52998224725\nsecond line")


def next_fault():
    path = FOLDER / "faults"
    if not path.exists():
        return "-"
    words = path.read_text(encoding="ascii").split()
    path.write_text("\n".join(words[1:]), encoding="ascii")
    return words[0] if words else "-"


def main():
    words = sys.argv[1:]
    call = {"arguments": words, "environment": sorted(os.environ), "pid": os.getpid(), "folder": os.getcwd()}
    with open(FOLDER / "calls", "a", encoding="ascii") as file:
        file.write(json.dumps(call) + "\n")
    try:
        if (FOLDER / "not-activated").exists():
            raise Ended(NOT_ACTIVATED, "PKI Express is not activated")
        command, positional, options = parse(words)
        fault = next_fault()
        misbehave(fault, pathlib.Path.cwd())
        if command == "version":
            told = json.dumps({"version": ".".join(map(str, VERSION))})
            lines = [base64.b64encode(told.encode()).decode() if "--base64" in options else told]
        elif command == "complete-sig":
            lines = complete(*positional, fault)
        else:
            lines = start(command, *positional, options, fault)
        print("\n".join(lines))
    except Ended as ended:
        # Its wrappers read old code pages.
        sys.stdout.buffer.write(f"{ended}\n".encode("cp860", "replace"))
        sys.stdout.flush()
        sys.exit(ended.code)
    except OSError as error:
        print(error)
        sys.exit(IO_ERROR)
    except Exception:
        # A fault of the stand-in itself.
        (FOLDER / "trouble").write_text(traceback.format_exc(), encoding="utf-8")
        sys.exit(UNKNOWN_ERROR)


main()
