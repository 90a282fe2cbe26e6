// The published element in a real page: strict content policy, Trusted Types, an API that answers by script.
// The way with a real API, a real token and a simulated device is tested in tests/e2e.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { after, before, test } from "node:test";

import type { Browser, Page, Route } from "playwright-core";

import { launch, serve } from "./browser.js";
import { dist } from "./paths.js";

const PDF = Buffer.from("%PDF-1.7\n% contract TEST\n");
const SIGNED = Buffer.concat([PDF, Buffer.from("% signature TEST\n")]);
const CONSENT = "Concordo. TEST\n\nSempre. TEST";
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

const page = (script: string) => `<!doctype html><html lang="pt-BR"><title>TEST</title>
  <main><button id="elsewhere">x</button><rubrica-signer return-url="/return.html"></rubrica-signer></main><script type="module" src="${script}"></script>`;

const pages = {
  "/": page("/page.js"),
  "/return.html": `<!doctype html><title>TEST</title><script type="module" src="/return.js"></script>`,
  "/page.js": `import "/element/define.js";
    const signer = document.querySelector("rubrica-signer");
    globalThis.asked = [];
    signer.requestCertificate = async (csr) => (asked.push(csr), "PEM TEST");
    signer.session = { token: "token-TEST", signer: { name: "ANA TEST", identifier_masked: "***.982.247-**" } };
    globalThis.heard = [];
    for (const type of ["rubrica-step", "rubrica-signed", "rubrica-failed", "rubrica-cancelled"]) {
      document.addEventListener(type, (event) => heard.push([type, event.detail]));
    }`,
};

let browser: Browser;
let server: Server;
let origin: string;
/** A cloud service: another origin. */
let elsewhere: { server: Server; origin: string };

before(async () => {
  browser = await launch();
  ({ server, origin } = await serve(dist, pages));
  elsewhere = await serve(dist, { "/service": "<!doctype html><title>TEST</title>" });
});

after(async () => {
  await browser.close();
  server.close();
  elsewhere.server.close();
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

test("somebody without a key reads, agrees, and signs with the new key", async () => {
  const api = enrolling();
  const { page, noise } = await open(api);
  await choose(page);
  await step(page, "offer");
  assert.equal(await page.locator("[data-action=take]").isDisabled(), true, "nothing is chosen for the person");
  await page.locator("input[value=enrol]").check();
  await page.locator("[data-action=take]").click();
  await page.locator("[data-action=agree]").waitFor();
  assert.equal(await page.locator(".consent").innerText(), "Concordo. TEST\n\nSempre. TEST");
  assert.ok(!api.requests.some((request) => request.startsWith("POST")), "nothing is made before the person agrees");
  const [copy] = await Promise.all([page.waitForEvent("download"), page.locator("[data-action=save-text]").click()]);
  assert.equal(copy.suggestedFilename(), "key-custody-1.pt-BR.txt");
  assert.equal(readFileSync(await copy.path(), "utf8"), CONSENT);
  await page.locator("[data-action=agree]").click();
  await step(page, "stored");
  assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { asked: string[] }).asked), ["CSR TEST"]);
  await page.locator("[data-action=proceed]").click();
  await step(page, "confirming");
  await page.locator("[data-action=confirm]").click();
  await step(page, "done");
  assert.deepEqual(
    api.requests.filter((request) => request.startsWith("POST")),
    ["POST /v1/consents", "POST /v1/enrolments", "POST /v1/enrolments/enr_1/certificate", "POST /v1/documents", "POST /v1/signatures"],
  );
  assert.deepEqual(noise, []);
  await page.close();
});

test("a consent whose text is not the one of its digest is not shown", async () => {
  const api = enrolling({ text: "Concordo com tudo. TEST" });
  const { page } = await open(api);
  await choose(page);
  await step(page, "offer");
  await page.locator("input[value=enrol]").check();
  await page.locator("[data-action=take]").click();
  await step(page, "failed");
  assert.match(await page.locator("[data-step=failed]").innerText(), /digest_mismatch/);
  await page.locator("[data-action=other-way]").click();
  await step(page, "offer");
  await page.close();
});

test("a source that could not tell is named, and nobody is asked to enrol", async () => {
  const { page } = await open(enrolling({ certain: false }));
  await choose(page);
  await step(page, "offer");
  const text = await page.locator("[data-step=offer]").innerText();
  assert.match(text, /Serviços em nuvem[\s\S]*Não foi possível saber[\s\S]*Não respondeu a tempo/);
  assert.deepEqual(await page.locator("input[name=way]").evaluateAll((all) => all.map((one) => (one as HTMLInputElement).value)), ["device"]);
  await page.locator("[data-action=refresh]").click();
  await step(page, "offer");
  await page.close();
});

test("a cloud certificate: its window, what it brings back, and the service's word", async () => {
  const api = cloud();
  const { page, noise } = await open(api);
  await choose(page);
  await step(page, "confirming");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("[data-action=confirm]").click()]);
  await step(page, "waiting_approval");
  await popup.waitForURL(`${elsewhere.origin}/**`);
  // Another tab's way back changes nothing here.
  await page.evaluate(() => new BroadcastChannel("rubrica.return").postMessage("?state=other"));
  await page.locator("[data-step=waiting_approval]").waitFor();
  await Promise.all([popup.waitForEvent("close"), popup.goto(`${origin}/return.html?state=s&code=c`).catch(() => undefined)]);
  await step(page, "done");
  assert.ok(api.bodies.includes('{"parameters":{"state":"s","code":"c"}}'), api.bodies.join(" "));
  assert.ok(api.bodies.some((body) => body.includes('"authorization_id":"aut_1"')));
  assert.deepEqual(noise, ["Failed to load resource: the server responded with a status of 409 (Conflict)"], "of the other tab's");
  await page.close();
});

test("a closed window ends nothing; the refusal comes from the service", async () => {
  const api = cloud();
  const { page } = await open(api);
  await choose(page);
  await step(page, "confirming");
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("[data-action=confirm]").click()]);
  await popup.waitForURL(`${elsewhere.origin}/**`);
  // A window that is gone sooner is taken for one whose tie the browser has cut.
  await page.waitForTimeout(3_000);
  await popup.close();
  await page.locator("[data-step=waiting_approval] [role=alert]").waitFor();
  assert.equal(await page.locator("[data-action=open-again]").count(), 1);
  api.refuse();
  await step(page, "cancelled");
  assert.equal(await heading(page), "Você recusou no serviço");
  await page.locator("[data-action=retry]").click();
  await step(page, "confirming");
  await page.close();
});

test("a blocked window is opened by another click", async () => {
  const { page } = await open(cloud());
  await page.evaluate(() => {
    const open = globalThis.open.bind(globalThis);
    let refusals = 1;
    globalThis.open = (...parameters) => (refusals-- > 0 ? null : open(...parameters));
  });
  await choose(page);
  await step(page, "confirming");
  await page.locator("[data-action=confirm]").click();
  await page.locator("[data-step=waiting_approval] [role=alert]").waitFor();
  const [popup] = await Promise.all([page.waitForEvent("popup"), page.locator("[data-action=open-again]").click()]);
  await popup.waitForURL(`${elsewhere.origin}/**`);
  await page.locator("[data-action=cancel]").click();
  await step(page, "cancelled");
  assert.ok(popup.isClosed() || (await popup.waitForEvent("close")), "its window goes with the run");
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

/** A bank that makes keys. */
function enrolling({ text = CONSENT, certain = true } = {}): Api {
  const bank = hsm();
  const consent = { text_version: "key-custody-1", language: "pt-BR", text, text_sha256: sha256(Buffer.from(CONSENT)) };
  const enrolment = (state: string) => ({
    id: "enr_1",
    state,
    csr: "CSR TEST",
    certificate: state === "completed" ? certificate("ANA TEST") : null,
    code: null,
  });
  return {
    ...bank,
    async answer(route) {
      const request = route.request();
      const path = new URL(request.url()).pathname;
      const json = (status: number, json: object) => {
        bank.requests.push(`${request.method()} ${path}`);
        return route.fulfill({ status, json });
      };
      if (path === "/v1/custody") {
        const unknown = { source: "lacuna", outcome: "unknown", doubt: "slow", duration_ms: 2000 };
        const no = { source: "hsm", outcome: "no", duration_ms: 2 };
        const offers = certain ? ["hsm_generate", "hsm_import", "local"] : ["local"];
        return json(200, { custody: null, key: null, options: [], offers, certain, preselected: null, sources: certain ? [no] : [no, unknown] });
      }
      if (path === "/v1/consents/texts") return json(200, { items: [consent] });
      if (path === "/v1/consents") return json(201, { id: "cns_1" });
      if (path === "/v1/enrolments") return json(201, enrolment("awaiting_certificate"));
      if (path === "/v1/enrolments/enr_1/certificate") return json(200, enrolment("completed"));
      return bank.answer(route);
    },
  };
}

/** A cloud service keeps the key. */
function cloud(): Api & { readonly bodies: string[]; refuse(): void } {
  const bank = hsm();
  const bodies: string[] = [];
  let state = "requested";
  const authorization = () => ({
    id: "aut_1",
    state,
    auth_url: `${elsewhere.origin}/service`,
    expires_at: "2030-01-01T00:00:00Z",
    problem: state === "failed" ? "provider_refused" : null,
  });
  return {
    ...bank,
    bodies,
    refuse: () => (state = "failed"),
    async answer(route) {
      const request = route.request();
      const path = new URL(request.url()).pathname;
      bodies.push(request.postData() ?? "");
      if (path === "/v1/custody") {
        return route.fulfill({ json: { custody: "lacuna", key: null, services: ["TestCloud"], options: [], offers: [], certain: true, sources: [] } });
      }
      if (path === "/v1/authorizations") return route.fulfill({ status: 201, json: authorization() });
      if (path === "/v1/authorizations/aut_1") return route.fulfill({ json: authorization() });
      if (path === "/v1/authorizations/aut_1/complete") {
        if (!request.postData()?.includes('"state":"s"')) return route.fulfill({ status: 409, json: { code: "authorization_invalid" } });
        state = "granted";
        return route.fulfill({ json: authorization() });
      }
      return bank.answer(route);
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
