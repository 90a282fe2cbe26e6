// The independent PKI (tests/pki), generated once per test process.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { temporaryFolder } from "./folders.js";
import { python, ROOT, runOk } from "./tools.js";

/** @typedef {import("../web-pki-simulator/lib/client.js").Identity} Identity */

/**
 * @typedef {object} Pki
 * @property {string} folder everything that `pki.py generate` writes
 * @property {string} root PEM file of the trust anchor
 * @property {string} chain PEM file of the two CA certificates between
 * @property {string} foreignRoot PEM file of a root that nobody here trusts
 * @property {string} password of the PKCS#12 files
 * @property {string} passwordFile
 * @property {(holder: string) => string} p12
 * @property {(holder: string) => string} legacyP12
 * @property {(label: string) => string} certificate PEM file
 * @property {Record<string, Identity>} identities by holder
 */

/** @type {Map<string, Pki>} */
const generated = new Map();

/**
 * @param {string} [url] address under which CRL, OCSP and TSA will be served
 * @returns {Pki}
 */
export function testPki(url = "http://localhost:9000") {
  const known = generated.get(url);
  if (known) return known;
  const folder = temporaryFolder("pki");
  runOk(python("python"), [join(ROOT, "tests", "pki", "pki.py"), "generate", folder, "--url", url]);
  const file = (/** @type {string[]} */ ...parts) => join(folder, ...parts);
  const pki = {
    folder,
    root: file("root.pem"),
    chain: file("chain.pem"),
    foreignRoot: file("certificates", "estranha-root.pem"),
    password: readFileSync(file("p12", "password.txt"), "utf8"),
    passwordFile: file("p12", "password.txt"),
    p12: (/** @type {string} */ holder) => file("p12", `${holder}.p12`),
    legacyP12: (/** @type {string} */ holder) => file("p12", `${holder}.legacy.p12`),
    certificate: (/** @type {string} */ label) => file("certificates", `${label}.pem`),
    identities: JSON.parse(readFileSync(file("identities.json"), "utf8")),
  };
  generated.set(url, pki);
  return pki;
}
