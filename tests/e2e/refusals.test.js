// What must not happen does not: refusals of the person, of the client, and of the SDK against its own service.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { startDemo } from "../lib/demo.js";
import { temporaryFolder } from "../lib/folders.js";
import { assertSoundPdf } from "../lib/verdicts.js";
import { act, choose, download, enter, identities, look, open, openOnDevice, openPortal, step } from "./portal.js";

/** @typedef {import("playwright-core").Page} Page */

/** @type {import("../lib/demo.js").Demo} */
let demo;

before(async () => {
  demo = await startDemo();
});
after(() => demo.stop());

test("the person cancels in the client's window and can try again", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "bruno");
  await openOnDevice(page, "contrato-conta");
  await step(page, "absent");
  await page.locator("[data-simulator-switch]").click();
  await choose(page);
  await act(page, "confirm");
  await page.locator("web-pki-simulator [data-simulator=cancel]").click();
  await step(page, "confirming");
  await look(page, "20-refused-in-client");
  await act(page, "confirm");
  await page.locator("web-pki-simulator [data-simulator=authorize]").click();
  const root = join(temporaryFolder("trust"), "trust.pem");
  writeFileSync(root, await (await fetch(`${demo.url}/demo/trust.pem`)).text());
  assertSoundPdf(await download(page), root);
});

test("the person cancels on the page", async (t) => {
  const page = await openPortal(t, demo);
  await enter(page, "ana");
  await open(page, "proposta-credito");
  await step(page, "confirming");
  await act(page, "refuse");
  await step(page, "cancelled");
  await look(page, "21-cancelled");
  await act(page, "retry");
  await step(page, "confirming");
});

describe("states of the client", () => {
  const table = /** @type {const} */ ([
    ["without native component", { nativeMissing: true }, "blocked"],
    ["with an old extension", { outdated: "extension" }, "outdated"],
    ["with an old native component", { outdated: "native" }, "outdated"],
    ["without any certificate", { emptyList: true }, "no_certificate"],
  ]);
  for (const [index, [name, behaviour, expected]] of table.entries()) {
    test(name, async (t) => {
      const page = await openPortal(t, demo, { extension: behaviour });
      await enter(page, "bruno");
      await openOnDevice(page, "contrato-conta");
      await step(page, expected);
      await look(page, `3${index}-client-${expected}`);
    });
  }

  test("appearing while the guidance is shown", async (t) => {
    const page = await openPortal(t, demo, { extension: { appearsAfterMs: 6_000 } });
    await enter(page, "bruno");
    await openOnDevice(page, "contrato-conta");
    await step(page, "absent");
    await step(page, "choosing");
  });

  test("signing with the wrong key is noticed by the service", async (t) => {
    const page = await openPortal(t, demo, { extension: { wrongSignature: true }, expectErrors: [/status of 4\d\d/] });
    await toConfirming(page);
    await act(page, "confirm");
    await step(page, "failed");
    await look(page, "40-wrong-signature");
  });
});

test("only certificates of other people: none can be chosen", async (t) => {
  const others = (await identities(demo)).slice(2);
  const page = await openPortal(t, demo, { extension: {}, identities: others });
  await enter(page, "bruno");
  await openOnDevice(page, "contrato-conta");
  await step(page, "choosing");
  assert.equal(await page.locator("rubrica-signer [data-action=select]").count(), 0);
  await look(page, "41-nothing-usable");
});

describe("an answer of the service that was changed on its way", () => {
  /** @type {Record<string, (toSign: any) => void>} */
  const changes = {
    "another digest": (toSign) => (toSign.digest = flipBase64(toSign.digest)),
    "other signed attributes": (toSign) => (toSign.signed_attributes = flipBase64(toSign.signed_attributes)),
    "other bytes of the revision": (toSign) => (toSign.revision.appended = flipBase64(toSign.revision.appended)),
    "a ByteRange that leaves the document out": (toSign) => (toSign.revision.byte_range[1] -= 1),
    "another document, consistent in itself": (toSign) => Object.assign(toSign, otherToSign),
  };
  /** What the service answers for another document. @type {any} */
  let otherToSign;

  for (const [name, change] of Object.entries(changes)) {
    test(name, async (t) => {
      const page = await openPortal(t, demo, { extension: {} });
      await enter(page, "bruno");
      if (change === changes["another document, consistent in itself"]) otherToSign = await foreignToSign(page);
      await page.route("**/v1/signatures", async (route) => {
        const response = await route.fetch();
        const body = await response.json();
        change(body.to_sign);
        await route.fulfill({ response, json: body });
      });
      let completed = 0;
      page.on("request", (request) => (completed += Number(request.url().endsWith("/complete"))));
      await openOnDevice(page, "contrato-conta");
      await choose(page);
      await act(page, "confirm");
      await step(page, "failed");
      assert.equal(await page.locator("rubrica-signer code").textContent(), "to_sign_mismatch");
      assert.equal(completed, 0, "nothing was signed");
      if (name === "another digest") await look(page, "42-to-sign-mismatch");
    });
  }
});

/** Runs until the act of will. @param {Page} page */
async function toConfirming(page) {
  await enter(page, "bruno");
  await openOnDevice(page, "contrato-conta");
  await choose(page);
}

/** Prepares another paper, catches the answer and goes back to the list. @param {Page} page */
async function foreignToSign(page) {
  await openOnDevice(page, "termo-cartao");
  await choose(page);
  const [response] = await Promise.all([
    page.waitForResponse((response) => response.url().endsWith("/v1/signatures")),
    act(page, "confirm"),
  ]);
  const { to_sign: toSign } = await response.json();
  await page.locator("[data-screen=done]").waitFor();
  await page.locator(".brand").click();
  await page.locator("[data-screen=home]").waitFor();
  return toSign;
}

/** @param {string} text */
function flipBase64(text) {
  const bytes = Buffer.from(text, "base64");
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = /** @type {number} */ (bytes[middle]) ^ 1;
  return bytes.toString("base64");
}
