// Foreign programs that judge a signature. Each gives a verdict; none of them shares code with the project.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { temporaryFolder } from "./folders.js";
import { readSignedPdf } from "./signed-pdf.js";
import { python, run } from "./tools.js";

/**
 * @typedef {{ accepted: boolean, detail: string }} Verdict
 */

/**
 * poppler: every signature valid and the last one over the whole file. Its own trust store is left out.
 * @param {string} pdf
 * @returns {Verdict}
 */
export function pdfsig(pdf) {
  const { code, output } = run("pdfsig", ["-nocert", pdf]);
  const verdicts = [...output.matchAll(/Signature Validation: (.*)/g)].map((match) => match[1]);
  const accepted =
    code === 0 && verdicts.length > 0 && verdicts.every((verdict) => verdict === "Signature is Valid.") &&
    lastSignature(output).includes("Total document signed");
  return { accepted, detail: output };
}

/** @param {string} output */
function lastSignature(output) {
  return output.slice(output.lastIndexOf("Signature #"));
}

/**
 * pyHanko: AdES validation of every signature, trust and later changes included.
 * @param {string} pdf
 * @param {string} root PEM file of the trust anchor
 * @returns {Verdict}
 */
export function pyhankoPdf(pdf, root) {
  const { code, output } = run(python("pyhanko"), ["sign", "adesverify", ...pyhankoTrust(root), "--executive-summary", pdf]);
  const lines = output.split("\n").filter((line) => /:(IN)?VALID/.test(line));
  return { accepted: code === 0 && lines.length > 0 && lines.every((line) => /:VALID/.test(line)), detail: output };
}

/**
 * pyHanko over a detached CMS.
 * @param {string} cms DER file
 * @param {string} content
 * @param {string} root
 * @returns {Verdict}
 */
export function pyhankoDetached(cms, content, root) {
  const { code, output } = run(python("pyhanko"), [
    "sign", "validate", ...pyhankoTrust(root), "--executive-summary", "--detached", cms, content,
  ]);
  return { accepted: code === 0 && /VALID/.test(output) && !/INVALID/.test(output), detail: output };
}

/** @param {string} root */
function pyhankoTrust(root) {
  return ["--trust", root, "--trust-replace", "--no-revocation-check"];
}

/**
 * openssl: CMS, ESS signing certificate and chain.
 * @param {string} cms DER file
 * @param {string} content
 * @param {string} root
 * @returns {Verdict}
 */
export function opensslDetached(cms, content, root) {
  const { code, output } = run("openssl", [
    "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", cms, "-content", content, "-CAfile", root, "-out", "/dev/null",
  ]);
  return { accepted: code === 0 && /successful/i.test(output), detail: output };
}

/**
 * The same over the last signature of a PDF: its CMS is cut out by the ByteRange.
 * @param {string} pdf
 * @param {string} root
 * @returns {Verdict}
 */
export function opensslPdf(pdf, root) {
  const folder = temporaryFolder("openssl");
  /** @type {import("./signed-pdf.js").SignedPdf} */
  let signed;
  try {
    signed = readSignedPdf(pdf);
  } catch (error) {
    return { accepted: false, detail: String(error) };
  }
  writeFileSync(join(folder, "signature.der"), signed.cms);
  writeFileSync(join(folder, "content.bin"), signed.content);
  return opensslDetached(join(folder, "signature.der"), join(folder, "content.bin"), root);
}

/**
 * qpdf: structure only. 0 is clean, 3 means warnings, 2 errors.
 * @param {string} pdf
 * @returns {number}
 */
export function qpdfCheck(pdf) {
  return run("qpdf", ["--check", pdf]).code;
}

/**
 * A copy of a file with one byte changed.
 * @param {string} file
 * @param {number} offset
 * @returns {string} path of the copy
 */
export function flipped(file, offset) {
  return changed(file, offset, (byte) => byte ^ 1);
}

/**
 * A copy of a PDF with one hexadecimal digit changed into another one: the structure stays, the CMS does not.
 * @param {string} file
 * @param {number} offset
 * @returns {string} path of the copy
 */
export function flippedHexDigit(file, offset) {
  return changed(file, offset, (byte) => {
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(digit)) throw new Error(`byte ${offset} of ${file} is not a hexadecimal digit`);
    return (digit ^ 1).toString(16).charCodeAt(0);
  });
}

/** @param {string} file @param {number} offset @param {(byte: number) => number} change */
function changed(file, offset, change) {
  const bytes = readFileSync(file);
  const before = bytes[offset];
  if (before === undefined) throw new Error(`${file} has no byte ${offset}`);
  bytes[offset] = change(before);
  const copy = join(temporaryFolder("flipped"), `flipped-${offset}-${basename(file)}`);
  writeFileSync(copy, bytes);
  return copy;
}
