// What is published, installed into a fresh project.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { root } from "./paths.js";

let project: string;

before(() => {
  project = mkdtempSync(join(tmpdir(), "rubrica-pack-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "fresh", private: true, type: "module" }));
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", project], root);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], project);
});

after(() => rmSync(project, { recursive: true, force: true }));

test("only what is needed is packed", () => {
  const [{ files, unpackedSize }] = JSON.parse(run("npm", ["pack", "--ignore-scripts", "--dry-run", "--json"], root)) as [
    { files: { path: string }[]; unpackedSize: number },
  ];
  const strange = files.map((file) => file.path).filter((path) => !/^(dist\/|package\.json$|README\.md$|CHANGELOG\.md$)/.test(path));
  assert.deepEqual(strange, []);
  for (const needed of ["dist/wasm/rubrica_sdk_bg.wasm", "dist/wasm/rubrica_sdk.js", "dist/LICENSE-MIT", "dist/index.d.ts"]) {
    assert.ok(files.some((file) => file.path === needed), needed);
  }
  assert.ok(unpackedSize < 1_500_000, String(unpackedSize));
});

test("every entry is imported under Node", () => {
  const script = `
    import { createSigner, errorCodes } from "@rubrica/web";
    import { RubricaSigner } from "@rubrica/web/element";
    import "@rubrica/web/element/define";
    import { createRequire } from "node:module";
    import { readFileSync } from "node:fs";
    const wasm = new URL(import.meta.resolve("@rubrica/web/wasm"));
    const { version } = createRequire(import.meta.url)("@rubrica/web/package.json");
    const signer = createSigner({ session: "TEST" });
    console.log([signer.getSnapshot().step, typeof RubricaSigner, errorCodes.length > 50,
      WebAssembly.validate(readFileSync(wasm)), version].join(" "));
  `;
  assert.match(run("node", ["--input-type=module", "--eval", script], project), /^idle function true true \d+\.\d+\.\d+/);
});

test("the types hold what they promise, and the quick starts of the README compile", () => {
  const blocks = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!);
  assert.ok(blocks.length >= 2, "the README shows code");
  for (const [index, block] of blocks.entries()) {
    assert.ok(block.trim().split("\n").length <= 10, `example ${index + 1} has ten lines at most`);
    writeFileSync(join(project, `example-${index}.ts`), `${block}\nexport {};\n`);
  }
  cpSync(join(root, "test", "types.ts"), join(project, "types.ts"));
  const options = (moduleResolution: string, module: string) => ({
    compilerOptions: {
      strict: true,
      noEmit: true,
      target: "ES2022",
      lib: ["ES2022", "DOM", "DOM.Iterable"],
      types: [],
      skipLibCheck: false,
      module,
      moduleResolution,
    },
    include: ["*.ts"],
  });
  for (const [name, config] of [
    ["nodenext", options("nodenext", "nodenext")],
    ["bundler", options("bundler", "esnext")],
  ] as const) {
    const file = join(project, `tsconfig.${name}.json`);
    writeFileSync(file, JSON.stringify(config));
    run("node", [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", file], project);
  }
});

function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${program} ${args[0]} failed\n${stdout}\n${stderr}`);
  }
}
