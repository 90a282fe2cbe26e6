// Every shape of PDF that is signed. None of them has seen our own writer, but the one that says so.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { plainPdf, writePdfs } from "../lib/pdfs.js";
import { sign } from "../lib/rubrica.js";
import { python, runOk } from "../lib/tools.js";

/** @typedef {import("../lib/pki.js").Pki} Pki */

/**
 * One document.
 * @typedef {object} Input
 * @property {string} file
 * @property {string[]} [options] of `rubrica sign`
 * @property {string} [password] to open it
 * @property {number} [signatures] that are there already
 */

/**
 * Writes all of them.
 * @param {string} folder
 * @param {Pki} pki
 * @returns {Record<string, Input>}
 */
export function writeInputs(folder, pki) {
  const { plain, crlf, form, objectStreams, linearised, linearisedObjectStreams } = writePdfs(folder);
  const qpdf = (/** @type {string} */ name, /** @type {string[]} */ ...options) => {
    const file = join(folder, `${name}.pdf`);
    runOk("qpdf", [...options, file]);
    return file;
  };
  const pyhanko = (/** @type {string} */ name, /** @type {string[]} */ ...options) => {
    const file = join(folder, `${name}.pdf`);
    const key = ["pkcs12", "--passfile", pki.passwordFile, plain, file, pki.p12("empresa-antiga")];
    runOk(python("pyhanko"), ["sign", "addsig", "--field", "Primeira", "--use-pades", ...options, ...key]);
    return file;
  };
  const oursFirst = join(folder, "ours-first.pdf");
  const first = sign({ files: [plain], out: oursFirst, p12: pki.p12("empresa-nova"), password: pki.password });
  if (first.code !== 0) throw new Error(first.output);
  const field = join(folder, "field.pdf");
  runOk(python("pyhanko"), ["sign", "addfields", "--field", "1/50,50,250,110/Assinatura", plain, field]);
  const hybrid = join(folder, "hybrid.pdf");
  writeFileSync(hybrid, hybridPdf());
  const rotated = qpdf("rotated", "--rotate=+90", plain);
  const pages = Array.from({ length: 50 }, () => [plain]).flat();

  return {
    table: { file: plain },
    crlf: { file: crlf },
    form: { file: form },
    "object streams": { file: objectStreams },
    linearised: { file: linearised },
    "linearised, object streams": { file: linearisedObjectStreams },
    "PDF 2.0": { file: qpdf("version-2", "--force-version=2.0", plain) },
    "PDF 1.4": { file: qpdf("version-1-4", "--force-version=1.4", plain) },
    rotated: { file: rotated },
    "100 pages": { file: qpdf("pages", plain, "--pages", ...pages, "--") },
    uncompressed: { file: qpdf("uncompressed", "--stream-data=uncompress", "--object-streams=disable", form) },
    hybrid: { file: hybrid },
    "RC4-128": { file: qpdf("rc4", "--allow-weak-crypto", plain, "--encrypt", "", "dono", "128", "--use-aes=n", "--") },
    "AES-128": { file: qpdf("aes-128", "--allow-weak-crypto", plain, "--encrypt", "", "dono", "128", "--use-aes=y", "--") },
    "AES-256": { file: qpdf("aes-256", plain, "--encrypt", "", "dono", "256", "--") },
    "AES-256, object streams": { file: qpdf("aes-256-os", "--object-streams=generate", form, "--encrypt", "", "dono", "256", "--") },
    "signed by pyHanko": { file: pyhanko("pyhanko-first"), signatures: 1 },
    "certified by pyHanko, P=2": { file: pyhanko("pyhanko-certified", "--certify"), signatures: 1 },
    "signed by us": { file: oursFirst, signatures: 1 },
    "empty signature field": { file: field },
    "that field, by its name": { file: field, options: ["--field", "Assinatura", "--visible", "field"] },
    visible: { file: plain, options: ["--visible", "1:50,50,200,80"] },
    "visible, rotated": { file: rotated, options: ["--visible", "2:50,50,200,80"] },
    "certified by us, P=2": { file: plain, options: ["--certify", "2"] },
  };
}

/**
 * A file with a table for old readers and a cross-reference stream that shows an object more (ISO 32000-2 §7.5.8.4).
 * @returns {Buffer}
 */
function hybridPdf() {
  const plain = plainPdf();
  const text = plain.toString("latin1");
  const [table, start] = /** @type {[number, number]} */ ([text.lastIndexOf("xref\n0"), text.lastIndexOf("startxref")]);
  const size = Number(/\/Size (\d+)/.exec(text)?.[1]);
  const hidden = Buffer.from(`${size} 0 obj\n<< /Type /Metadata /Text (TESTE) >>\nendobj\n`, "latin1");
  const streamAt = table + hidden.length;
  const rows = Buffer.alloc(14);
  for (const [i, offset] of [table, streamAt].entries()) {
    rows.writeUInt8(1, 7 * i);
    rows.writeUInt32BE(offset, 7 * i + 1);
  }
  const head = `${size + 1} 0 obj\n<< /Type /XRef /Size ${size + 2} /W [1 4 2] /Index [${size} 2] /Length 14 >>\nstream\n`;
  const stream = Buffer.concat([Buffer.from(head, "latin1"), rows, Buffer.from("\nendstream\nendobj\n", "latin1")]);
  const newTable = streamAt + stream.length;
  const tail = text.slice(table, start).replace(/\/Size \d+/, `/Size ${size + 2} /XRefStm ${streamAt}`);
  return Buffer.concat([
    plain.subarray(0, table), hidden, stream, Buffer.from(`${tail}startxref\n${newTable}\n%%EOF\n`, "latin1"),
  ]);
}
