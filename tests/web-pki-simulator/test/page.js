// Web PKI simulator (TEST): a page with the vendor's unmodified library and, when asked, the main-world form.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { serve } from "../../lib/server.js";
import { ROOT } from "../../lib/tools.js";

const LIBRARY = createRequire(import.meta.url).resolve("web-pki");

/** Version of the vendor's library, as installed. */
export const LIBRARY_VERSION = JSON.parse(readFileSync(join(dirname(LIBRARY), "package.json"), "utf8")).version;

/** Turns the library's own "promise" into a real one, and its exception into `{ code }`. */
const HARNESS = `
window.outcome = (start) => new Promise((resolve) => start((value) => resolve({ value }), (exception) => resolve({ exception })));
window.initialise = (version) => outcome((ok, failed) => {
  window.pki = new LacunaWebPKI();
  pki.init({
    ready: () => ok("ready"),
    notInstalled: (status, message, detail) => ok({ status, detail }),
    requiredApiVersion: version && pki.apiVersions[version],
    fail: failed, defaultFail: failed,
  });
});
window.call = (method, ...args) => outcome((ok, failed) => pki[method](...args).success(ok).fail(failed));
`;

const START = `
import { startSimulator } from "/simulator/simulator.js";
window.startSimulator = startSimulator;
`;

/** @returns {ReturnType<typeof serve>} */
export function servePage() {
  return serve({
    "/": `<!doctype html><html lang="pt-BR"><title>TEST</title><script src="/web-pki.js"></script>
      <script src="/harness.js"></script><script type="module" src="/start.js"></script><p>TEST</p></html>`,
    "/web-pki.js": readFileSync(LIBRARY),
    "/harness.js": HARNESS,
    "/start.js": START,
    "/simulator/": join(ROOT, "tests", "web-pki-simulator"),
  });
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} [version] member of the library's `apiVersions`
 * @returns {Promise<any>}
 */
export function initialise(page, version) {
  return page.evaluate((version) => globalThis.initialise(version), version);
}

/**
 * Calls a method of the library and expects success.
 * @param {import("playwright-core").Page} page
 * @param {string} method
 * @param {...unknown} args
 * @returns {Promise<any>}
 */
export async function call(page, method, ...args) {
  const { value, exception } = await callRaw(page, method, ...args);
  if (exception) throw new Error(`${method}: ${exception.code}: ${exception.message}`);
  return value;
}

/**
 * @param {import("playwright-core").Page} page
 * @param {string} method
 * @param {...unknown} args
 * @returns {Promise<{ value?: any, exception?: any }>}
 */
export function callRaw(page, method, ...args) {
  return page.evaluate(([method, args]) => globalThis.call(method, ...args), /** @type {const} */ ([method, args]));
}
