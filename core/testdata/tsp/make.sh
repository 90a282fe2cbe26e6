#!/usr/bin/env bash
# Makes the time stamps described in ../README.md. Needs OpenSSL 3. The keys are not kept.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/tsa.cnf" <<CNF
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[tsa]
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = critical,timeStamping
authorityKeyIdentifier = keyid
certificatePolicies = 2.16.76.1.2.303.7
[tsa_loose]
keyUsage = critical,digitalSignature
extendedKeyUsage = timeStamping
CNF
# reply NAME ESS-DIGEST DIGEST EXTENSIONS QUERY-OPTIONS…
reply() {
  cat > "$work/ts.cnf" <<CNF
[tsa]
default_tsa = test
[test]
serial = $work/serial
signer_cert = $work/$4.pem
certs = $work/ca.pem
signer_key = $work/$4.key
signer_digest = sha256
default_policy = 2.16.76.1.6.999
other_policies = 2.16.76.1.6.998
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = $2
CNF
  openssl ts -query -data "$work/abc" "-$3" -out "$1.tsq" "${@:5}" 2>/dev/null
  openssl ts -reply -config "$work/ts.cnf" -queryfile "$1.tsq" -out "$1.tsr" 2>/dev/null
}
issue() { # NAME SUBJECT EXTENSIONS
  openssl req -new -newkey rsa:2048 -noenc -keyout "$work/$1.key" -config "$work/tsa.cnf" -subj "/C=BR/O=ICP-Brasil TEST/CN=$2" -out "$work/$1.csr" 2>/dev/null
  local signer=(-CA "$work/ca.pem" -CAkey "$work/ca.key")
  [ "$1" = ca ] && signer=(-signkey "$work/ca.key")
  openssl x509 -req -in "$work/$1.csr" -days 7300 -sha256 "${signer[@]}" -extfile "$work/tsa.cnf" -extensions "$3" -out "$work/$1.pem" 2>/dev/null
}
printf abc > "$work/abc"; echo 41 > "$work/serial"
issue ca 'AC do Tempo TEST' ca
issue tsa 'Carimbo do Tempo TEST' tsa
issue tsa_loose 'Carimbo Frouxo TEST' tsa_loose
reply abc sha256 sha256 tsa -cert
reply abc-v1 sha1 sha512 tsa -cert -no_nonce -tspolicy 2.16.76.1.6.998
reply abc-without-certificate sha256 sha256 tsa
reply refused sha256 md5 tsa -cert
reply loose sha256 sha256 tsa_loose -cert || rm -f loose.*
openssl x509 -in "$work/tsa.pem" -outform DER -out tsa.der
for stamp in abc abc-v1; do
  openssl ts -verify -in $stamp.tsr -queryfile $stamp.tsq -CAfile "$work/ca.pem" 2>/dev/null | grep -q 'Verification: OK'
done
