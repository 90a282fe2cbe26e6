// Web PKI simulator (TEST): the little of DER that a certificate needs. Independent of the project's own
// parser on purpose: the simulator must not repeat its mistakes.

/**
 * One element.
 * @typedef {{ tag: number, content: Uint8Array, end: number }} Element
 */

/**
 * @param {Uint8Array} bytes
 * @param {number} [start]
 * @returns {Element}
 */
export function read(bytes, start = 0) {
  let at = start;
  const byte = () => {
    if (at >= bytes.length) throw new Error("DER ends early");
    return /** @type {number} */ (bytes[at++]);
  };
  const tag = byte();
  if ((tag & 0x1f) === 0x1f) throw new Error("long tags do not occur in certificates");
  let length = byte();
  if (length > 0x80) {
    let count = length & 0x7f;
    if (count > 4) throw new Error("DER length is too long");
    for (length = 0; count > 0; count--) length = length * 256 + byte();
  } else if (length === 0x80) {
    throw new Error("indefinite length is not DER");
  }
  if (at + length > bytes.length) throw new Error("DER ends early");
  return { tag, content: bytes.subarray(at, at + length), end: at + length };
}

/**
 * The elements inside a constructed one.
 * @param {Uint8Array} content
 * @returns {Element[]}
 */
export function children(content) {
  const elements = [];
  for (let at = 0; at < content.length; ) {
    const element = read(content, at);
    elements.push(element);
    at = element.end;
  }
  return elements;
}

/**
 * @param {Uint8Array} content content octets of an OBJECT IDENTIFIER
 * @returns {string} dotted
 */
export function oid(content) {
  const arcs = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const first = /** @type {number} */ (arcs.shift());
  const root = Math.min(Math.floor(first / 40), 2);
  return [root, first - root * 40, ...arcs].join(".");
}

/**
 * Text of any of the string types, by their tag: BMPString, UTF8String, else Latin-1 (Printable, IA5, T61, OCTET STRING).
 * @param {Element} element
 * @returns {string}
 */
export function text({ tag, content }) {
  if (tag === 0x0c) return new TextDecoder().decode(content);
  if (tag === 0x1e) return new TextDecoder("utf-16be").decode(content);
  return new TextDecoder("latin1").decode(content);
}

/**
 * UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5).
 * @param {Element} element
 * @returns {string} `2025-01-31T00:00:00Z`
 */
export function time({ tag, content }) {
  const digits = new TextDecoder("latin1").decode(content);
  const full = tag === 0x17 ? (Number(digits.slice(0, 2)) < 50 ? "20" : "19") + digits : digits;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (!match) throw new Error(`not a time of a certificate: ${digits}`);
  const [, year, month, day, hour, minute, second] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}
