// Somebody without a key: the ways to one, consent, a key in the HSM; and a key at a cloud service.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startDemo } from "../lib/demo.js";
import { temporaryFolder } from "../lib/folders.js";
import { assertSoundPdf } from "../lib/verdicts.js";
import { act, download, enter, look, open, openPortal, step, take } from "./portal.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("../lib/demo.js").Demo} */
let demo;
/** @type {string} */
let root;

before(async () => {
  demo = await startDemo({ cloud: true });
  root = join(temporaryFolder("trust"), "trust.pem");
  writeFileSync(root, await (await fetch(`${demo.url}/demo/trust.pem`)).text());
});
after(() => demo.stop());

test("the first key: both ways of equal weight, consent, certificate, signature; the next time at once", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "selo");
  await open(page, "contrato-conta");
  await step(page, "offer");
  assert.equal(await page.locator("rubrica-signer input[name=way]:checked").count(), 0, "nothing is chosen for the person");
  await look(page, "50-offer");
  await take(page, "enrol");
  await page.locator("rubrica-signer [data-action=agree]").waitFor();
  await look(page, "51-consent");
  await act(page, "back");
  await take(page, "enrol");
  await page.locator("rubrica-signer [data-action=agree]").waitFor();
  await act(page, "agree");
  await step(page, "stored");
  await look(page, "52-stored");
  await act(page, "proceed");
  await step(page, "confirming");
  await act(page, "confirm");
  assertSoundPdf(await download(page), root, { nonRepudiation: false });

  await page.locator(".brand").click();
  await open(page, "termo-cartao");
  await step(page, "confirming");
  assert.match(await page.locator("rubrica-signer dl").innerText(), /módulo de segurança do banco/);
});

test("a certificate that was issued for another person gives no key, and the other way stays open", async (t) => {
  const page = await openPortal(t, demo, { expectErrors: [/status of 4\d\d/] });
  await page.route("**/demo/certificates", async (route) => {
    const { csr } = route.request().postDataJSON();
    await route.continue({ postData: JSON.stringify({ person_id: "ana", csr }) });
  });
  await enter(page, "bruno");
  await open(page, "contrato-conta");
  await take(page, "enrol");
  await act(page, "agree");
  await step(page, "failed");
  assert.equal(await page.locator("rubrica-signer code").textContent(), "certificate_wrong_person");
  await look(page, "53-wrong-person");
  await act(page, "other-way");
  await take(page, "device");
  await step(page, "absent");
});

test("a cloud service: its window, the person's permission, the signature", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "elisa");
  await open(page, "contrato-conta");
  await step(page, "offer");
  await look(page, "54-services");
  await take(page, "service:demo-cloudhub");
  await step(page, "confirming");
  await look(page, "55-cloud-confirming");
  const window = await permit(page);
  await look(page, "56-waiting-approval");
  await window.locator("a", { hasText: "Autorizar" }).click();
  assertSoundPdf(await download(page), root);
});

test("a cloud service: refused there, and the page says so only when the service has", async (t) => {
  const page = await openPortal(t, demo, { expectErrors: [/status of [45]\d\d/] });
  await enter(page, "elisa");
  await open(page, "contrato-conta");
  await take(page, "service:demo-psc");
  await step(page, "confirming");
  const window = await permit(page);
  await window.locator("a", { hasText: "Recusar" }).click();
  await step(page, "cancelled");
  await look(page, "57-refused-at-service");
  await act(page, "other-way");
  await take(page, "service:demo-cloudhub");
  const again = await permit(page);
  await again.locator("a", { hasText: "Autorizar" }).click();
  assertSoundPdf(await download(page), root);
});

test("a phone: the certificate of a computer is not offered, and a key in the HSM signs", async (t) => {
  const page = await openPortal(t, demo, { phone: true });
  await enter(page, "bruno");
  await open(page, "termo-cartao");
  await step(page, "offer");
  const ways = await page.locator("rubrica-signer input[name=way]").evaluateAll((all) => all.map((one) => /** @type {HTMLInputElement} */ (one).value));
  assert.deepEqual(ways, ["enrol"]);
  await look(page, "58-phone-offer");
  await take(page, "enrol");
  await act(page, "agree");
  await step(page, "stored");
  await act(page, "proceed");
  await act(page, "confirm");
  assertSoundPdf(await download(page), root);
});

/** Confirms, and gives the window of the service. @param {Page} page */
async function permit(page) {
  await step(page, "confirming");
  const [window] = await Promise.all([page.waitForEvent("popup"), act(page, "confirm")]);
  await window.locator("a", { hasText: "Autorizar" }).waitFor();
  await step(page, "waiting_approval");
  return window;
}
