// The independent PKI keeps its promises: openssl agrees with what certomancer made and serves.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startServices } from "../lib/services.js";
import { run, runOk } from "../lib/tools.js";

/** @type {import("../lib/pki.js").Pki} */
let pki;
/** @type {import("../lib/services.js").Services} */
let services;
/** @type {string} */
let url;

before(async () => {
  services = await startServices();
  ({ pki, url } = services);
});
after(() => services.stop());

test("every holder leads to the root, the stranger does not", () => {
  for (const holder of ["pessoa-antiga", "pessoa-nova", "empresa-antiga", "empresa-nova", "selo", "curva-p256", "curva-p384", "curva-ed25519", "rsa-3072", "rsa-4096"]) {
    runOk("openssl", ["verify", "-CAfile", pki.root, "-untrusted", pki.chain, pki.certificate(holder)]);
  }
  for (const holder of ["estranha", "vencida", "futura"]) {
    assert.notEqual(run("openssl", ["verify", "-CAfile", pki.root, "-untrusted", pki.chain, pki.certificate(holder)]).code, 0);
  }
});

test("the two generations differ in the encoding of otherName and in the subject", () => {
  const dump = (/** @type {string} */ holder) => runOk("openssl", ["asn1parse", "-in", pki.certificate(holder), "-strparse", sanOffset(holder)]).stdout;
  assert.match(dump("pessoa-antiga"), /PRINTABLESTRING\s+:150319805299822472500000000000000000123456789SSPSP/);
  assert.match(dump("pessoa-nova"), /OCTET STRING\s+:310119901114447773500000000000000000000000000/);
  const subject = runOk("openssl", ["x509", "-in", pki.certificate("selo"), "-noout", "-subject"]).stdout;
  assert.match(subject, /serialNumber = 12ABC34501DE35/);
});

test("the PKCS#12 files open, in both encryptions, with their password only", () => {
  for (const [file, algorithm] of /** @type {const} */ ([[pki.p12("selo"), /PBES2/], [pki.legacyP12("selo"), /pbeWithSHA1And3-KeyTripleDES-CBC/]])) {
    const info = ["pkcs12", "-in", file, "-info", "-noout", "-passin"];
    assert.match(runOk("openssl", [...info, `file:${pki.passwordFile}`]).stderr, algorithm);
    assert.notEqual(run("openssl", [...info, "pass:outra"]).code, 0);
  }
});

test("the revoked holder is in the CRL", async () => {
  const crl = join(pki.folder, "ac2.crl");
  writeFileSync(crl, Buffer.from(await (await fetch(`${url}/test/crls/ac2/latest.crl`)).arrayBuffer()));
  const { output } = runOk("openssl", ["crl", "-in", crl, "-inform", "DER", "-text", "-noout", "-CAfile", pki.chain]);
  assert.match(output, /verify OK/);
  assert.match(output, /Key Compromise/);
});

test("the OCSP responder tells good from revoked", () => {
  const ask = (/** @type {string} */ holder) =>
    runOk("openssl", [
      "ocsp", "-issuer", pki.certificate("ac2"), "-cert", pki.certificate(holder), "-url", `${url}/test/ocsp/ac2`,
      "-CAfile", pki.root, "-verify_other", pki.chain,
    ]).output;
  assert.match(ask("pessoa-antiga"), /: good\n[^]*Response verify OK/);
  assert.match(ask("revogada"), /: revoked\n[^]*Response verify OK/);
});

test("the time stamp authority signs a digest", async () => {
  const file = (/** @type {string} */ name) => join(pki.folder, name);
  writeFileSync(file("stamped.txt"), "documento de TESTE");
  runOk("openssl", ["ts", "-query", "-data", file("stamped.txt"), "-sha256", "-cert", "-out", file("query.tsq")]);
  const response = await fetch(`${url}/test/tsa/tsa`, {
    method: "POST", headers: { "Content-Type": "application/timestamp-query" }, body: readFileSync(file("query.tsq")),
  });
  writeFileSync(file("reply.tsr"), Buffer.from(await response.arrayBuffer()));
  const { output } = runOk("openssl", [
    "ts", "-verify", "-in", file("reply.tsr"), "-queryfile", file("query.tsq"), "-CAfile", pki.root, "-untrusted", pki.chain,
  ]);
  assert.match(output, /Verification: OK/);
  const policies = runOk("openssl", ["x509", "-in", pki.certificate("tsa"), "-noout", "-ext", "certificatePolicies"]).stdout;
  assert.match(policies, /2\.16\.76\.1\.2\.303\./, "type T3");
});

/** Where the DER inside the subject alternative name starts. @param {string} holder */
function sanOffset(holder) {
  const lines = runOk("openssl", ["asn1parse", "-in", pki.certificate(holder)]).stdout.split("\n");
  const at = lines.findIndex((line) => line.includes("X509v3 Subject Alternative Name"));
  return /** @type {string} */ (lines[at + 1]?.match(/^\s*(\d+):/)?.[1]);
}
