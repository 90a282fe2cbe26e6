// Size budgets of what a browser downloads, after brotli (design, section 10).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

import { buildSync } from "esbuild";

import { dist } from "./paths.js";

const KB = 1024;

/** What a bundler makes of an entry: what is fetched with it, and each file that is fetched later. */
function bundled(entry: string): { first: number; later: Map<string, number> } {
  const { outputFiles, metafile } = buildSync({
    entryPoints: [join(dist, entry)],
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    write: false,
    metafile: true,
    outdir: join(dist, "never-written"),
    // The bindings and the module.
    external: ["./wasm/rubrica_sdk.js"],
  });
  const sizes = new Map(outputFiles.map(({ path, contents }) => [path, brotliCompressSync(contents).length]));
  const sizeOf = (path: string) => sizes.get(resolve(path)) ?? assert.fail(path);
  const entryPath = Object.keys(metafile.outputs).find((path) => metafile.outputs[path]!.entryPoint?.endsWith(entry));
  const first = new Set<string>();
  const later = new Set<string>();
  (function follow(path: string) {
    if (first.has(path)) return;
    first.add(path);
    for (const { path: next, kind, external } of metafile.outputs[path]!.imports) {
      if (external) continue;
      if (kind === "dynamic-import") later.add(next);
      else follow(next);
    }
  })(entryPath ?? assert.fail(entry));
  return {
    first: [...first].reduce((sum, path) => sum + sizeOf(path), 0),
    later: new Map([...later].map((path) => [metafile.outputs[path]!.entryPoint ?? path, sizeOf(path)])),
  };
}

test("the signing path in WebAssembly stays within 70 KB", () => {
  const size = brotliCompressSync(readFileSync(join(dist, "wasm", "rubrica_sdk_bg.wasm"))).length;
  assert.ok(size <= 70 * KB, `${size} bytes`);
});

test("the first screen of the element stays within 25 KB, and each further language within 4.5 KB", () => {
  const { first, later } = bundled("element/define.js");
  assert.ok(first <= 25 * KB, `${first} bytes`);
  assert.equal(later.size, 2, [...later.keys()].join(" "));
  for (const [file, size] of later) assert.ok(size <= 4.5 * KB, `${file}: ${size} bytes`);
});

test("the headless entry stays within 12 KB with all error texts", () => {
  const { first } = bundled("index.js");
  assert.ok(first <= 12 * KB, `${first} bytes`);
});
