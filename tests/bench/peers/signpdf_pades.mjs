// PAdES-B with node @signpdf: a peer of `rubrica-bench pdf`.
//
// usage: signpdf_pades.mjs PACKAGES KEY.pem CERT.pem FILE.pdf COUNT
//
// PACKAGES is the folder with node_modules. Tuned: certificate and key are parsed once, where the package's own
// P12Signer opens a PKCS#12 file for every document. Prints one JSON object; `cpu_seconds` counts the signing loop only.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, keyFile, certificateFile, path, count] = process.argv.slice(2);
const require = createRequire(join(packages, "node_modules", "peer.js"));
const { SignPdf } = require("@signpdf/signpdf");
const { plainAddPlaceholder } = require("@signpdf/placeholder-plain");
const { Signer, SUBFILTER_ETSI_CADES_DETACHED } = require("@signpdf/utils");
const forge = require("node-forge");

class CachedKeySigner extends Signer {
  key = forge.pki.privateKeyFromPem(readFileSync(keyFile, "utf8"));
  certificate = forge.pki.certificateFromPem(readFileSync(certificateFile, "utf8"));

  async sign(bytes) {
    const cms = forge.pkcs7.createSignedData();
    cms.content = forge.util.createBuffer(bytes.toString("binary"));
    cms.addCertificate(this.certificate);
    cms.addSigner({
      key: this.key,
      certificate: this.certificate,
      digestAlgorithm: forge.pki.oids.sha256,
      authenticatedAttributes: [
        { type: forge.pki.oids.contentType, value: forge.pki.oids.data },
        { type: forge.pki.oids.messageDigest },
      ],
    });
    cms.sign({ detached: true });
    return Buffer.from(forge.asn1.toDer(cms.toAsn1()).getBytes(), "binary");
  }
}

const signer = new CachedKeySigner();
const document = readFileSync(path);
let size = 0;
let start = process.cpuUsage();
for (let round = 0; round <= Number(count); round++) {
  if (round === 1) start = process.cpuUsage(); // The first document pays for loading and warming up.
  const pdfBuffer = plainAddPlaceholder({
    pdfBuffer: document, reason: "TEST", name: "TEST", location: "TEST", contactInfo: "TEST",
    signatureLength: 8192, subFilter: SUBFILTER_ETSI_CADES_DETACHED,
  });
  size = (await new SignPdf().sign(pdfBuffer, signer)).length;
}
const { user, system } = process.cpuUsage(start);
console.log(JSON.stringify({ documents: Number(count), cpu_seconds: (user + system) / 1e6, signed_bytes: size }));
