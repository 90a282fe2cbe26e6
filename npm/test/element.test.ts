// The published element in a real page: strict content policy, Trusted Types, an API that answers by script.
// The way with a real API, a real token and a simulated device is tested in tests/e2e.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Server } from "node:http";
import { after, before, test } from "node:test";

import type { Browser, Page, Route } from "playwright-core";

import { launch, serve } from "./browser.js";
import { dist } from "./paths.js";

const PDF = Buffer.from("%PDF-1.7\n% contract TEST\n");
const SIGNED = Buffer.concat([PDF, Buffer.from("% signature TEST\n")]);
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const page = (script: string) => `<!doctype html><html lang="pt-BR"><title>TEST</title>
  <main><button id="elsewhere">x</button><rubrica-signer></rubrica-signer></main><script type="module" src="${script}"></script>`;

const pages = {
  "/": page("/page.js"),
  "/page.js": `import "/element/define.js";
    const signer = document.querySelector("rubrica-signer");
    signer.session = { token: "token-TEST", signer: { name: "ANA TEST", identifier_masked: "***.982.247-**" } };
    globalThis.heard = [];
    for (const type of ["rubrica-step", "rubrica-signed", "rubrica-failed", "rubrica-cancelled"]) {
      document.addEventListener(type, (event) => heard.push([type, event.detail]));
    }`,
};

let browser: Browser;
let server: Server;
let origin: string;

before(async () => {
  browser = await launch();
  ({ server, origin } = await serve(dist, pages));
});

after(async () => {
  await browser.close();
  server.close();
});

test("a returning customer signs by keyboard alone, and the page hears every step", async () => {
  const { page, noise } = await open(hsm());
  await choose(page);
  await step(page, "confirming");
  assert.equal(await heading(page), "Confira antes de assinar");
  assert.equal(await focused(page), "heading", "the heading of a new step has the focus");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await step(page, "done");
  const heard = await page.evaluate(() => (globalThis as unknown as { heard: [string, { step?: string }][] }).heard);
  assert.deepEqual(
    heard.map(([type, detail]) => detail.step ?? type),
    ["resolving", "confirming", "preparing", "signing", "finishing", "done", "rubrica-signed"],
  );
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("[data-action=download]").click()]);
  assert.equal(download.suggestedFilename(), "contrato-assinado.pdf");
  assert.deepEqual(noise, []);
  await page.close();
});

test("nothing of the document leaves before the person confirms, and refusing sends nothing", async () => {
  const api = hsm();
  const { page } = await open(api);
  await choose(page);
  await step(page, "confirming");
  assert.deepEqual(api.requests, ["GET /v1/custody"]);
  await page.locator("[data-action=refuse]").click();
  await step(page, "cancelled");
  assert.deepEqual(api.requests, ["GET /v1/custody"]);
  await page.close();
});

test("a released file that is not the document is refused", async () => {
  const other = Buffer.from("%PDF-1.7\n% ANOTHER contract\n% signature TEST\n");
  const { page } = await open(hsm({ content: other }));
  await choose(page);
  await page.locator("[data-action=confirm]").click();
  await step(page, "failed");
  assert.match(await page.locator("[data-step=failed]").innerText(), /to_sign_mismatch/);
  assert.equal(await page.locator("[data-step=failed] [role=alert]").count(), 1);
  await page.close();
});

test("an expired session asks the page for another one and goes on", async () => {
  const api = hsm({ refuseOnce: true });
  const { page } = await open(api);
  await choose(page);
  await step(page, "failed");
  assert.equal(await heading(page), "Sua sessão terminou");
  await page.locator("[data-action=retry]").click();
  await step(page, "confirming");
  await page.close();
});

test("a file that is no PDF is told so at once", async () => {
  const api = hsm();
  const { page } = await open(api);
  await choose(page, Buffer.from("PK\u0003\u0004 TEST"));
  await step(page, "failed");
  assert.equal(await heading(page), "Este arquivo não é um PDF");
  assert.ok(!api.requests.some((request) => request.startsWith("POST")));
  await page.locator("[data-action=reset]").click();
  await step(page, "idle");
  await page.close();
});

test("without the client guidance comes by itself, in the language of the page", async () => {
  const { page, noise } = await open(local());
  await page.evaluate(() => (document.documentElement.lang = "en"));
  await choose(page);
  const begun = Date.now();
  await step(page, "absent");
  assert.ok(Date.now() - begun < 3_000, "guidance is there soon");
  assert.equal(await heading(page), "Install Web PKI to continue");
  const link = page.locator("[data-action=install]");
  assert.equal(await link.getAttribute("href"), "https://get.webpkiplugin.com/");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.deepEqual(noise, []);
  await page.close();
});

test("the focus is never taken from another part of the page", async () => {
  const { page } = await open(hsm());
  await choose(page);
  await step(page, "confirming");
  await page.locator("#elsewhere").focus();
  await page.locator("[data-action=confirm]").evaluate((button: HTMLElement) => button.click());
  await page.locator("#elsewhere").focus();
  await step(page, "done");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "elsewhere");
  await page.close();
});

test("names of files and people never become markup", async () => {
  const { page, noise } = await open(hsm({ holder: `<img src=x onerror="document.title='pwned'">` }));
  await choose(page, PDF, `<script>document.title="pwned"</script>.pdf`);
  await step(page, "confirming");
  assert.match(await page.locator("[data-step=confirming]").innerText(), /<img src=x/);
  assert.equal(await page.title(), "TEST");
  assert.deepEqual(noise, []);
  await page.close();
});

test("an element that is taken away stops, and one that is moved goes on", async () => {
  const { page } = await open(hsm());
  await choose(page);
  await step(page, "confirming");
  await page.evaluate(() => document.body.append(document.querySelector("rubrica-signer")!));
  await step(page, "confirming");
  await page.evaluate(async () => {
    const signer = document.querySelector("rubrica-signer")!;
    signer.remove();
    await new Promise((resolve) => setTimeout(resolve, 10));
    document.body.append(signer);
  });
  await step(page, "idle");
  await page.close();
});

// ---- helpers

interface Api {
  readonly requests: string[];
  answer(route: Route): Promise<void>;
}

function certificate(name: string): object {
  return {
    holder: { name, identifier_masked: "***.982.247-**" },
    issuer: "AC TEST",
    serial: "01",
    sha256: "ab".repeat(32),
    icp_type: "A3",
    not_before: "2026-01-01T00:00:00Z",
    not_after: "2029-01-01T00:00:00Z",
  };
}

/** A bank that keeps the key. */
function hsm({ content = SIGNED, holder = "ANA TEST", refuseOnce = false } = {}): Api {
  const requests: string[] = [];
  let refusals = refuseOnce ? 1 : 0;
  const signature = (state: string) => ({
    id: "sig_1",
    state,
    expires_at: "2030-01-01T00:00:00Z",
    to_sign: null,
    problem: null,
    artefact:
      state === "released"
        ? {
            name: "contrato-assinado.pdf",
            media_type: "application/pdf",
            size_bytes: content.length,
            sha256: sha256(content),
            released_at: "2026-11-23T12:00:00Z",
          }
        : null,
  });
  return {
    requests,
    async answer(route) {
      const request = route.request();
      const path = new URL(request.url()).pathname;
      requests.push(`${request.method()} ${path}`);
      if (refusals-- > 0) return route.fulfill({ status: 401, json: { code: "session_expired" } });
      if (path === "/v1/custody") {
        const key = { id: "key_1", certificate: certificate(holder) };
        return route.fulfill({ json: { custody: "hsm", key, options: [], sources: [] } });
      }
      if (path === "/v1/documents") return route.fulfill({ status: 201, json: { id: "doc_1" } });
      if (path === "/v1/signatures") return route.fulfill({ status: 202, json: signature("accepted") });
      if (path === "/v1/signatures/sig_1") return route.fulfill({ json: signature("released") });
      return route.fulfill({ body: content, contentType: "application/pdf" });
    },
  };
}

/** A bank that keeps nothing. */
function local(): Api {
  const requests: string[] = [];
  return {
    requests,
    answer(route) {
      requests.push(route.request().url());
      return route.fulfill({ json: { custody: null, key: null, options: ["local"], sources: [] } });
    },
  };
}

/** A page, and everything that it should not have said. */
async function open(api: Api): Promise<{ page: Page; noise: string[] }> {
  const page = await browser.newPage();
  const noise: string[] = [];
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(error.message));
  await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
  await page.route("**/v1/**", (route) => api.answer(route));
  await page.goto(origin);
  await step(page, "idle");
  return { page, noise };
}

/** Drops a file as a person would choose it. */
async function choose(page: Page, bytes = PDF, name = "contrato.pdf"): Promise<void> {
  await page.locator("[data-action=choose-file]").focus();
  await page.locator("input[type=file]").setInputFiles({ name, mimeType: "application/pdf", buffer: bytes });
}

async function step(page: Page, name: string): Promise<void> {
  await page.locator(`[data-step=${name}]`).waitFor({ timeout: 20_000 });
}

function heading(page: Page): Promise<string> {
  return page.locator("[data-step] h2").innerText();
}

function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.querySelector("rubrica-signer")?.shadowRoot?.activeElement?.id);
}
