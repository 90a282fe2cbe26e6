// The HTTP contract from outside: the document is valid, the service does what it says, and people can read it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openBrowser } from "../lib/browser.js";
import { startDemo } from "../lib/demo.js";
import { temporaryFolder } from "../lib/folders.js";
import { ROOT, python, rubrica, run, runOk, start } from "../lib/tools.js";

const SECONDS = Number(process.env.RUBRICA_FUZZ_SECONDS ?? 60);

/** What every answer is held to. */
const CHECKS = [
  "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
  "response_schema_conformance", "unsupported_method", "allow_header_conformance",
];

/** @type {import("../lib/demo.js").Demo} */
let demo;

before(async () => {
  demo = await startDemo({
    portal: false,
    // Webhooks go to a port of this machine where nobody listens.
    env: { RUBRICA_LOG_FORMAT: "json", RUBRICA_LOG_LEVEL: "warn", RUBRICA_WEBHOOKS_PRIVATE_HOSTS: "127.0.0.1" },
  });
});

after(() => demo.stop());

test("the document is valid OpenAPI 3.1", async () => {
  const validate = "import json, sys; from openapi_spec_validator import validate; validate(json.load(sys.stdin))";
  const document = await (await fetch(`${demo.url}/openapi.json`)).text();
  const verdict = run(python("python"), ["-c", validate], { input: document });
  assert.equal(verdict.code, 0, verdict.output);
  assert.match(JSON.parse(document).openapi, /^3\.1\./);
  const broken = run(python("python"), ["-c", validate], { input: document.replaceAll('"responses"', '"answers"') });
  assert.notEqual(broken.code, 0, "the validator sees what is wrong");
});

test("generated requests, right and wrong, get documented answers", { timeout: (SECONDS + 300) * 1000 }, async () => {
  const folder = temporaryFolder("contract");
  const report = join(folder, "requests.yaml");
  const document = /** @type {any} */ (await (await fetch(`${demo.url}/openapi.json`)).json());
  const fuzzed = start(
    python("st"),
    [
      "run", `${demo.url}/openapi.json`, "--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing,stateful",
      "--max-time", String(SECONDS), "--continue-on-failure", "--generation-database", "none", "--seed", "20261123",
      "--request-timeout", "30", "--warnings", "off", "--no-color", "--report", "vcr", "--report-vcr-path", report,
    ],
    // It leaves a cache where it runs.
    { cwd: folder, env: { RUBRICA_FUZZ: JSON.stringify(await world()), SCHEMATHESIS_HOOKS: join(ROOT, "tests", "contract", "hooks.py") } },
  );
  assert.equal(await fuzzed.exited, 0, fuzzed.output());
  console.log(/\d+ generated, .*/.exec(fuzzed.output())?.[0]);

  // Every operation was also reached by requests that it took, so that the answers judged are not refusals alone.
  const taken = successes(readFileSync(report, "utf8"));
  const missed = [];
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of Object.keys(/** @type {object} */ (item))) {
      const route = `${method.toUpperCase()} ${path}`;
      if (!path.startsWith("/v1/") || NEVER_TAKEN.has(route)) continue;
      if (!taken.some((one) => matches(one, method, path))) missed.push(route);
    }
  }
  assert.deepEqual(missed, [], "these were never taken; see hooks.py");
  const failures = demo.output().split("\n").filter((line) => line.includes('"code":"internal"'));
  assert.deepEqual(failures, [], "nothing failed inside");
});

test("the documentation is a page for everybody", async (t) => {
  const browser = await openBrowser({ context: { viewport: { width: 1280, height: 900 } } });
  t.after(() => browser.close());
  const page = await browser.newPage();
  /** @type {string[]} */
  const heard = [];
  page.on("console", (message) => heard.push(message.text()));
  page.on("request", (request) => heard.push(...(request.url() === `${demo.url}/docs` ? [] : [request.url()])));
  await page.goto(`${demo.url}/docs`);
  // The browser asks for an icon by itself.
  assert.deepEqual(heard.filter((line) => !/favicon\.ico|404/.test(line)), [], "no script, no request, no complaint");
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, "docs-1280.png") });
  await page.locator('nav a[href="#create_signature"]').click();
  assert.ok(await page.locator("#create_signature").isVisible());
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide at ${width} px`);
  }
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, "docs-320.png") });
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), [], colorScheme);
  }
});

/**
 * Operations that need what generated requests cannot make: a value that only the person's key gives, a signed file, a
 * delivery that is dead, a batch that is still under way, a key that nobody needs any more, a certificate for a key of the token,
 * a person at a cloud service.
 */
const NEVER_TAKEN = new Set([
  "POST /v1/signatures/{id}/complete", "POST /v1/validations", "POST /v1/webhooks/{id}/deliveries/{event_id}/retry",
  "POST /v1/authorizations", "GET /v1/authorizations/{id}", "POST /v1/authorizations/{id}/complete",
  "POST /v1/keys/{id}/retire", "POST /v1/enrolments/{id}/certificate", "POST /v1/batches/{id}/pause", "POST /v1/batches/{id}/resume", "POST /v1/batches/{id}/cancel",
]);

/** Credentials, and identifiers of things that exist and belong together. */
async function world() {
  const apiKey = readFileSync(join(demo.data, "secrets", "portal-api-key"), "utf8").trim();
  const ana = { identifier: "52998224725", name: "ANA BEATRIZ DE SOUZA TEST" };
  const session = await post("/v1/sessions", apiKey, { signer: ana, origins: [demo.url], expires_in_seconds: 3600 });
  const pdf = readFileSync(join(ROOT, "api", "testdata", "contract.pdf"));
  const document = await post("/v1/documents", session.token, pdf, "application/pdf");
  const signature = await post("/v1/signatures", session.token, { document_id: document.id, custody: "hsm", format: "pades" });
  const released = await fetch(`${demo.url}/v1/signatures/${signature.id}?wait_ms=20000`, { headers: bearer(session.token) });
  assert.equal(/** @type {any} */ (await released.json()).state, "released");
  const listed = runOk(rubrica(), ["keys", "list", "--json", "--data", demo.data]);
  /** @type {{ id: string, algorithm: string }[]} */
  const keys = JSON.parse(listed.stdout);
  const signingKey = keys.find((one) => one.algorithm === "rsa");
  const otherKey = keys.find((one) => one !== signingKey);
  assert.ok(signingKey && otherKey, listed.stdout);
  const texts = await fetch(`${demo.url}/v1/consents/texts`, { headers: bearer(session.token) });
  const { text_version, language, text_sha256 } = /** @type {any} */ (await texts.json()).items[0];
  const text = { text_version, language, text_sha256 };
  const thing = async () => {
    const consent = await post("/v1/consents", session.token, text);
    const otherConsent = await post("/v1/consents", session.token, text);
    const enrolment = await post("/v1/enrolments", session.token, { method: "generate", consent_id: consent.id, algorithm: "ec" });
    const order = await post("/v1/orders", apiKey, {
      title: "TEST", documents: [document.id], participants: [{ signer: ana }], flow: "parallel", rules: { format: "pades" },
    });
    const key = await post("/v1/api-keys", apiKey, { name: "TEST", scopes: ["orders:read"] });
    const webhook = await post("/v1/webhooks", apiKey, { url: "http://127.0.0.1:9/TEST" });
    const sha256 = "0".repeat(64);
    const manifest = [{ key_id: signingKey.id, format: "cades" }, { reference: "TEST", sha256 }].map((line) => JSON.stringify(line));
    const batch = await post("/v1/batches", apiKey, Buffer.from(manifest.join("\n")), "application/x-ndjson");
    return {
      BatchId: batch.id, KeyId: signingKey.id, OtherKeyId: otherKey.id, DocumentId: document.id, SignatureId: signature.id,
      ApiKeyId: key.id, ConsentId: consent.id, OtherConsentId: otherConsent.id, ConsentText: text, EnrolmentId: enrolment.id,
      OrderId: order.id, ParticipantId: order.participants[0].id, WebhookId: webhook.id,
    };
  };
  const things = await Promise.all(Array.from({ length: 8 }, thing));
  return { credentials: { api_key: apiKey, session: session.token }, things };
}

/**
 * @param {string} path @param {string} token @param {object | Buffer} body @param {string} [type]
 * @returns {Promise<any>}
 */
async function post(path, token, body, type = "application/json") {
  const response = await fetch(demo.url + path, {
    method: "POST", headers: { ...bearer(token), "content-type": type },
    body: Buffer.isBuffer(body) ? new Uint8Array(body) : JSON.stringify(body),
  });
  const text = await response.text();
  assert.ok(response.ok, `${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** @param {string} token */
function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

/** Requests of the report that were answered with 2xx, as method and path. @param {string} report */
function successes(report) {
  const found = [];
  let [uri, method] = ["", ""];
  for (const line of report.split("\n")) {
    const [, name, value] = /^ {4,6}(uri|method|code): ['"]?([^'"]*)/.exec(line) ?? [];
    if (name === "uri" && value) uri = new URL(value).pathname;
    if (name === "method" && value) method = value;
    if (name === "code" && value?.startsWith("2")) found.push(`${method} ${uri}`);
  }
  return found;
}

/** @param {string} request @param {string} method @param {string} path */
function matches(request, method, path) {
  const pattern = path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${method.toUpperCase()} ${pattern}$`).test(request);
}

/** @param {import("playwright-core").Page} page @returns {Promise<string[]>} */
async function violations(page) {
  const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((/** @type {{ id: string, nodes: { html: string }[] }} */ one) => `${one.id}: ${one.nodes[0]?.html}`);
  });
}
