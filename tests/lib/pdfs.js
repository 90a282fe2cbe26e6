// The set of PDFs that is signed. Written by hand and rewritten by qpdf, so that none of them has seen our own writer.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { runOk } from "./tools.js";

/**
 * Writes the set into a folder.
 * @param {string} folder
 * @returns {Record<"plain" | "form" | "objectStreams" | "linearised" | "linearisedObjectStreams" | "crlf" | "encrypted" | "truncated" | "notPdf", string>} paths
 */
export function writePdfs(folder) {
  const file = (/** @type {string} */ name) => join(folder, name);
  const rewrite = (/** @type {string} */ from, /** @type {string} */ name, /** @type {string[]} */ ...options) => {
    runOk("qpdf", [...options, from, file(name)]);
    return file(name);
  };
  const plain = file("plain.pdf");
  writeFileSync(plain, plainPdf());
  const form = file("form.pdf");
  writeFileSync(form, formPdf());
  const crlf = file("crlf.pdf");
  writeFileSync(crlf, assemble(contractObjects(), "\r\n"));
  const truncated = file("truncated.pdf");
  writeFileSync(truncated, plainPdf().subarray(0, 700));
  const notPdf = file("letter.pdf");
  writeFileSync(notPdf, "Prezado cliente, este arquivo de TESTE não é um PDF.\n");
  return {
    plain,
    form,
    crlf,
    truncated,
    notPdf,
    objectStreams: rewrite(form, "object-streams.pdf", "--object-streams=generate"),
    linearised: rewrite(plain, "linearised.pdf", "--linearize"),
    linearisedObjectStreams: rewrite(form, "linearised-object-streams.pdf", "--linearize", "--object-streams=generate"),
    encrypted: rewrite(plain, "encrypted.pdf", "--encrypt", "segredo", "dono", "256", "--"),
  };
}

/** Two pages of text with a classic cross-reference table. @returns {Buffer} */
export function plainPdf() {
  return assemble(contractObjects(), "\n");
}

/** One page with a filled text field. @returns {Buffer} */
function formPdf() {
  const objects = contractObjects();
  objects[0] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R] /DR << /Font << /F1 3 0 R >> >> /DA (/F1 11 Tf 0 g) >> >>";
  objects[3] = objects[3]?.replace("/Contents", "/Annots [8 0 R] /Contents") ?? "";
  objects.push(
    "<< /Type /Annot /Subtype /Widget /FT /Tx /T (nome) /V (Maria TESTE) /F 4 /P 4 0 R /Rect [72 600 300 620] /AP << /N 9 0 R >> >>",
    stream("/Type /XObject /Subtype /Form /BBox [0 0 228 20] /Resources << /Font << /F1 3 0 R >> >>", "BT /F1 11 Tf 2 6 Td (Maria TESTE) Tj ET"),
  );
  return assemble(objects, "\n");
}

/** @returns {string[]} objects 1, 2, 3, … */
function contractObjects() {
  const page = (/** @type {number} */ contents) =>
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${contents} 0 R >>`;
  return [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [4 0 R 5 0 R] /Count 2 >>",
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    page(6),
    page(7),
    stream("", "BT /F1 18 Tf 72 760 Td (Contrato de TESTE, primeira folha) Tj ET"),
    stream("", "BT /F1 18 Tf 72 760 Td (Contrato de TESTE, segunda folha) Tj ET"),
  ];
}

/** @param {string} entries @param {string} content */
function stream(entries, content) {
  return `<< /Length ${content.length} ${entries} >>\nstream\n${content}\nendstream`;
}

/** @param {string[]} objects @param {"\n" | "\r\n"} end @returns {Buffer} */
function assemble(objects, end) {
  let text = `%PDF-1.7${end}%\xe2\xe3\xcf\xd3${end}`;
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj${end}${object}${end}endobj${end}`;
    return offset;
  });
  const start = text.length;
  // Entries are twenty bytes whatever the line ends elsewhere (ISO 32000-2 §7.5.4).
  const entryEnd = end === "\n" ? " \n" : "\r\n";
  const entry = (/** @type {number} */ offset) => `${String(offset).padStart(10, "0")} 00000 n${entryEnd}`;
  text += `xref${end}0 ${objects.length + 1}${end}0000000000 65535 f${entryEnd}${offsets.map(entry).join("")}`;
  text += `trailer${end}<< /Size ${objects.length + 1} /Root 1 0 R /ID [<${"5445535445".repeat(3)}31> <${"5445535445".repeat(3)}32>] >>${end}`;
  return Buffer.from(`${text}startxref${end}${start}${end}%%EOF${end}`, "latin1");
}
