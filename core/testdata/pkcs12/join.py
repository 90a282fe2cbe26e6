#!/usr/bin/env python3
"""Joins the parts of PKCS#12 files into one, with a MAC of its own: OpenSSL writes no file with two keys.

join.py PASSWORD OUT IN...
"""

import hashlib
import hmac
import subprocess
import sys


def element(data, at=0):
    """Tag, start of the contents, end."""
    length, start = data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[start : start + count], "big"), start + count
    return data[at], start, start + length


def encode(tag, contents):
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents


def parts(path):
    data = open(path, "rb").read()
    _, at, _ = element(data)  # PFX
    _, _, at = element(data, at)  # version
    _, at, _ = element(data, at)  # ContentInfo
    _, _, at = element(data, at)  # type
    for _ in range(3):  # [0], OCTET STRING, AuthenticatedSafe
        _, at, end = element(data, at)
    return data[at:end]


password, out, *files = sys.argv[1:]
safe = encode(0x30, b"".join(parts(path) for path in files))
salt = bytes(range(8))
derived = subprocess.run(
    ["openssl", "kdf", "-keylen", "32", "-binary", "-kdfopt", "digest:SHA256", "-kdfopt", "id:3", "-kdfopt", "iter:2048",
     "-kdfopt", f"hexpass:{(password.encode('utf-16-be') + bytes(2)).hex()}", "-kdfopt", f"hexsalt:{salt.hex()}", "PKCS12KDF"],
    check=True, capture_output=True,
).stdout
mac = hmac.new(derived, safe, hashlib.sha256).digest()
oid = bytes.fromhex
content = encode(0x30, oid("06092a864886f70d010701") + encode(0xA0, encode(0x04, safe)))
digest = encode(0x30, encode(0x30, oid("0609608648016503040201") + oid("0500")) + encode(0x04, mac))
mac_data = encode(0x30, digest + encode(0x04, salt) + oid("02020800"))
open(out, "wb").write(encode(0x30, oid("020103") + content + mac_data))
