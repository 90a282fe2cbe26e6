#!/usr/bin/env bash
# Makes the test data described in README.md. Needs OpenSSL 3.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf pki cms && mkdir -p pki cms
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index.txt"

cat > "$work/ca.cnf" <<CNF
[ca]
default_ca = test
[test]
database = $work/index.txt
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
preserve = yes
email_in_dn = no
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
serialNumber = optional
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca1]
basicConstraints = critical,CA:true,pathlen:1
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 2.16.76.1.1.0
[ca2]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
certificatePolicies = 2.16.76.1.1.0
[holder]
keyUsage = critical,digitalSignature,nonRepudiation,keyEncipherment
extendedKeyUsage = clientAuth,emailProtection
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://test.invalid/a.crl,URI:http://test.invalid/b.crl
authorityInfoAccess = caIssuers;URI:http://test.invalid/ca2.p7b
[names_ana]
email = ana@test.invalid
otherName.1 = 2.16.76.1.3.1;FORMAT:ASCII,OCTETSTRING:010119805299822472500000000000000000001234567SSPSP
otherName.2 = 2.16.76.1.3.5;FORMAT:ASCII,OCTETSTRING:0000000000000000000
otherName.3 = 2.16.76.1.3.6;FORMAT:ASCII,OCTETSTRING:000000000000
[names_bruno]
otherName.1 = 2.16.76.1.3.1;PRINTABLESTRING:020219901114447773500000000000000000000000000
[names_padaria]
otherName.1 = 2.16.76.1.3.4;PRINTABLESTRING:010119805299822472500000000000000000000000000
otherName.2 = 2.16.76.1.3.2;PRINTABLESTRING:ANA DA SILVA TEST
otherName.3 = 2.16.76.1.3.3;PRINTABLESTRING:11222333000181
otherName.4 = 2.16.76.1.3.7;PRINTABLESTRING:000000000000
CNF

extensions() { # base-section, extra lines → file
  sed -n "/^\[$1\]/,/^\[/p" "$work/ca.cnf" | sed '1d;/^\[/d' > "$work/ext.cnf"
  printf '%s\n' "${@:2}" >> "$work/ext.cnf"
  sed -n '/^\[names_/,$p' "$work/ca.cnf" >> "$work/ext.cnf"
}
key() { openssl genpkey -quiet "${@:2}" -out "$work/$1.key"; }
# issue NAME KEY SUBJECT START END ISSUER MD: extensions are in ext.cnf
issue() {
  openssl req -new -config "$work/ca.cnf" -utf8 -key "$work/$2.key" -subj "$3" -out "$work/$1.csr"
  local signer=(-cert "pki/$6.pem" -keyfile "$work/$6.key")
  [ "$6" = self ] && signer=(-selfsign -keyfile "$work/$2.key")
  openssl ca -batch -notext -config "$work/ca.cnf" "${signer[@]}" -md "$7" -in "$work/$1.csr" \
    -startdate "$4" -enddate "$5" -extfile "$work/ext.cnf" -out "pki/$1.pem" 2>/dev/null
}
from=20250101000000Z until=20450101000000Z
rsa=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)
key root "${rsa[@]}"; key ca1 "${rsa[@]}"; key ca2 "${rsa[@]}"; key rsa "${rsa[@]}"
key p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
key p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
for k in rsa p256 p384; do openssl pkcs8 -topk8 -nocrypt -in "$work/$k.key" -outform DER -out "pki/$k.key.der"; done

o='/C=BR/O=ICP-Brasil TEST'
extensions root; issue root root "$o/CN=AC Raiz TEST" $from $until self sha512
extensions ca1; issue ca1 ca1 "$o/OU=AC Raiz TEST/CN=AC Primeira TEST" $from $until root sha512
extensions ca2; issue ca2 ca2 "$o/OU=AC Primeira TEST/CN=AC Segunda TEST" $from $until ca1 sha512

san='subjectAltName = @names'
extensions holder 'subjectKeyIdentifier = hash' 'certificatePolicies = 2.16.76.1.2.3.10' "${san}_ana"
issue ana rsa "$o/OU=AC Segunda TEST/OU=RFB e-CPF A3/OU=(EM BRANCO)/CN=ANA DA SILVA TEST:52998224725" $from $until ca2 sha256
extensions holder 'certificatePolicies = 2.16.76.1.2.3.13' "${san}_bruno"
issue bruno p256 "$o/serialNumber=11144477735/CN=BRUNO SOUZA TEST:11144477735" $from $until ca2 sha256
extensions holder 'certificatePolicies = 2.16.76.1.2.1.51' "${san}_padaria"
issue padaria rsa "$o/OU=RFB e-CNPJ A1/CN=PADARIA TEST LTDA:11222333000181" $from $until ca2 sha256
extensions holder 'certificatePolicies = 2.16.76.1.2.202.7'
issue selo p384 "$o/serialNumber=12ABC34501DE35/CN=SELO TEST SA:12ABC34501DE35" $from $until ca2 sha256
extensions holder 'certificatePolicies = 2.16.76.1.2.3.10' "${san}_ana"
issue expired rsa "$o/CN=ANA DA SILVA TEST:52998224725" $from 20251231235959Z ca2 sha256
extensions holder "${san}_ana"
sed -i 's/^keyUsage.*/keyUsage = critical,keyEncipherment/' "$work/ext.cnf"
issue not-signer rsa "$o/CN=ANA DA SILVA TEST:52998224725" $from $until ca2 sha256

cat pki/root.pem pki/ca1.pem pki/ca2.pem > "$work/all.pem"
openssl crl2pkcs7 -nocrl -certfile "$work/all.pem" -outform DER -out pki/bundle.p7b

printf abc > "$work/abc"; cat pki/ca1.pem pki/ca2.pem > "$work/chain.pem"
sign() { # output, then arguments of openssl cms
  openssl cms -sign -binary -in "$work/abc" -outform DER -certfile "$work/chain.pem" -out "cms/$1" "${@:2}"
}
ana=(-signer pki/ana.pem -inkey "$work/rsa.key") bruno=(-signer pki/bruno.pem -inkey "$work/p256.key")
sign ana-cades.p7s -cades -md sha256 "${ana[@]}"
sign bruno-cades.p7s -cades -md sha256 "${bruno[@]}"
sign selo-cades.p7s -cades -md sha384 -signer pki/selo.pem -inkey "$work/p384.key"
sign ana-sha512.p7s -cades -md sha512 "${ana[@]}"
sign ana-attached-ber.p7m -cades -md sha256 -nodetach -stream "${ana[@]}"
sign ana-keyid.p7s -cades -md sha256 -keyid "${ana[@]}"
sign ana-plain.p7s -md sha256 "${ana[@]}"
sign ana-noattr.p7s -md sha256 -noattr "${ana[@]}"
sign ana-sha1.p7s -md sha1 "${ana[@]}"
sign ana-pss.p7s -cades -md sha256 "${ana[@]}" -keyopt rsa_padding_mode:pss
sign ana-and-bruno.p7s -cades -md sha256 "${ana[@]}" "${bruno[@]}"
