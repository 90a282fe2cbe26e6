// The headless signer where there is no page: on a server, and before anything could be loaded.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { test } from "node:test";

import type * as Package from "../src/index.js";
import { dist } from "./paths.js";

const load = async () => (await import(pathToFileURL(`${dist}/index.js`).href)) as typeof Package;
const pdf = { name: "contrato.pdf", file: new TextEncoder().encode("%PDF-1.7 TEST") };

test("importing every entry on a server has no effect", async () => {
  const before = Object.keys(globalThis);
  await load();
  const element = await import(pathToFileURL(`${dist}/element/index.js`).href);
  await import(pathToFileURL(`${dist}/element/define.js`).href);
  assert.equal(typeof element.RubricaSigner, "function");
  assert.deepEqual(Object.keys(globalThis), before);
});

test("a new signer has done nothing and says so on a server too", async () => {
  const { createSigner } = await load();
  let asked = 0;
  const signer = createSigner({ session: () => `${++asked}` });
  assert.equal(signer.getSnapshot(), signer.getServerSnapshot());
  assert.equal(signer.getSnapshot().step, "idle");
  assert.ok(Object.isFrozen(signer.getSnapshot()));
  for (const act of ["confirm", "back", "useLocal", "refresh", "keepWaiting", "cancel", "retry", "reset"] as const) {
    assert.equal(signer[act](), false, act);
  }
  assert.equal(signer.choose("x"), false);
  assert.equal(asked, 0);
});

test("a module that cannot be compiled is an outcome, not an exception", async () => {
  const { createSigner } = await load();
  const signer = createSigner({ session: "TEST", locale: "en", wasm: new Uint8Array([1, 2, 3]) });
  const steps: string[] = [];
  const stop = signer.subscribe(() => steps.push(signer.getSnapshot().step));
  const { data, error } = await signer.sign(pdf);
  assert.equal(data, null);
  assert.equal(error?.code, "platform_unsupported");
  assert.match(error?.userMessage ?? "", /Chrome, Edge or Firefox/);
  assert.deepEqual(steps, ["resolving", "failed"]);
  assert.equal(signer.reset(), true);
  stop();
  await signer.sign(pdf);
  assert.deepEqual(steps, ["resolving", "failed", "idle"], "nobody listens any more");
});

test("a module that cannot be fetched may be tried again", async () => {
  const { createSigner } = await load();
  const signer = createSigner({ session: "TEST", wasm: "http://127.0.0.1:1/none.wasm" });
  const { error } = await signer.sign(pdf);
  assert.equal(error?.code, "network_unreachable");
  assert.equal(error?.retryable, true);
  assert.equal(signer.retry(), true);
  assert.equal(signer.getSnapshot().step, "resolving");
  assert.equal(signer.cancel(), true);
});

test("one document at a time, and a cancelled one settles at once", async () => {
  const { createSigner } = await load();
  const signer = createSigner({ session: "TEST", wasm: "http://127.0.0.1:1/none.wasm" });
  const abort = new AbortController();
  const first = signer.sign(pdf, { signal: abort.signal });
  assert.equal((await signer.sign(pdf)).error?.code, "busy");
  abort.abort();
  const { error } = await first;
  assert.equal(error?.code, "user_cancelled");
  assert.equal(error?.cancelledBy, "caller");
  assert.deepEqual(signer.getSnapshot(), { step: "cancelled", by: "caller", abandoned: false });
});

test("an aborted signal and a disposed signer start nothing", async () => {
  const { createSigner } = await load();
  const signer = createSigner({ session: "TEST" });
  assert.equal((await signer.sign(pdf, { signal: AbortSignal.abort() })).error?.cancelledBy, "caller");
  assert.equal(signer.getSnapshot().step, "idle");
  signer.dispose();
  assert.equal((await signer.sign(pdf)).error?.code, "step_refused");
});

test("disposing settles what is waited for", async () => {
  const { createSigner } = await load();
  const signer = createSigner({ session: "TEST", wasm: "http://127.0.0.1:1/none.wasm" });
  const waiting = signer.sign(pdf);
  signer.dispose();
  assert.equal((await waiting).error?.code, "user_cancelled");
});
