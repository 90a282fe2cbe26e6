// Size budgets of what a browser downloads, after brotli (design, section 10).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { buildSync } from "esbuild";

import { dist } from "./paths.js";

const KB = 1024;

/** What a bundler makes of an entry; the bindings and the module are fetched later. */
function bundled(entry: string): number {
  const { outputFiles } = buildSync({
    entryPoints: [join(dist, entry)],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    external: ["./wasm/rubrica_sdk.js"],
  });
  return brotliCompressSync(outputFiles[0]!.contents).length;
}

test("the signing path in WebAssembly stays within 70 KB", () => {
  const size = brotliCompressSync(readFileSync(join(dist, "wasm", "rubrica_sdk_bg.wasm"))).length;
  assert.ok(size <= 70 * KB, `${size} bytes`);
});

test("the first screen of the element stays within 25 KB with all languages", () => {
  const size = bundled("element/define.js");
  assert.ok(size <= 25 * KB, `${size} bytes`);
});

test("the headless entry stays within 12 KB with all error texts", () => {
  const size = bundled("index.js");
  assert.ok(size <= 12 * KB, `${size} bytes`);
});
