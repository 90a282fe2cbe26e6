// The demo instance starts, starts again, ends without leftovers, and says what is in its way.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { assertRefusal, MISUSE } from "../lib/rubrica.js";
import { run, rubrica, start } from "../lib/tools.js";

test("two starts on one folder, and Ctrl-C ends all of it", async () => {
  const folder = temporaryFolder("demo-start");
  for (let starts = 0; starts < 2; starts += 1) {
    const server = demo(folder);
    const url = await address(server);
    assert.match(server.output(), /Signed and verified a sample PDF/);
    assert.equal((await fetch(`${url}/health/ready`)).status, 200);
    const family = descendants(server.pid);
    await server.stop();
    assert.equal(await server.exited, 0, server.output());
    assert.deepEqual(family.filter(isAlive), [], "no process is left");
  }
});

test("a folder in use by another demo is refused", async () => {
  const folder = temporaryFolder("demo-start");
  const server = demo(folder);
  await address(server);
  const second = run(rubrica(), ["demo", "--port", "0", "--data", join(folder, "data")]);
  await server.stop();
  assert.notEqual(second.code, 0);
  assert.match(second.stderr, /^error\[\w+\]: .+\n$/);
});

test("a port in use is refused with the way out", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => blocker.once("listening", resolve));
  const { port } = /** @type {import("node:net").AddressInfo} */ (blocker.address());
  const result = run(rubrica(), ["demo", "--port", String(port), "--data", join(temporaryFolder("demo-start"), "data")]);
  blocker.close();
  assertRefusal(result, MISUSE, "port_in_use");
});

test("a data folder that cannot be made is refused", () => {
  const file = join(temporaryFolder("demo-start"), "a-file");
  writeFileSync(file, "");
  assertRefusal(run(rubrica(), ["demo", "--port", "0", "--data", join(file, "data")]), MISUSE, "data_folder_unwritable");
});

test("a folder with other things in it is refused and left alone", () => {
  const folder = temporaryFolder("demo-start");
  writeFileSync(join(folder, "carta.txt"), "TESTE");
  assertRefusal(run(rubrica(), ["demo", "--port", "0", "--data", folder]), MISUSE, "data_folder_unknown");
  assert.deepEqual(readdirSync(folder), ["carta.txt"]);
});

test("a missing PKCS#11 module is refused with the line to run", () => {
  const data = join(temporaryFolder("demo-start"), "data");
  const env = { RUBRICA_PKCS11_MODULE: "/nowhere/libsofthsm2.so" };
  const result = run(rubrica(), ["demo", "--port", "0", "--data", data], { env });
  assertRefusal(result, MISUSE, "pkcs11_module_missing");
  assert.match(result.stderr, /softhsm2/);
  assert.equal(existsSync(data), false, "nothing half-made is left");
});

/** @param {string} folder */
function demo(folder) {
  return start(rubrica(), ["demo", "--port", "0", "--data", join(folder, "data")]);
}

/** @param {ReturnType<typeof start>} server */
async function address(server) {
  for (let i = 0; i < 600; i++) {
    const url = /Rubrica demo: (http:\/\/\S+)/.exec(server.output())?.[1];
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the demo did not start:\n${server.output()}`);
}

/** @param {number} pid @returns {number[]} the process and everything it started */
function descendants(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(descendants)];
}

/** @param {number} pid */
function isAlive(pid) {
  return existsSync(`/proc/${pid}`);
}
