// Builds the portal into dist/: static files that run under a strict policy. The signing package is installed from its tarball, as an
// outside user would have it, never from the sources beside it.

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = join(HERE, "..", "npm");
const SIMULATOR = join(HERE, "..", "tests", "web-pki-simulator");
const DIST = join(HERE, "dist");

installPackage();
rmSync(DIST, { recursive: true, force: true });
await build({
  entryPoints: { app: join(HERE, "src", "main.ts"), return: join(HERE, "src", "return.ts") },
  outdir: DIST,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  sourcemap: true,
  loader: { ".woff2": "file" },
  // Loaded from the site, and only when the visitor switches it on.
  external: ["/simulator/*"],
  logLevel: "warning",
});
cpSync(join(HERE, "index.html"), join(DIST, "index.html"));
cpSync(join(HERE, "public"), DIST, { recursive: true });
cpSync(join(SIMULATOR, "simulator.js"), join(DIST, "simulator", "simulator.js"));
cpSync(join(SIMULATOR, "lib"), join(DIST, "simulator", "lib"), { recursive: true });
copyWasm();

/** Packs `npm/` and installs the tarball without touching the lock file: its digest changes with every build. */
function installPackage() {
  const folder = join(HERE, "node_modules", ".packed");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // `--ignore-scripts`: what is packed is what was built, not what a hook would build now.
  execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], { cwd: PACKAGE, stdio: ["ignore", "ignore", "inherit"] });
  const [tarball] = readdirSync(folder);
  const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
  execFileSync("npm", ["install", "--no-save", "--no-package-lock", ...quiet, join(folder, String(tarball))], { cwd: HERE, stdio: "inherit" });
}

/** esbuild leaves `new URL("./wasm/x.wasm", import.meta.url)` alone: the module has to lie at that place beside the bundle. */
function copyWasm() {
  const wasm = fileURLToPath(import.meta.resolve("@rubrica/web/wasm"));
  if (!existsSync(wasm)) throw new Error(`${wasm} is missing; run: npm run build in npm/`);
  cpSync(wasm, join(DIST, "wasm", basename(wasm)));
}
