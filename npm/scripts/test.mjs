// Compiles the tests and runs them on what is published: build first. `test.mjs sizes` runs one file.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { buildSync } from "esbuild";

const npm = fileURLToPath(new URL("..", import.meta.url));
const out = join(npm, "node_modules", ".cache", "tests");

if (!existsSync(join(npm, "dist", "index.js"))) {
  process.stderr.write("test: there is no dist; run `npm run build` first\n");
  process.exit(1);
}
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const only = process.argv[2];
const files = readdirSync(join(npm, "test")).filter((name) => name.endsWith(only ? `${only}.test.ts` : ".test.ts"));
buildSync({
  entryPoints: files.map((name) => join(npm, "test", name)),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "error",
});
const tests = files.map((name) => join(out, name.replace(/\.ts$/, ".mjs")));
const done = spawnSync(
  process.execPath,
  ["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=180000", ...tests],
  { cwd: npm, stdio: "inherit" },
);
process.exit(done.status ?? 1);
