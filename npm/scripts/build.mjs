// Builds the package into dist/: Rust → Wasm → bindings → small Wasm, then TypeScript.
// `--wasm` or `--ts` builds only that half.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const npm = fileURLToPath(new URL("..", import.meta.url));
const root = join(npm, "..");
const dist = join(npm, "dist");

const only = process.argv[2];
if (only !== "--ts") buildWasm();
if (only !== "--wasm") buildTypeScript();

function buildWasm() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  run("cargo", ["build", "--locked", "--profile", "wasm", "--target", "wasm32-unknown-unknown", "-p", "rubrica-sdk"], root);

  const out = join(dist, "wasm");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  run(wasmBindgen(), [
    "--target", "web",
    // The page says where the module is; a bundler finds it by the `new URL` in src/wasm.ts.
    "--omit-default-module-path",
    "--out-dir", out,
    "--out-name", "rubrica_sdk",
    join(target, "wasm32-unknown-unknown", "wasm", "rubrica_sdk.wasm"),
  ], root);

  const module = join(out, "rubrica_sdk_bg.wasm");
  // What is called from one place stays a function: inlining all of it makes 1.5 KB more after brotli.
  const smallest = ["-Oz", "--one-caller-inline-max-function-size=30", "--converge"];
  run(process.execPath, [join(npm, "node_modules", "binaryen", "bin", "wasm-opt"), ...smallest, module, "-o", module], root);
  // These need a newer lib than our users have; src/wasm/rubrica_sdk.d.ts declares the one class that is used.
  for (const unused of ["rubrica_sdk.d.ts", "rubrica_sdk_bg.wasm.d.ts"]) rmSync(join(out, unused));
}

/** The tool of exactly the pinned version: bindings of another version do not fit the module. */
function wasmBindgen() {
  const pinned = /^wasm-bindgen = "=([\d.]+)"$/m.exec(readFileSync(join(root, "Cargo.toml"), "utf8"))?.[1];
  if (!pinned) fail("Cargo.toml pins no wasm-bindgen");
  const tool = process.env.WASM_BINDGEN ?? "wasm-bindgen";
  const install = `cargo install wasm-bindgen-cli --version ${pinned} --locked`;
  const found = spawnSync(tool, ["--version"], { encoding: "utf8" });
  if (found.error) {
    const where = process.env.WASM_BINDGEN ?? `PATH (${process.env.PATH?.split(delimiter).length ?? 0} folders)`;
    fail(`wasm-bindgen was not found in ${where}; install it with \`${install}\` or name it in WASM_BINDGEN`);
  }
  const version = found.stdout.trim().split(" ").at(-1);
  if (version !== pinned) fail(`wasm-bindgen ${version} does not fit the pinned ${pinned}; install it with \`${install}\``);
  return tool;
}

function buildTypeScript() {
  if (!existsSync(join(npm, "node_modules", "typescript"))) fail("run `npm ci` first");
  for (const stale of ["element", "locales"]) rmSync(join(dist, stale), { recursive: true, force: true });
  run(process.execPath, [join(npm, "node_modules", "typescript", "bin", "tsc"), "-p", join(npm, "tsconfig.build.json")], npm);
  mkdirSync(join(dist, "wasm"), { recursive: true });
  copyFileSync(join(npm, "src", "wasm", "rubrica_sdk.d.ts"), join(dist, "wasm", "rubrica_sdk.d.ts"));
  for (const licence of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(join(root, licence), join(dist, licence));
}

/** @param {string} program @param {string[]} args @param {string} cwd */
function run(program, args, cwd) {
  const done = spawnSync(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (done.error) fail(`${program}: ${done.error.message}`);
  if (done.status !== 0) process.exit(done.status ?? 1);
}

/** @param {string} message @returns {never} */
function fail(message) {
  process.stderr.write(`build: ${message}\n`);
  process.exit(1);
}
