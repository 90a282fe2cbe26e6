// Web PKI simulator (TEST): the odd states, as the vendor's unmodified library sees them.

import assert from "node:assert/strict";
import { createHash, verify, X509Certificate } from "node:crypto";
import { after, before, test } from "node:test";

import { openBrowser } from "../../lib/browser.js";
import { testPki } from "../../lib/pki.js";
import { checkBehaviour } from "../lib/behaviour.js";
import { Client } from "../lib/client.js";
import { call, callRaw, initialise, servePage } from "./page.js";

const identity = /** @type {import("../lib/client.js").Identity} */ (testPki().identities["pessoa-antiga"]);
const identities = [identity];
const CONTENT = Buffer.from("documento de TESTE");
const SIGN = {
  thumbprint: createHash("sha256").update(Buffer.from(identity.certificate, "base64")).digest("base64"),
  hash: createHash("sha256").update(CONTENT).digest("base64"),
  digestAlgorithm: "SHA-256",
};

/** @type {Awaited<ReturnType<typeof servePage>>} */
let server;
/** @type {import("playwright-core").BrowserContext} */
let browser;

before(async () => {
  server = await servePage();
  browser = await openBrowser();
});
after(async () => {
  await browser.close();
  server.close();
});

test("absent: not installed after five seconds, in both forms at once", async () => {
  const withExtension = await openBrowser({ simulator: { identities, behaviour: { absent: true } } });
  const pages = [await open({ absent: true }), await withExtension.newPage()];
  await /** @type {import("playwright-core").Page} */ (pages[1]).goto(server.url);
  const startedAt = Date.now();
  for (const outcome of await Promise.all(pages.map((page) => initialise(page)))) {
    assert.deepEqual(outcome, { value: { status: 1, detail: 1 } });
  }
  assert.ok(Date.now() - startedAt >= 4_900);
  await withExtension.close();
});

test("appearing late is still found", async () => {
  const page = await open({ appearsAfterMs: 700 });
  assert.deepEqual(await initialise(page), { value: "ready" });
});

test("outdated and missing parts are told apart", async () => {
  const table = /** @type {const} */ ([
    [{ outdated: "extension" }, { status: 2, detail: 2 }],
    [{ nativeMissing: true }, { status: 1, detail: 3 }],
    [{ outdated: "native" }, { status: 2, detail: 4 }],
    [{ outdated: "native", os: "Linux" }, { status: 2, detail: 4 }],
    [{ outdated: "native", os: "Darwin" }, { status: 2, detail: 4 }],
  ]);
  for (const [behaviour, expected] of table) {
    assert.deepEqual(await initialise(await open(behaviour)), { value: expected }, JSON.stringify(behaviour));
  }
});

test("polling answers once the native component is there", async () => {
  const page = await open({ nativeAppearsAfterMs: 900 });
  assert.deepEqual(await initialise(page), { value: { status: 1, detail: 3 } });
  assert.equal((await callRaw(page, "getVersion")).exception.code, "native_connect_failure");
  assert.equal(await call(page, "pollNative", {}), "2.16.0");
  assert.deepEqual(await initialise(page), { value: "ready" });
});

test("the person's refusal is user_cancelled, in both forms", async () => {
  const withExtension = await openBrowser({ simulator: { identities, behaviour: { userCancels: true } } });
  const other = await withExtension.newPage();
  await other.goto(server.url);
  for (const page of [await open({ userCancels: true }), other]) {
    assert.deepEqual(await initialise(page), { value: "ready" });
    assert.equal((await callRaw(page, "signHash", SIGN)).exception.code, "user_cancelled");
  }
  await withExtension.close();
});

test("the authorization window asks, and preauthorization spares it", async () => {
  const page = await open({ dialog: true });
  await initialise(page);
  const refused = callRaw(page, "signHash", SIGN);
  await page.locator("web-pki-simulator [data-simulator=cancel]").click();
  assert.equal((await refused).exception.code, "user_cancelled");

  const escaped = callRaw(page, "signHash", SIGN);
  await page.locator("web-pki-simulator dialog").waitFor();
  await page.keyboard.press("Escape");
  assert.equal((await escaped).exception.code, "user_cancelled");

  const allowed = call(page, "preauthorizeSignatures", { certificateThumbprint: SIGN.thumbprint, signatureCount: 2 });
  assert.match((await page.locator("web-pki-simulator .bar").textContent()) ?? "", /SIMULADOR · TESTE/);
  await page.locator("web-pki-simulator [data-simulator=authorize]").click();
  await allowed;
  assert.ok(await call(page, "signHash", SIGN));
  assert.ok(await call(page, "signHash", SIGN));
  const third = callRaw(page, "signHash", SIGN);
  await page.locator("web-pki-simulator [data-simulator=cancel]").click();
  assert.equal((await third).exception.code, "user_cancelled");
});

test("a scripted failure, an empty list and a wrong signature arrive", async () => {
  const failing = await open({ fails: { listCertificates: "p11_error" } });
  await initialise(failing);
  assert.equal((await callRaw(failing, "listCertificates")).exception.code, "p11_error");

  const empty = await open({ emptyList: true });
  await initialise(empty);
  assert.deepEqual(await call(empty, "listCertificates"), []);

  const wrong = await open({ wrongSignature: true });
  await initialise(wrong);
  const signature = Buffer.from(await call(wrong, "signHash", SIGN), "base64");
  const { publicKey } = new X509Certificate(Buffer.from(identity.certificate, "base64"));
  assert.equal(verify("sha256", CONTENT, publicKey, signature), false);
});

test("other browsers are served by window messages", async () => {
  const firefox = await openBrowser({
    context: { userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" },
  });
  const page = await open({}, firefox);
  assert.deepEqual(await initialise(page), { value: "ready" });
  assert.equal(await page.evaluate(() => globalThis.pki.detectedBrowser), "Firefox 140");
  assert.ok(await call(page, "signHash", SIGN));
  await firefox.close();
});

test("a stopped simulator is gone", async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  const left = await page.evaluate(async (identities) => {
    const stop = globalThis.startSimulator({ identities });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const before = document.querySelectorAll("meta[data-simulator=TEST]").length;
    stop();
    return [before, document.querySelectorAll("meta[data-simulator=TEST]").length];
  }, identities);
  assert.deepEqual(left, [1, 0]);
});

test("messages that the protocol does not allow are refused", async () => {
  const client = new Client({ identities, behaviour: { delayMs: 0 } });
  const good = {
    requestId: "a", license: null, useDomainNativePool: false, jslibVersion: "2.18.0", command: "listCertificates", request: null,
  };
  const table = /** @type {const} */ ([
    [{ requestId: "1", extra: 1 }, "command_parameter_not_supported"],
    [{ requestId: "2", license: undefined }, "command_parameter_not_set"],
    [{ requestId: "3", jslibVersion: 2 }, "command_invalid_parameter"],
    [{ requestId: "4", command: "stealKey" }, "command_unknown"],
    [{ requestId: "5", request: {} }, "command_invalid_parameter"],
    [{ requestId: "6", command: "readCertificate", request: { thumbprint: SIGN.thumbprint } }, "command_parameter_not_set"],
    [{ requestId: "7", command: "readCertificate", request: { certificateThumbprint: SIGN.thumbprint, x: 1 } }, "command_parameter_not_supported"],
    [{ requestId: "8", command: "signData", request: { certificateThumbprint: SIGN.thumbprint, data: new Map(), digestAlgorithm: "SHA-256" } }, "command_invalid_parameter"],
    [{ requestId: "9", useDomainNativePool: undefined }, "command_parameter_not_set"],
  ]);
  for (const [change, code] of table) {
    const [reply] = /** @type {any[]} */ (await client.receive({ ...good, ...change }, { id: "p", host: "localhost" }));
    assert.equal(reply.success, false);
    assert.equal(reply.exception.code, code, JSON.stringify(change));
  }
  await assert.rejects(client.receive({ ...good, requestId: undefined }, { id: "p", host: "localhost" }), TypeError);
});

test("a site without licence is refused unless it is localhost", async () => {
  const client = new Client({ identities, behaviour: { delayMs: 0, licensedHosts: ["portal.test"] } });
  const ask = async (/** @type {string} */ requestId, /** @type {string} */ host) => {
    const message = { requestId, license: null, useDomainNativePool: false, jslibVersion: "2.18.0", command: "listCertificates", request: null };
    const [reply] = /** @type {any[]} */ (await client.receive(message, { id: "p", host }));
    return reply.exception?.code;
  };
  assert.equal(await ask("1", "localhost"), undefined);
  assert.equal(await ask("2", "portal.test"), undefined);
  assert.equal(await ask("3", "bank.example"), "license_not_set");
});

test("told to misbehave, it does", async () => {
  const message = { requestId: "a", license: null, useDomainNativePool: false, jslibVersion: "2.18.0", command: "listCertificates", request: null };
  const replies = (/** @type {import("../lib/behaviour.js").Behaviour} */ behaviour) =>
    /** @type {Promise<any[]>} */ (new Client({ identities, behaviour: { delayMs: 0, ...behaviour } }).receive(message, { id: "p", host: "localhost" }));
  assert.deepEqual(await replies({ silent: ["listCertificates"] }), []);
  assert.equal((await replies({ duplicateReplies: true })).length, 2);
  assert.notEqual((await replies({ wrongReply: "unknown_request_id" }))[0].requestId, "a");
  assert.deepEqual(await replies({ wrongReply: "not_an_object" }), ["ok"]);
  assert.equal("success" in (await replies({ wrongReply: "no_success" }))[0], false);
  assert.equal((await replies({ wrongReply: "wrong_type" }))[0].response, 42);
});

test("a misspelt behaviour is an error", () => {
  assert.throws(() => checkBehaviour(/** @type {any} */ ({ userCancel: true })), TypeError);
  assert.throws(() => checkBehaviour(/** @type {any} */ ({ delayMs: "5" })), TypeError);
});

/** @param {import("../lib/behaviour.js").Behaviour} behaviour @param {import("playwright-core").BrowserContext} [context] */
async function open(behaviour, context = browser) {
  const page = await context.newPage();
  await page.goto(server.url);
  await page.evaluate((options) => void globalThis.startSimulator(options), { identities, behaviour });
  return page;
}
