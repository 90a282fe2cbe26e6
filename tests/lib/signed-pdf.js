// The little that tests need to know about a signed PDF: where the last signature and its CMS are.

import { readFileSync } from "node:fs";

/**
 * @typedef {object} SignedPdf
 * @property {Buffer} bytes
 * @property {[number, number, number, number]} byteRange of the last signature
 * @property {Buffer} content the bytes that the signature covers
 * @property {Buffer} cms DER, without the zeros behind it
 * @property {number} cmsOffset where its hexadecimal digits begin
 */

/**
 * @param {string | Buffer} source path or bytes
 * @param {number} [behind] signatures behind the wanted one
 * @returns {SignedPdf}
 */
export function readSignedPdf(source, behind = 0) {
  const bytes = typeof source === "string" ? readFileSync(source) : source;
  const matches = [...bytes.toString("latin1").matchAll(/\/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]/g)];
  const last = matches.at(-1 - behind);
  if (!last) throw new Error("the PDF carries no signature");
  const [a, b, c, d] = /** @type {[number, number, number, number]} */ (last.slice(1, 5).map(Number));
  const hex = bytes.subarray(a + b + 1, c - 1).toString("latin1");
  const padded = Buffer.from(hex, "hex");
  const cms = padded.subarray(0, derLength(padded));
  const content = Buffer.concat([bytes.subarray(a, a + b), bytes.subarray(c, c + d)]);
  return { bytes, byteRange: [a, b, c, d], content, cms, cmsOffset: a + b + 1 };
}

/** @param {Buffer} der @returns {number} length of the first element with its header */
function derLength(der) {
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  return 2 + count + der.readUIntBE(2, count);
}
