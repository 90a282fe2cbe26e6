// pyHanko signs at every level, with the authorities of the test PKI, and we accept.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { writePdfs } from "../lib/pdfs.js";
import { runAside } from "../lib/parallel.js";
import { FAILED, MISUSE, PASSED } from "../lib/rubrica.js";
import { startServices } from "../lib/services.js";
import { readSignedPdf } from "../lib/signed-pdf.js";
import { python, rubrica } from "../lib/tools.js";
import { flipped } from "../lib/validators.js";

const services = await startServices();
after(() => services.stop());
const { pki } = services;
const pdfs = writePdfs(temporaryFolder("reverse-levels"));

const stamped = ["--use-pades", "--timestamp-url", services.tsa];
const withEvidence = [...stamped, "--with-validation-info", "--trust", pki.root, "--trust-replace"];
const LEVELS = /** @type {const} */ ([
  ["T", stamped],
  ["LT", withEvidence],
  ["LTA", [...withEvidence, "--use-pades-lta"]],
]);

for (const [level, options] of LEVELS) {
  for (const [kind, holder] of /** @type {const} */ ([["plain", "pessoa-antiga"], ["objectStreams", "curva-p256"]])) {
    test(`${level}, ${kind}, ${holder}`, async () => {
      const file = join(temporaryFolder("pyhanko"), "signed.pdf");
      const signed = await runAside(python("pyhanko"), [
        "sign", "addsig", "--field", "Primeira", ...options,
        "pkcs12", "--passfile", pki.passwordFile, pdfs[kind], file, pki.p12(holder),
      ]);
      assert.equal(signed.code, 0, signed.output);

      // Revocation apart: lists of the test PKI appear at midnight, and about the signer we want one from after the
      // signature.
      const { code, output } = await verify(file);
      assert.equal(code, PASSED, output);
      assert.match(output, /time stamp issued by Carimbo do Tempo TEST/);
      assert.equal(/adds validation data/.test(output), level !== "T", output);
      assert.equal(/adds a document time stamp/.test(output), level === "LTA", output);

      const { byteRange } = readSignedPdf(file, level === "LTA" ? 1 : 0);
      const broken = await verify(flipped(file, Math.floor(byteRange[1] / 3)));
      assert.ok([FAILED, MISUSE].includes(broken.code), broken.output);
    });
  }
}

/** @param {string} file */
function verify(file) {
  return runAside(rubrica(), ["verify", file, "--trust", pki.root, "--without-revocation", "--language", "en"]);
}
