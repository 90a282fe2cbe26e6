// What we sign, others accept; what was changed afterwards, others refuse. PDF.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { writePdfs } from "../lib/pdfs.js";
import { testPki } from "../lib/pki.js";
import { FAILED, MISUSE, PASSED, sign, verify } from "../lib/rubrica.js";
import { readSignedPdf } from "../lib/signed-pdf.js";
import { python, ROOT, runOk } from "../lib/tools.js";
import { flipped, flippedHexDigit, opensslPdf, pdfsig, pyhankoPdf, qpdfCheck } from "../lib/validators.js";

const pki = testPki();
const folder = temporaryFolder("pades");
const pdfs = writePdfs(folder);
const DEMO = join(ROOT, "demo-site", "public", "documents", "proposta-credito.pdf");

describe("every kind of PDF", () => {
  const kinds = /** @type {const} */ (["plain", "crlf", "form", "objectStreams", "linearised", "linearisedObjectStreams"]);
  for (const kind of kinds) test(kind, () => assertAccepted(signed(pdfs[kind], "pessoa-antiga"), pdfs[kind]));
  test("a document of the demo portal", () => assertAccepted(signed(DEMO, "pessoa-nova"), DEMO));
});

describe("every kind of holder", () => {
  for (const holder of ["pessoa-nova", "empresa-antiga", "empresa-nova", "curva-p256"]) {
    test(holder, () => assertAccepted(signed(pdfs.plain, holder), pdfs.plain));
  }

  test("a seal without nonRepudiation", () => {
    const file = signed(pdfs.plain, "selo");
    // pyHanko wants nonRepudiation unless told otherwise, which ICP-Brasil does not require: the others decide.
    assertVerdict(pdfsig(file), true, "pdfsig");
    assertVerdict(opensslPdf(file, pki.root), true, "openssl");
    assert.equal(verify(file, pki.root).code, PASSED);
  });

  test("a PKCS#12 file of an old tool", () => {
    const out = join(folder, "legacy.pdf");
    const result = sign({ files: [pdfs.plain], out, p12: pki.legacyP12("pessoa-nova"), password: pki.password });
    assert.equal(result.code, 0, result.output);
    assertAccepted(out, pdfs.plain);
  });
});

describe("signed twice", () => {
  for (const kind of /** @type {const} */ (["plain", "linearisedObjectStreams"])) {
    test(kind, () => {
      const first = signed(pdfs[kind], "pessoa-antiga");
      const second = signed(first, "empresa-antiga");
      const bytes = readFileSync(second);
      assert.ok(bytes.subarray(0, readFileSync(first).length).equals(readFileSync(first)), "the first revision is untouched");
      assertAccepted(second, pdfs[kind]);
      assert.equal([...bytes.toString("latin1").matchAll(/\/ByteRange/g)].length, 2);
      const within = Math.floor(readSignedPdf(first).byteRange[1] / 2);
      assertRefused(flipped(second, within), "in what both signed");
    });
  }

  test("pyHanko signs behind us and both hold", () => {
    const first = signed(pdfs.plain, "pessoa-antiga");
    const out = join(folder, "then-pyhanko.pdf");
    const call = ["sign", "addsig", "--field", "Segunda", "--use-pades", "pkcs12", "--passfile", pki.passwordFile];
    runOk(python("pyhanko"), [...call, first, out, pki.p12("pessoa-nova")]);
    assertAccepted(out, pdfs.plain);
  });
});

describe("one changed byte is refused by everybody", () => {
  const file = () => signed(pdfs.objectStreams, "pessoa-antiga");
  /** @type {Record<string, (file: string) => string>} */
  const places = {
    "in the document": (file) => flipped(file, Math.floor(readFileSync(pdfs.objectStreams).length / 2)),
    "in the first line": (file) => flipped(file, 6),
    "in the appended revision, before the signature": (file) => flipped(file, readSignedPdf(file).byteRange[1] - 40),
    "in the appended revision, behind the signature": (file) => flipped(file, readSignedPdf(file).byteRange[2] + 30),
    "in the signature value": (file) => {
      const { cms, cmsOffset } = readSignedPdf(file);
      return flippedHexDigit(file, cmsOffset + 2 * (cms.length - 10));
    },
    "in the signed message digest": (file) => {
      const { cms, cmsOffset } = readSignedPdf(file);
      const attribute = cms.indexOf(Buffer.from("2a864886f70d010904", "hex"));
      return flippedHexDigit(file, cmsOffset + 2 * (attribute + 9 + 4 + 5));
    },
  };
  for (const [place, change] of Object.entries(places)) test(place, () => assertRefused(change(file()), place));
});

test("the format is the one announced", () => {
  const file = signed(pdfs.plain, "pessoa-antiga");
  assert.match(pdfsig(file).detail, /Signature Type: ETSI\.CAdES\.detached/);
  assert.match(pdfsig(file).detail, /Signing Hash Algorithm: SHA-256/);
});

/** Signs and gives the path. @param {string} pdf @param {string} holder */
function signed(pdf, holder) {
  const out = join(temporaryFolder("signed"), "signed.pdf");
  const result = sign({ files: [pdf], out, p12: pki.p12(holder), password: pki.password });
  assert.equal(result.code, 0, result.output);
  return out;
}

/** @param {string} file @param {string} original */
function assertAccepted(file, original) {
  assertVerdict(pdfsig(file), true, "pdfsig");
  assertVerdict(pyhankoPdf(file, pki.root), true, "pyHanko");
  assertVerdict(opensslPdf(file, pki.root), true, "openssl");
  assert.equal(qpdfCheck(file), qpdfCheck(original), "qpdf finds the structure as sound as before");
  const result = verify(file, pki.root);
  assert.equal(result.code, PASSED, result.output);
}

/** @param {string} file @param {string} place */
function assertRefused(file, place) {
  assertVerdict(pdfsig(file), false, `pdfsig, ${place}`);
  assertVerdict(pyhankoPdf(file, pki.root), false, `pyHanko, ${place}`);
  const { code, output } = verify(file, pki.root);
  // Behind the signature the change may leave a file that cannot be read at all.
  assert.ok(code === FAILED || code === MISUSE, `rubrica verify, ${place}: exit code ${code}\n${output}`);
  assert.doesNotMatch(output, /panicked/);
  // openssl judges the last signature alone: for a file signed twice, that is the one that was changed as well.
  assertVerdict(opensslPdf(file, pki.root), false, `openssl, ${place}`);
}

/** @param {import("../lib/validators.js").Verdict} verdict @param {boolean} expected @param {string} who */
function assertVerdict(verdict, expected, who) {
  assert.equal(verdict.accepted, expected, `${who}: ${verdict.detail}`);
}
