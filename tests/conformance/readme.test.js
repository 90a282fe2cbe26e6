// The commands of the README run as pasted, on the data folder of a demo that was started once.

import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { ROOT, run, rubrica, start } from "../lib/tools.js";

/** What the README defines; here it is the program under test instead of a build. */
const PROGRAM = 'rubrica() { cargo run --quiet --package rubrica -- "$@"; }';

test("the command line section signs and verifies as pasted", async () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  const block = /## Sign from the command line[^]*?```sh\n([^]*?)```/.exec(readme)?.[1];
  assert.ok(block, "the README has its block of commands");
  assert.ok(block.startsWith(PROGRAM), "which begins with the program");
  const folder = temporaryFolder("readme");
  symlinkSync(join(ROOT, "demo-site"), join(folder, "demo-site"));
  const server = start(rubrica(), ["demo", "--port", "0", "--data", "demo-data"], { cwd: folder });
  while (!/Rubrica demo: http/.test(server.output())) await new Promise((resolve) => setTimeout(resolve, 50));
  await server.stop();

  const commands = block.replace(PROGRAM, 'rubrica() { "$RUBRICA" "$@"; }');
  const { code, output } = run("bash", ["-euo", "pipefail", "-c", commands], {
    cwd: folder,
    env: { RUBRICA: rubrica() },
  });
  assert.equal(code, 0, output);
  assert.match(output, /signed\.pdf: Result: valid/);
  assert.ok(existsSync(join(folder, "signed.pdf")));
});
