// Web PKI simulator (TEST): RSA PKCS#1 v1.5 over a ready digest (RFC 8017 §8.2), with software test keys.
// WebCrypto hashes by itself and so cannot do this; BigInt takes about 10 ms for 2048 bits. Not constant
// time and not meant to be: the keys are public test material.

import { integerFromBase64Url } from "./base64.js";

const SHA1 = { webCrypto: "SHA-1", length: 20, digestInfo: "3021300906052b0e03021a05000414" };
const SHA256 = { webCrypto: "SHA-256", length: 32, digestInfo: "3031300d060960864801650304020105000420" };
const SHA384 = { webCrypto: "SHA-384", length: 48, digestInfo: "3041300d060960864801650304020205000430" };
const SHA512 = { webCrypto: "SHA-512", length: 64, digestInfo: "3051300d060960864801650304020305000440" };

/** Digest algorithms by every name the protocol accepts, in lower case. */
const DIGESTS = new Map([
  ["sha-1", SHA1], ["sha1", SHA1], ["1.3.14.3.2.26", SHA1],
  ["sha-256", SHA256], ["sha256", SHA256], ["2.16.840.1.101.3.4.2.1", SHA256],
  ["sha-384", SHA384], ["sha384", SHA384], ["2.16.840.1.101.3.4.2.2", SHA384],
  ["sha-512", SHA512], ["sha512", SHA512], ["2.16.840.1.101.3.4.2.3", SHA512],
]);

/**
 * @param {string} name name or OID
 * @returns {{ webCrypto: string, length: number, digestInfo: string } | undefined}
 */
export function digestByName(name) {
  return DIGESTS.get(name.toLowerCase());
}

/**
 * An RSA key with its CRT members.
 * @typedef {{ n: bigint, e: bigint, p: bigint, q: bigint, dp: bigint, dq: bigint, qi: bigint, size: number }} RsaKey
 */

/**
 * @param {JsonWebKey} jwk private RSA key with CRT members
 * @returns {RsaKey | undefined} `undefined` for any other kind of key
 */
export function rsaKeyFromJwk(jwk) {
  const { kty, n, e, p, q, dp, dq, qi } = jwk;
  if (kty !== "RSA" || !n || !e || !p || !q || !dp || !dq || !qi) return undefined;
  const integer = integerFromBase64Url;
  const modulus = integer(n);
  return {
    n: modulus, e: integer(e), p: integer(p), q: integer(q), dp: integer(dp), dq: integer(dq), qi: integer(qi),
    size: Math.ceil(modulus.toString(16).length / 2),
  };
}

/**
 * Signs a digest and checks the result with the public key before it leaves.
 * @param {RsaKey} key
 * @param {{ length: number, digestInfo: string }} digest
 * @param {Uint8Array} value digest value, of `digest.length` bytes
 * @returns {Uint8Array} as long as the modulus
 */
export function signDigest(key, digest, value) {
  const message = encodeMessage(key.size, digest.digestInfo, value);
  const m1 = power(message % key.p, key.dp, key.p);
  const m2 = power(message % key.q, key.dq, key.q);
  const h = (key.qi * (((m1 - m2) % key.p) + key.p)) % key.p;
  const signature = m2 + key.q * h;
  if (power(signature, key.e, key.n) !== message) throw new Error("RSA self-check failed: the JWK is inconsistent");
  return bytesOf(signature, key.size);
}

/**
 * EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
 * @param {number} size @param {string} digestInfo @param {Uint8Array} value
 */
function encodeMessage(size, digestInfo, value) {
  const tail = digestInfo + hexOf(value);
  const padding = "ff".repeat(size - 3 - tail.length / 2);
  return BigInt(`0x0001${padding}00${tail}`);
}

/** @param {bigint} base @param {bigint} exponent @param {bigint} modulus */
function power(base, exponent, modulus) {
  let result = 1n;
  for (let b = base, e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % modulus;
    b = (b * b) % modulus;
  }
  return result;
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {bigint} integer @param {number} size */
function bytesOf(integer, size) {
  const hex = integer.toString(16).padStart(size * 2, "0");
  return Uint8Array.from({ length: size }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
