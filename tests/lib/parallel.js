// As many programs at once as there are cores.

import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

import { locate } from "./tools.js";

/**
 * Runs `work` over all items, some at a time.
 * @template T, R
 * @param {T[]} items
 * @param {(item: T, index: number) => Promise<R>} work
 * @returns {Promise<R[]>} in the order of the items
 */
export async function inParallel(items, work) {
  const results = /** @type {R[]} */ (new Array(items.length));
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(/** @type {T} */ (items[i]), i);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results;
}

/**
 * Runs a program to its end without waiting for it in line.
 * @param {string} program
 * @param {string[]} parameters
 * @param {Record<string, string>} [env]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function runAside(program, parameters, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(locate(program), parameters, {
      env: { ...process.env, LC_ALL: "C.UTF-8", ...env }, stdio: ["ignore", "pipe", "pipe"], timeout: 120_000,
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, output }));
  });
}
