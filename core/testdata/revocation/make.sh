#!/usr/bin/env bash
# Makes the revocation test data described in ../README.md. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -f ./*.pem ./*.crl ./*.der
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for database in authority ca; do
  mkdir "$work/$database"; touch "$work/$database/index.txt"; echo 01 > "$work/$database/number"
done
cat > "$work/ca.cnf" <<CNF
[root]
database = $work/authority/index.txt
new_certs_dir = $work
rand_serial = yes
crlnumber = $work/authority/number
default_md = sha256
policy = any
preserve = yes
crl_extensions = crl
[ca]
database = $work/ca/index.txt
new_certs_dir = $work
rand_serial = yes
crlnumber = $work/ca/number
default_md = sha256
policy = any
preserve = yes
crl_extensions = crl
[any]
organizationName = optional
commonName = supplied
[crl]
authorityKeyIdentifier = keyid
[req]
distinguished_name = dn
prompt = no
[dn]
[x_authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[x_holder]
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://test.invalid/a.crl,URI:http://test.invalid/b.crl
authorityInfoAccess = OCSP;URI:http://ocsp.test.invalid/,caIssuers;URI:http://test.invalid/ca.p7b
[x_nocheck]
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
noCheck = ignored
[x_checked]
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
[x_other]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
CNF
key() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"; }
issue() { # name, section of the issuer, extensions
  key "$1"
  openssl req -new -config "$work/ca.cnf" -key "$work/$1.key" -subj "/O=TEST/CN=$1 TEST" -out "$work/$1.csr"
  local signer=(-cert "$2.pem" -keyfile "$work/$2.key")
  [ "$1" = "$2" ] && signer=(-selfsign -keyfile "$work/$1.key")
  openssl ca -batch -notext -config "$work/ca.cnf" -name "$2" "${signer[@]}" -in "$work/$1.csr" -startdate 20250101000000Z \
    -enddate "${4:-20450101000000Z}" -extfile "$work/ca.cnf" -extensions "x_$3" -out "$1.pem" 2>/dev/null
}
issue root root authority; issue ca root authority
issue good ca holder; issue revoked ca holder; issue held ca holder; issue ended ca holder 20260101000000Z
issue nocheck ca nocheck; issue checked ca checked; issue other ca other
revoke() { openssl ca -batch -config "$work/ca.cnf" -name ca -cert ca.pem -keyfile "$work/ca.key" -revoke "$1.pem" "${@:2}" 2>/dev/null; }
revoke revoked -crl_compromise 20260301120000Z
revoke held -crl_hold holdInstructionReject
crl() { # authority, output, from, until
  openssl ca -gencrl -config "$work/ca.cnf" -name "$1" -cert "$1.pem" -keyfile "$work/$1.key" \
    -crl_lastupdate "$3" -crl_nextupdate "$4" 2>/dev/null | openssl crl -outform DER -out "$2"
}
crl root root.crl 20260601000000Z 20261201000000Z
crl ca ca.crl 20260601000000Z 20260608000000Z
crl ca ca-later.crl 20260605000000Z 20260612000000Z
crl ca ca-current.crl 20261101000000Z 20271101000000Z
answer() { # output, certificate, signer, more
  openssl ocsp -issuer ca.pem "${@:4}" -cert "$2.pem" -index "$work/ca/index.txt" -CA ca.pem -rsigner "$3.pem" \
    -rkey "$work/$3.key" -ndays 7 -respout "$1.der" >/dev/null 2>&1
}
answer ocsp-good good nocheck -no_nonce
answer ocsp-good-sha256 good nocheck -no_nonce -sha256
answer ocsp-revoked revoked nocheck -no_nonce
answer ocsp-held held nocheck -no_nonce
answer ocsp-issuer good ca -no_nonce
answer ocsp-key-id good nocheck -no_nonce -resp_key_id
answer ocsp-checked good checked -no_nonce
answer ocsp-other good other -no_nonce
answer ocsp-nonce good nocheck
# The wrong database: nobody is known.
openssl ocsp -issuer ca.pem -no_nonce -cert good.pem -index "$work/authority/index.txt" -CA ca.pem -rsigner nocheck.pem \
  -rkey "$work/nocheck.key" -ndays 7 -respout ocsp-unknown.der >/dev/null 2>&1
openssl ocsp -issuer ca.pem -no_nonce -cert good.pem -reqout request.der
