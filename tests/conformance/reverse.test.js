// What others sign, we accept; what was changed afterwards, or is not trusted, we do not.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { writePdfs } from "../lib/pdfs.js";
import { testPki } from "../lib/pki.js";
import { FAILED, INDETERMINATE, MISUSE, PASSED, verify } from "../lib/rubrica.js";
import { readSignedPdf } from "../lib/signed-pdf.js";
import { python, runOk } from "../lib/tools.js";
import { flipped, flippedHexDigit } from "../lib/validators.js";

const pki = testPki();
const pdfs = writePdfs(temporaryFolder("reverse"));

describe("pyHanko signs a PDF", () => {
  const table = /** @type {const} */ ([
    ["plain", "pessoa-antiga", ["--use-pades"]],
    ["form", "empresa-nova", ["--use-pades"]],
    ["objectStreams", "curva-p256", ["--use-pades"]],
    ["linearised", "selo", ["--use-pades"]],
    ["plain", "pessoa-nova", []],
    ["plain", "pessoa-nova", ["--use-pades", "--certify"]],
  ]);
  for (const [kind, holder, options] of table) {
    test(`${kind}, ${holder} ${options.join(" ")}`, () => {
      const file = pyhankoSigns(pdfs[kind], holder, [...options]);
      assertCode(verify(file, pki.root), [PASSED]);
      const { byteRange, cms, cmsOffset } = readSignedPdf(file);
      assertCode(verify(flipped(file, Math.floor(byteRange[1] / 3)), pki.root), [FAILED, MISUSE]);
      assertCode(verify(flippedHexDigit(file, cmsOffset + 2 * (cms.length - 10)), pki.root), [FAILED, MISUSE]);
    });
  }

  test("twice", () => {
    const first = pyhankoSigns(pdfs.plain, "pessoa-antiga", ["--use-pades"]);
    const second = pyhankoSigns(first, "empresa-antiga", ["--use-pades"], "Segunda");
    assertCode(verify(second, pki.root), [PASSED]);
    assertCode(verify(flipped(second, 400), pki.root), [FAILED, MISUSE]);
    assertCode(verify(flipped(second, readFileSync(first).length + 200), pki.root), [FAILED, MISUSE]);
  });

  test("under a root that is not trusted", () => {
    const file = pyhankoSigns(pdfs.plain, "estranha", ["--use-pades"]);
    assertCode(verify(file, pki.root), [INDETERMINATE]);
    assertCode(verify(file, pki.foreignRoot), [PASSED]);
  });

  test("with a certificate that had expired", () => {
    const file = pyhankoSigns(pdfs.plain, "vencida", ["--use-pades"]);
    assertCode(verify(file, pki.root), [FAILED, INDETERMINATE]);
  });
});

describe("openssl signs a file", () => {
  for (const holder of ["pessoa-antiga", "curva-p256"]) {
    test(holder, () => {
      const cms = join(temporaryFolder("openssl"), "signed.p7s");
      runOk("openssl", [
        "cms", "-sign", "-cades", "-binary", "-md", "sha256", "-in", pdfs.plain, "-signer", pki.certificate(holder),
        "-inkey", join(pki.folder, "keys", `${holder}.pem`), "-certfile", pki.chain, "-outform", "DER", "-out", cms,
      ]);
      assertCode(verify(cms, pki.root, ["--content", pdfs.plain]), [PASSED]);
      assertCode(verify(cms, pki.root, ["--content", pdfs.form]), [FAILED]);
      assertCode(verify(flipped(cms, readFileSync(cms).length - 20), pki.root, ["--content", pdfs.plain]), [FAILED, MISUSE]);
    });
  }
});

/** @param {string} pdf @param {string} holder @param {string[]} options @param {string} [field] */
function pyhankoSigns(pdf, holder, options, field = "Primeira") {
  const out = join(temporaryFolder("pyhanko"), "signed.pdf");
  const key = ["pkcs12", "--passfile", pki.passwordFile, pdf, out, pki.p12(holder)];
  runOk(python("pyhanko"), ["sign", "addsig", "--field", field, ...options, ...key]);
  return out;
}

/** @param {import("../lib/tools.js").Result} result @param {number[]} allowed */
function assertCode({ code, output }, allowed) {
  assert.ok(allowed.includes(code), `exit code ${code}, expected ${allowed.join(" or ")}\n${output}`);
}
