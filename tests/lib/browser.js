// Chromium under playwright-core.

import { join } from "node:path";
import playwright from "playwright-core";

import { packExtension } from "../web-pki-simulator/pack.js";
import { temporaryFolder } from "./folders.js";
import { chromium } from "./tools.js";

/** No call home, no sandbox (containers), nothing that differs between machines. */
const FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/**
 * @typedef {object} BrowserOptions
 * @property {{ identities: import("../web-pki-simulator/lib/client.js").Identity[], behaviour?: import("../web-pki-simulator/lib/behaviour.js").Behaviour }} [simulator] loads the extension form of the simulator
 * @property {import("playwright-core").BrowserContextOptions} [context]
 */

/**
 * A fresh profile.
 * @param {BrowserOptions} [options]
 * @returns {Promise<import("playwright-core").BrowserContext>} `close()` ends the browser
 */
export function openBrowser({ simulator, context = {} } = {}) {
  const profile = temporaryFolder("profile");
  const args = [...FLAGS];
  if (simulator) {
    const folder = packExtension({ ...simulator, out: join(profile, "simulator") });
    // Playwright disables all extensions unless this one is excepted.
    args.push(`--disable-extensions-except=${folder}`, `--load-extension=${folder}`);
  }
  return playwright.chromium.launchPersistentContext(join(profile, "data"), {
    executablePath: chromium(), args, headless: true, ...context,
  });
}
