// The command line program under test.

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
 * @param {string} file
 * @param {string} trust PEM file
 * @param {string[]} [options]
 * @returns {import("./tools.js").Result}
 */
export function verify(file, trust, options = []) {
  return run(rubrica(), ["verify", file, "--trust", trust, ...options], { env: { RUST_BACKTRACE: "1" } });
}

/** Exit codes of `verify`. */
export const PASSED = 0;
export const FAILED = 1;
export const INDETERMINATE = 2;
export const MISUSE = 3;
