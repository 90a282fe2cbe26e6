// The cells of the matrix: which signatures are made.

/** Holder of the test PKI per kind of key. */
export const KEYS = /** @type {const} */ ({
  "RSA-2048": "pessoa-antiga",
  "RSA-3072": "rsa-3072",
  "RSA-4096": "rsa-4096",
  "P-256": "curva-p256",
  "P-384": "curva-p384",
  Ed25519: "curva-ed25519",
});

/** @typedef {keyof typeof KEYS} Key */
/** @typedef {"pades" | "cades" | "cades-enveloping"} Format */
/** @typedef {"b" | "t" | "lt" | "lta"} Level */
/** @typedef {"none" | "ad-rb" | "ad-rt" | "ad-rv" | "ad-rc" | "ad-ra"} Policy */

/**
 * @typedef {object} Cell
 * @property {string} name
 * @property {Format} format
 * @property {Level} level
 * @property {Policy} policy
 * @property {Key} key
 * @property {string} input name of a document or of a content
 */

const HIGHER = /** @type {const} */ (["t", "lt", "lta"]);
const CMS = /** @type {const} */ (["cades", "cades-enveloping"]);
const POLICIES = /** @type {const} */ ([["ad-rb", "b"], ["ad-rt", "t"], ["ad-rv", "lt"], ["ad-rc", "lt"], ["ad-ra", "lta"]]);
/** Kinds that the policies of 2025 allow (see core's table). */
const POLICY_KEYS = /** @type {const} */ (["RSA-2048", "RSA-4096", "P-256"]);
const ALL_KEYS = /** @type {Key[]} */ (Object.keys(KEYS));

/** What a detached or enveloping CMS signs. */
export const CONTENTS = ["text", "binary", "empty", "PDF"];

/**
 * @param {string[]} documents names of all PDFs
 * @returns {Cell[]}
 */
export function cells(documents) {
  /** @type {Cell[]} */
  const list = [];
  const add = (/** @type {Format} */ format, /** @type {Level} */ level, /** @type {Policy} */ policy, /** @type {Key} */ key, /** @type {string} */ input) => {
    const name = `${format} ${level.toUpperCase()}${policy === "none" ? "" : ` ${policy}`}, ${key}, ${input}`;
    list.push({ name, format, level, policy, key, input });
  };
  // Level B: every shape of document with every kind of key.
  for (const input of documents) for (const key of ALL_KEYS) add("pades", "b", "none", key, input);
  for (const input of CONTENTS) for (const key of ALL_KEYS) add("cades", "b", "none", key, input);
  for (const input of CONTENTS) add("cades-enveloping", "b", "none", "RSA-2048", input);
  // Higher levels: every shape of document with one key, every key with one shape.
  for (const level of HIGHER) {
    for (const input of documents) add("pades", level, "none", "RSA-2048", input);
    for (const key of ALL_KEYS.slice(1)) add("pades", level, "none", key, "table");
    for (const key of ALL_KEYS) for (const format of CMS) add(format, level, "none", key, "binary");
  }
  // Policies of ICP-Brasil, at the level that each of them is.
  for (const [policy, level] of POLICIES) {
    for (const key of POLICY_KEYS) {
      for (const format of CMS) add(format, level, policy, key, "binary");
      // AD-RV is not defined for PAdES (DOC-ICP-15.03).
      // In a PDF, AD-RC too ends in a document time stamp.
      if (policy !== "ad-rv") add("pades", policy === "ad-rc" ? "lta" : level, policy, key, "table");
    }
  }
  return list;
}
