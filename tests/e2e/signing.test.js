// The main job: real documents, real browser, real service, results judged by foreign programs.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startDemo } from "../lib/demo.js";
import { temporaryFolder } from "../lib/folders.js";
import { ROOT } from "../lib/tools.js";
import { assertSoundCms, assertSoundPdf } from "../lib/verdicts.js";
import { act, choose, download, enter, look, open, openOnDevice, openPortal, step, take } from "./portal.js";

/** @type {import("../lib/demo.js").Demo} */
let demo;
/** @type {string} */
let root;

before(async () => {
  demo = await startDemo();
  root = join(temporaryFolder("trust"), "trust.pem");
  writeFileSync(root, await (await fetch(`${demo.url}/demo/trust.pem`)).text());
});
after(() => demo.stop());

test("a key in the bank's HSM signs a PDF at once", async (t) => {
  const page = await openPortal(t, demo);
  await page.locator("[data-person=ana]").waitFor();
  await look(page, "01-enter");
  await enter(page, "ana");
  await look(page, "02-home");
  await page.locator("[data-paper=proposta-credito]").click();
  await step(page, "idle");
  await look(page, "03-hsm-start");
  await act(page, "start");
  await step(page, "confirming");
  await look(page, "04-hsm-confirming");
  await act(page, "confirm");
  const pdf = await download(page);
  await look(page, "05-hsm-done");
  assertSoundPdf(pdf, root);
});

test("a company signs with its P-256 key in the HSM", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "padaria");
  await open(page, "termo-cartao");
  await step(page, "confirming");
  await act(page, "confirm");
  assertSoundPdf(await download(page), root);
});

test("a certificate on the device signs a PDF through the extension", async (t) => {
  const page = await openPortal(t, demo, { extension: {} });
  await enter(page, "bruno");
  await openOnDevice(page, "contrato-conta");
  await step(page, "choosing");
  await look(page, "06-local-choosing");
  await assertOthersUnusable(page);
  await choose(page);
  await look(page, "07-local-confirming");
  await act(page, "confirm");
  const pdf = await download(page);
  await look(page, "08-local-done");
  assertSoundPdf(pdf, root);
});

test("a detached signature leaves the document alone", async (t) => {
  const page = await openPortal(t, demo, { extension: {} });
  await enter(page, "bruno");
  await page.locator("[data-paper=proposta-credito]").click();
  await page.locator("input[name=format][value=cades]").check();
  await act(page, "start");
  await take(page, "device");
  await choose(page);
  await act(page, "confirm");
  const cms = await download(page);
  assert.match(cms, /\.p7s$/);
  assertSoundCms(cms, join(ROOT, "demo-site", "public", "documents", "proposta-credito.pdf"), root);
});

test("a file of the visitor's own that is not a PDF gets a detached signature", async (t) => {
  const own = join(temporaryFolder("own"), "planilha.csv");
  writeFileSync(own, "conta;valor\r\n1;10,00\r\nTESTE;2\r\n");
  const page = await openPortal(t, demo);
  await enter(page, "ana");
  await page.locator("input[type=file]").setInputFiles(own);
  await act(page, "start");
  await step(page, "confirming");
  await look(page, "09-own-file");
  await act(page, "confirm");
  assertSoundCms(await download(page), own, root);
});

test("without a client: guidance, then the labelled simulator, and it goes on by itself", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "bruno");
  await openOnDevice(page, "contrato-conta");
  await step(page, "absent");
  await look(page, "10-absent");
  const loads = await page.evaluate(() => performance.timeOrigin);
  await page.locator("[data-simulator-switch]").click();
  await step(page, "choosing");
  assert.equal(await page.evaluate(() => performance.timeOrigin), loads, "the page was not loaded again");
  await look(page, "11-simulator-choosing");
  await choose(page);
  await act(page, "confirm");
  await step(page, "authorizing");
  await look(page, "12-simulator-authorizing");
  await page.locator("web-pki-simulator [data-simulator=authorize]").click();
  assertSoundPdf(await download(page), root);
});

test("a seal signs through the simulator", async (t) => {
  const page = await openPortal(t, demo, { extension: {} });
  await enter(page, "selo");
  await openOnDevice(page, "termo-cartao");
  await choose(page);
  await act(page, "confirm");
  assertSoundPdf(await download(page), root, { nonRepudiation: false });
});

/** The expired one and the other person's stay in sight, with their reasons. @param {import("playwright-core").Page} page */
async function assertOthersUnusable(page) {
  assert.equal(await page.locator("rubrica-signer [data-action=select]").count(), 1, "one certificate is the signer's");
  const others = page.locator("rubrica-signer .card.unusable");
  const reasons = await others.locator(".tag.danger").allTextContents();
  assert.ok(reasons.length >= 2 && reasons.every((reason) => reason !== ""), `reasons: ${reasons}`);
  assert.equal(await others.locator("input:not([disabled])").count(), 0);
}
