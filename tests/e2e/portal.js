// The portal as a person uses it, and the watch over it: console, screenshots, accessibility.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { openBrowser } from "../lib/browser.js";
import { temporaryFolder } from "../lib/folders.js";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("../web-pki-simulator/lib/behaviour.js").Behaviour} Behaviour */
/** @typedef {import("../web-pki-simulator/lib/client.js").Identity} Identity */

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SIZES = [{ width: 1280, height: 820 }, { width: 360, height: 740 }];

const ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36";

/** A person waits longer than this for no step of the flow. */
const STEP_LIMIT_MS = 20_000;

/**
 * The browser ends with the test. A line on its console that is not expected fails the test.
 * @param {import("node:test").TestContext} t
 * @param {import("../lib/demo.js").Demo} demo
 * @param {{ extension?: Behaviour, identities?: Identity[], expectErrors?: RegExp[], phone?: boolean }} [options] `extension`
 *   installs the simulator, with the demo's identities unless others are given; `phone` is a browser of Android
 * @returns {Promise<Page>}
 */
export async function openPortal(t, demo, { extension, identities: given, expectErrors = [], phone = false } = {}) {
  const context = {
    viewport: SIZES[0], acceptDownloads: true, locale: "pt-BR",
    ...(phone && { viewport: SIZES[1], hasTouch: true, isMobile: true, userAgent: ANDROID }),
  };
  const simulator = extension && { identities: given ?? (await identities(demo)), behaviour: extension };
  const browser = await openBrowser({ context, ...(simulator && { simulator }) });
  const page = await browser.newPage();
  page.setDefaultTimeout(STEP_LIMIT_MS);
  /** @type {string[]} */
  const errors = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  t.after(async () => {
    await browser.close();
    const unexpected = errors.filter((error) => !expectErrors.some((expected) => expected.test(error)));
    assert.deepEqual(unexpected, [], "the console stays silent");
  });
  await page.goto(demo.url);
  return page;
}

/** @param {import("../lib/demo.js").Demo} demo @returns {Promise<Identity[]>} */
export async function identities(demo) {
  const response = await fetch(`${demo.url}/demo/simulator/identities`);
  return /** @type {Promise<Identity[]>} */ (response.json());
}

/** @param {Page} page @param {string} person */
export async function enter(page, person) {
  await page.locator(`[data-person=${person}]`).click();
  await page.locator("[data-screen=home]").waitFor();
}

/** Opens a paper and starts. @param {Page} page @param {string} paper */
export async function open(page, paper) {
  await page.locator(`[data-paper=${paper}]`).click();
  await step(page, "idle");
  await act(page, "start");
}

/** Waits for a step of the flow, and says which one is shown when it does not come. @param {Page} page @param {string} step */
export async function step(page, step) {
  const present = page.locator("rubrica-signer [data-step]");
  await present.and(page.locator(`[data-step="${step}"]`)).waitFor().catch(async () => {
    const shown = await present.getAttribute("data-step", { timeout: 1_000 }).catch(() => "none");
    const text = await present.innerText({ timeout: 1_000 }).catch(() => "");
    throw new Error(`step "${step}" did not come; "${shown}" is shown:\n${text}`);
  });
}

/** @param {Page} page @param {string} action */
export async function act(page, action) {
  await page.locator(`rubrica-signer [data-action="${action}"]`).first().click();
}

/** Takes a way to a key. @param {Page} page @param {string} way */
export async function take(page, way) {
  await step(page, "offer");
  await page.locator(`rubrica-signer input[name=way][value="${way}"]`).check();
  await act(page, "take");
}

/** Opens a paper as somebody without a key here, and takes the certificate of the device. @param {Page} page @param {string} paper */
export async function openOnDevice(page, paper) {
  await open(page, paper);
  await take(page, "device");
}

/** Chooses the only certificate that can be used. @param {Page} page */
export async function choose(page) {
  await step(page, "choosing");
  await page.locator("rubrica-signer [data-action=select]").check();
  await act(page, "continue");
  await step(page, "confirming");
}

/**
 * Saves what the result page offers.
 * @param {Page} page
 * @returns {Promise<string>} path
 */
export async function download(page) {
  await page.locator("[data-screen=done]").waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("[data-download]").click()]);
  const path = join(temporaryFolder("download"), download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/**
 * Looks at the present screen: no accessibility violation, light and dark, wide and narrow; nothing wider than the window;
 * pictures go to the folder `$SCREENSHOTS`.
 * @param {Page} page
 * @param {string} name
 */
export async function look(page, name) {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of /** @type {const} */ (["dark", "light"])) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await picture(page, `${name}-${size.width}-${colorScheme}`);
      assert.deepEqual(await violations(page), [], `${name}, ${size.width} px, ${colorScheme}`);
    }
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${name}: ${overflow} px wider than a window of ${size.width} px`);
  }
  await page.setViewportSize(/** @type {typeof SIZES[0] & {}} */ (SIZES[0]));
}

/** @param {Page} page @param {string} name */
async function picture(page, name) {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  // A modal window covers the viewport, not the page behind it.
  const fullPage = (await page.locator("dialog[open]").count()) === 0;
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage, animations: "disabled" });
}

/** @param {Page} page @returns {Promise<string[]>} */
async function violations(page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.flatMap((/** @type {any} */ violation) =>
      violation.nodes.map((/** @type {any} */ node) => `${violation.id}: ${node.target.join(" ")} ${node.failureSummary}`),
    );
  });
}
