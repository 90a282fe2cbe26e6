// Bad input: the right exit code, one line that says what and what to do, no backtrace, nothing half-written.

import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { plainPdf, writePdfs } from "../lib/pdfs.js";
import { testPki } from "../lib/pki.js";
import { assertRefusal, MISUSE, REFUSED, sign, verify } from "../lib/rubrica.js";
import { run, rubrica } from "../lib/tools.js";

const pki = testPki();
const folder = temporaryFolder("bad-input");
const pdfs = writePdfs(folder);
const password = pki.password;
const p12 = pki.p12("pessoa-antiga");
const file = (/** @type {string} */ name, /** @type {string | Buffer} */ content) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

describe("rubrica sign", () => {
  /** @type {[string, Partial<Parameters<typeof sign>[0]>, number, string][]} */
  const table = [
    ["not a PDF", { files: [pdfs.notPdf] }, MISUSE, "not_a_pdf"],
    ["an empty file", { files: [file("empty.pdf", "")] }, MISUSE, "not_a_pdf"],
    ["an encrypted PDF", { files: [pdfs.encrypted] }, MISUSE, "pdf_encrypted"],
    ["a truncated PDF", { files: [pdfs.truncated] }, MISUSE, "pdf_damaged"],
    ["a PDF of zeros behind its header", { files: [file("zeros.pdf", Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(5000)]))] }, MISUSE, "pdf_damaged"],
    ["a missing file", { files: [join(folder, "nowhere.pdf")] }, MISUSE, "file_unreadable"],
    ["a folder in place of the file", { files: [folder] }, MISUSE, "file_unreadable"],
    ["an expired certificate", { p12: pki.p12("vencida") }, REFUSED, "certificate_expired"],
    ["a certificate of the future", { p12: pki.p12("futura") }, REFUSED, "certificate_not_yet_valid"],
    ["a certificate for encryption", { p12: pki.p12("uso-errado") }, REFUSED, "certificate_wrong_usage"],
    ["a wrong password", { password: "errada" }, MISUSE, "wrong_password"],
    ["a wrong password for an old file", { password: "errada", p12: pki.legacyP12("pessoa-antiga") }, MISUSE, "wrong_password"],
    ["a PKCS#12 file that is none", { p12: pdfs.plain }, MISUSE, "p12_malformed"],
    ["a missing PKCS#12 file", { p12: join(folder, "nowhere.p12") }, MISUSE, "file_unreadable"],
    ["an output folder that is not there", { out: join(folder, "nowhere", "signed.pdf") }, MISUSE, "file_unwritable"],
  ];
  for (const [name, change, code, errorCode] of table) {
    test(name, () => {
      const place = temporaryFolder("out");
      const result = sign({ files: [pdfs.plain], out: join(place, "signed.pdf"), p12, password, ...change });
      assertRefusal(result, code, errorCode);
      assert.deepEqual(readdirSync(place), [], "no file is left behind");
    });
  }

  test("an output folder that is a file", () => {
    const place = join(temporaryFolder("out"), "is-a-file");
    writeFileSync(place, "");
    const result = sign({ files: [pdfs.plain], out: join(place, "signed.pdf"), p12, password });
    assertRefusal(result, MISUSE, "file_unwritable");
  });

  test("the input is never written over", () => {
    const original = file("same.pdf", plainPdf());
    const result = sign({ files: [original], out: join(folder, "nowhere-else", "x.pdf"), p12, password });
    assert.notEqual(result.code, 0);
    assert.deepEqual(run("qpdf", ["--check", original]).code, 0);
  });

  test("a call without key", () => {
    const result = run(rubrica(), ["sign", pdfs.plain, "-o", join(folder, "unsigned.pdf")]);
    assert.equal(result.code, MISUSE, result.output);
    assert.doesNotMatch(result.output, /panicked|stack backtrace/);
  });

  test("the password never shows", () => {
    const result = sign({ files: [pdfs.plain], out: join(folder, "p.pdf"), p12, password: "senha-que-ninguem-ve" });
    assert.doesNotMatch(result.output, /senha-que-ninguem-ve/);
  });
});

describe("rubrica verify", () => {
  /** @type {[string, string, string[], string][]} */
  const table = [
    ["a PDF without signature", pdfs.plain, [], "not_signed"],
    ["a truncated PDF", pdfs.truncated, [], "pdf_damaged"],
    ["a missing file", join(folder, "nowhere.pdf"), [], "file_unreadable"],
    ["a CMS that is none", file("none.p7s", Buffer.from("3003020101", "hex")), ["--content", pdfs.plain], "cms_malformed"],
  ];
  for (const [name, path, options, errorCode] of table) {
    test(name, () => assertRefusal(verify(path, pki.root, options), MISUSE, errorCode));
  }

  test("a detached signature without its content", () => {
    const out = join(temporaryFolder("out"), "signed.p7s");
    const options = ["--format", "cades"];
    assert.equal(sign({ files: [pdfs.plain], out, p12, password, options }).code, 0);
    assertRefusal(verify(out, pki.root), MISUSE, "content_required");
  });

  test("a missing trust file", () => {
    const out = join(temporaryFolder("out"), "signed.pdf");
    assert.equal(sign({ files: [pdfs.plain], out, p12, password }).code, 0);
    assertRefusal(verify(out, join(folder, "nowhere.pem")), MISUSE, "file_unreadable");
  });
});
