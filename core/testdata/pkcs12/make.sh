#!/usr/bin/env bash
# Makes the PKCS#12 files described in ../README.md out of the keys and certificates in ../pki. Needs OpenSSL 3 with its legacy
# provider, and Python for the file with two keys.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.p12
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
password=senha-de-teste
for key in rsa p256; do openssl pkey -inform DER -in "../pki/$key.key.der" -out "$work/$key.pem"; done
cat ../pki/ca2.pem ../pki/ca1.pem ../pki/root.pem > "$work/chain.pem"

export() { # OUT KEY CERTIFICATE OPTIONS
  openssl pkcs12 -export -out "$1" -inkey "$2" -in "$3" -passout "pass:$password" -name TEST "${@:4}"
}
ana() { export "$1" "$work/rsa.pem" ../pki/ana.pem "${@:2}"; }
bruno() { export "$1" "$work/p256.pem" ../pki/bruno.pem "${@:2}"; }

ana chain.p12 -certfile "$work/chain.pem"
bruno one-round.p12 -iter 1 -nomaciter
bruno aes-128-sha-512.p12 -keypbe AES-128-CBC -certpbe AES-128-CBC -macalg sha512
bruno aes-192-sha-384.p12 -keypbe AES-192-CBC -certpbe AES-192-CBC -macalg sha384
bruno mac-sha-1.p12 -macalg sha1
bruno rc2-40.p12 -legacy
bruno triple-des.p12 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES
bruno rc2-128.p12 -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-RC2-128
bruno rc4.p12 -legacy -keypbe PBE-SHA1-RC4-128 -certpbe PBE-SHA1-RC4-128
bruno pbes2-triple-des.p12 -keypbe DES-EDE3-CBC -certpbe AES-256-CBC
bruno open-key.p12 -keypbe NONE -certpbe AES-256-CBC
bruno no-mac.p12 -nomac
bruno ten-million-rounds.p12 -iter 10000000 -nomaciter
openssl pkcs12 -export -out accents.p12 -inkey "$work/p256.pem" -in ../pki/bruno.pem -passout "pass:ção€ TEST"
openssl pkcs12 -export -nokeys -out no-key.p12 -in ../pki/bruno.pem -passout "pass:$password"
python3 join.py "$password" two-keys.p12 chain.p12 one-round.p12

# Two certificates that name each other as issuer.
for one in a b; do
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$one.key" -out "$work/$one.csr" -subj "/CN=TEST $one"
done
openssl req -x509 -new -key "$work/a.key" -out "$work/a-self.pem" -subj "/CN=TEST a" -days 36500
openssl x509 -req -in "$work/b.csr" -CA "$work/a-self.pem" -CAkey "$work/a.key" -CAcreateserial -out "$work/b.pem" -days 36500
openssl x509 -req -in "$work/a.csr" -CA "$work/b.pem" -CAkey "$work/b.key" -CAcreateserial -out "$work/a.pem" -days 36500
export circle.p12 "$work/a.key" "$work/a.pem" -certfile "$work/b.pem"
