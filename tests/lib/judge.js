// pyHanko over many files in one process: see matrix/judge.py.

import { join } from "node:path";

import { python, ROOT, runOk } from "./tools.js";

/**
 * @typedef {object} Job
 * @property {"pdf" | "cms"} kind
 * @property {string} file
 * @property {string | null} [content] of a detached CMS
 * @property {string} trust PEM file of the root
 * @property {"b" | "t" | "lt" | "lta"} level
 * @property {string} [password] to open a PDF
 */

/** @typedef {{ accepted: boolean, detail: string }} Verdict */

/**
 * @param {Job[]} jobs
 * @returns {Verdict[]} in the same order
 */
export function judgeAll(jobs) {
  const script = join(ROOT, "tests", "matrix", "judge.py");
  const { stdout } = runOk(python("python"), [script], { input: JSON.stringify(jobs), timeoutMs: 600_000 });
  const verdicts = JSON.parse(stdout);
  if (verdicts.length !== jobs.length) throw new Error(`${jobs.length} jobs, ${verdicts.length} verdicts`);
  return verdicts;
}
