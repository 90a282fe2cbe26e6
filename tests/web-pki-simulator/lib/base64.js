// Web PKI simulator (TEST): base64 as the wire uses it (standard alphabet, padded), base64url as JWK uses it.

const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/**
 * Refuses the URL alphabet, white space and missing padding with `undefined`.
 * @param {unknown} text
 * @returns {Uint8Array | undefined}
 */
export function fromBase64(text) {
  if (typeof text !== "string" || !STANDARD.test(text)) return undefined;
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/**
 * @param {string} text member of a JWK
 * @returns {bigint}
 */
export function integerFromBase64Url(text) {
  let value = 0n;
  for (const character of atob(text.replaceAll("-", "+").replaceAll("_", "/"))) {
    value = (value << 8n) | BigInt(character.charCodeAt(0));
  }
  return value;
}
