// CRL, OCSP and TSA of the test PKI, served by certomancer.

import { createServer } from "node:net";
import { join } from "node:path";

import { testPki } from "./pki.js";
import { python, ROOT, start } from "./tools.js";

/**
 * @typedef {object} Services
 * @property {import("./pki.js").Pki} pki whose certificates name this address
 * @property {string} url
 * @property {string} tsa address of the time-stamping authority
 * @property {() => Promise<void>} stop
 */

/** @returns {Promise<Services>} */
export async function startServices() {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const pki = testPki(url);
  const script = join(ROOT, "tests", "pki", "pki.py");
  const services = start(python("python"), [script, "serve", pki.folder, "--port", String(port)]);
  await answers(`${url}/test/crls/root/latest.crl`, services.output);
  return { pki, url, tsa: `${url}/test/tsa/tsa`, stop: services.stop };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "localhost", () => {
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** Waits until the services listen. @param {string} address @param {() => string} output */
async function answers(address, output) {
  for (let i = 0; i < 300; i++) {
    if (await fetch(address).then((response) => response.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the services of the test PKI do not answer:\n${output()}`);
}
