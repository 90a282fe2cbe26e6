// Programs that the suites call. A missing one is an error with the line to run, never a skipped test.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the checkout. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const TESTS = join(ROOT, "tests");

/** Where each program comes from on Debian and Ubuntu. @type {Record<string, string>} */
const PACKAGES = {
  pdfsig: "apt-get install poppler-utils",
  qpdf: "apt-get install qpdf",
  openssl: "apt-get install openssl",
  chromium: "apt-get install chromium",
  python3: "apt-get install python3 python3-venv",
};

/**
 * What a program left behind.
 * @typedef {{ code: number, stdout: string, stderr: string, output: string }} Result
 */

/**
 * Runs a program to its end.
 * @param {string} program path, or a name of `PACKAGES`
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: Record<string, string>, input?: string | Buffer, timeoutMs?: number }} [options]
 * @returns {Result}
 */
export function run(program, parameters, { cwd, env = {}, input, timeoutMs = 120_000 } = {}) {
  const result = spawnSync(locate(program), parameters, {
    cwd, input, timeout: timeoutMs, encoding: "utf8", maxBuffer: 64 << 20,
    env: { ...process.env, LC_ALL: "C.UTF-8", ...env },
  });
  if (result.error) throw new Error(`${program} could not be run: ${result.error.message}`);
  const { stdout, stderr } = result;
  return { code: result.status ?? -1, stdout, stderr, output: stdout + stderr };
}

/**
 * Runs a program and throws when it fails.
 * @param {Parameters<typeof run>} call
 * @returns {Result}
 */
export function runOk(...call) {
  const result = run(...call);
  if (result.code !== 0) throw new Error(`${call[0]} ${call[1].join(" ")}: exit code ${result.code}\n${result.output}`);
  return result;
}

/** @param {string} program @returns {string} full path */
export function locate(program) {
  if (program.includes("/")) {
    if (existsSync(program)) return program;
    throw new Error(`${program} is missing`);
  }
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (existsSync(join(folder, program))) return join(folder, program);
  }
  throw new Error(`${program} is missing; run: ${PACKAGES[program] ?? `install ${program}`}`);
}

/** Chromium: `$CHROMIUM`, else the system's. */
export function chromium() {
  return process.env.CHROMIUM ? locate(process.env.CHROMIUM) : locate("chromium");
}

/** The command line program under test: `$RUBRICA`, else the debug build. */
export function rubrica() {
  const path = process.env.RUBRICA ?? join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug", "rubrica");
  if (!existsSync(path)) throw new Error(`${path} is missing; run: cargo build --package rubrica`);
  return path;
}

/**
 * A program of the Python environment: the folder of `$RUBRICA_PYTHON`, else one of our own that is made when it
 * is missing or its requirements have changed.
 * @param {"python" | "pyhanko" | "certomancer" | "st"} program
 * @returns {string} full path
 */
export function python(program) {
  if (process.env.RUBRICA_PYTHON) return join(dirname(locate(process.env.RUBRICA_PYTHON)), program);
  const folder = join(ROOT, ".tools", "test-python");
  const requirements = readFileSync(join(TESTS, "requirements.txt"));
  const stamp = join(folder, "installed-requirements");
  if (!existsSync(stamp) || !readFileSync(stamp).equals(requirements)) {
    rmSync(folder, { recursive: true, force: true });
    runOk("python3", ["-m", "venv", folder]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
    runOk(join(folder, "bin", "python"), pip, { cwd: TESTS, timeoutMs: 600_000 });
    writeFileSync(stamp, requirements);
  }
  return join(folder, "bin", program);
}

/**
 * Starts a program that goes on running.
 * @param {string} program full path
 * @param {string[]} parameters
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {{ pid: number, output: () => string, exited: Promise<number | null>, stop: () => Promise<void> }}
 */
export function start(program, parameters, { cwd, env = {} } = {}) {
  const child = spawn(program, parameters, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  /** @type {Promise<number | null>} */
  const exited = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  const stop = async () => {
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
  };
  if (child.pid === undefined) throw new Error(`${program} could not be started`);
  return { pid: child.pid, output: () => output, exited, stop };
}
