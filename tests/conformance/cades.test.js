// What we sign, others accept; what was changed afterwards, others refuse. Detached CMS.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { writePdfs } from "../lib/pdfs.js";
import { testPki } from "../lib/pki.js";
import { FAILED, MISUSE, PASSED, sign, verify } from "../lib/rubrica.js";
import { flipped, opensslDetached, pyhankoDetached } from "../lib/validators.js";

const pki = testPki();
const folder = temporaryFolder("cades");
const pdfs = writePdfs(folder);
const binary = join(folder, "dados.bin");
// Line ends of both kinds and every byte value: nothing may be canonicalised on the way.
writeFileSync(binary, Buffer.concat([Buffer.from("TESTE\r\nTESTE\n"), Buffer.from(Array.from({ length: 256 }, (_, i) => i))]));
const empty = join(folder, "vazio.txt");
writeFileSync(empty, "");

describe("every kind of content and holder", () => {
  const table = /** @type {const} */ ([
    ["binary", binary, "pessoa-antiga"],
    ["binary, P-256", binary, "curva-p256"],
    ["text", pdfs.notPdf, "pessoa-antiga"],
    ["PDF", pdfs.plain, "empresa-antiga"],
    ["encrypted PDF", pdfs.encrypted, "pessoa-antiga"],
  ]);
  for (const [name, content, holder] of table) {
    test(name, () => assertVerdicts(signed(content, holder), content, true));
  }

  test("an empty file", () => {
    // pyHanko does not open empty files.
    const cms = signed(empty, "pessoa-antiga");
    assert.ok(opensslDetached(cms, empty, pki.root).accepted);
    assert.equal(verify(cms, pki.root, ["--content", empty]).code, PASSED);
  });
});

describe("one changed byte is refused by everybody", () => {
  test("in the content", () => {
    const cms = signed(binary, "pessoa-antiga");
    assertVerdicts(cms, flipped(binary, 0), false);
    assertVerdicts(cms, flipped(binary, readFileSync(binary).length - 1), false);
  });

  test("in the signature value", () => {
    const cms = signed(binary, "pessoa-antiga");
    assertVerdicts(flipped(cms, readFileSync(cms).length - 10), binary, false);
  });

  test("in the signed attributes", () => {
    const cms = signed(binary, "pessoa-antiga");
    const attribute = readFileSync(cms).lastIndexOf(Buffer.from("2a864886f70d010904", "hex"));
    assertVerdicts(flipped(cms, attribute + 9 + 4 + 5), binary, false);
  });
});

test("another file does not match", () => {
  assertVerdicts(signed(binary, "pessoa-antiga"), pdfs.plain, false);
});

test("the content stays outside", () => {
  const text = "conteúdo que não pode estar na assinatura TESTE";
  const content = join(folder, "segredo.txt");
  writeFileSync(content, text);
  assert.equal(readFileSync(signed(content, "pessoa-antiga")).includes(text), false);
});

/** @param {string} content @param {string} holder @returns {string} path of the CMS */
function signed(content, holder) {
  const out = join(temporaryFolder("signed"), "signed.p7s");
  const options = ["--format", "cades"];
  const result = sign({ files: [content], out, p12: pki.p12(holder), password: pki.password, options });
  assert.equal(result.code, 0, result.output);
  return out;
}

/** @param {string} cms @param {string} content @param {boolean} expected */
function assertVerdicts(cms, content, expected) {
  const openssl = opensslDetached(cms, content, pki.root);
  assert.equal(openssl.accepted, expected, `openssl: ${openssl.detail}`);
  const pyhanko = pyhankoDetached(cms, content, pki.root);
  assert.equal(pyhanko.accepted, expected, `pyHanko: ${pyhanko.detail}`);
  const own = verify(cms, pki.root, ["--content", content]);
  if (expected) assert.equal(own.code, PASSED, own.output);
  else assert.ok(own.code === FAILED || own.code === MISUSE, `rubrica verify: exit code ${own.code}\n${own.output}`);
}
