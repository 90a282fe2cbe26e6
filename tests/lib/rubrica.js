// The command line program under test.

import assert from "node:assert/strict";

import { run, rubrica } from "./tools.js";

/**
 * Signs with a PKCS#12 file.
 * @param {object} call
 * @param {string[]} call.files
 * @param {string} call.out
 * @param {string} call.p12
 * @param {string} call.password goes through the environment, as a script would pass it
 * @param {string[]} [call.options]
 * @returns {import("./tools.js").Result}
 */
export function sign({ files, out, p12, password, options = [] }) {
  return run(rubrica(), ["sign", ...files, "-o", out, "--p12", p12, ...options], {
    env: { RUBRICA_P12_PASSWORD: password, RUST_BACKTRACE: "1" },
  });
}

/**
 * Verifies without asking for revocation: the test PKI publishes nothing.
 *
 * @param {string} file
 * @param {string} trust PEM file
 * @param {string[]} [options]
 * @returns {import("./tools.js").Result}
 */
export function verify(file, trust, options = []) {
  return run(rubrica(), ["verify", file, "--without-revocation", "--trust", trust, ...options], { env: { RUST_BACKTRACE: "1" } });
}

/** Exit codes of `verify`. */
export const PASSED = 0;
export const FAILED = 1;
export const INDETERMINATE = 2;
export const MISUSE = 3;

/** Exit code of every other command whose input is fine and whose answer is no. */
export const REFUSED = 1;

/**
 * A command that ended well although its input was bad: one line on standard error says what and what to do.
 * @param {import("./tools.js").Result} result
 * @param {number} expected exit code
 * @param {string} errorCode
 */
export function assertRefusal({ code, stdout, stderr, output }, expected, errorCode) {
  assert.equal(code, expected, output);
  assert.equal(stdout, "", "nothing on standard output");
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 1, `one line on standard error:\n${stderr}`);
  assert.match(lines[0] ?? "", new RegExp(`^error\\[${errorCode}\\]: .+\\. .+\\.$`), "what, and what to do");
  assert.doesNotMatch(output, /panicked|stack backtrace|Error \{/);
}
