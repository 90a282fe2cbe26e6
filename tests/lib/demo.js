// `rubrica demo` on a free port, with a fresh data folder.

import { existsSync } from "node:fs";
import { join } from "node:path";

import { temporaryFolder } from "./folders.js";
import { ROOT, rubrica, start } from "./tools.js";

const START_LIMIT_MS = 60_000;

/**
 * @typedef {object} Demo
 * @property {string} url
 * @property {() => string} output what it has printed
 * @property {() => Promise<void>} stop
 * @property {string} data its folder
 */

/**
 * @param {{ portal?: boolean, cloud?: boolean, env?: Record<string, string> }} [options] without `portal` the API alone; `cloud` with the
 *   stand-ins for cloud services
 * @returns {Promise<Demo>}
 */
export async function startDemo({ portal = true, cloud = false, env = {} } = {}) {
  const site = process.env.RUBRICA_SITE ?? join(ROOT, "demo-site", "dist");
  if (portal && !existsSync(join(site, "index.html"))) throw new Error(`${site} is missing; run: cargo xtask build`);
  const data = join(temporaryFolder("demo"), "data");
  const server = start(rubrica(), ["demo", "--port", "0", "--data", data, "--site", portal ? site : "/nonexistent", "--stand-ins", cloud ? join(ROOT, "tests", "cloud-stand-ins") : "/nonexistent"], { env });
  let gone = false;
  void server.exited.then(() => (gone = true));
  for (const end = Date.now() + START_LIMIT_MS; Date.now() < end && !gone; ) {
    const url = /Rubrica demo: (http:\/\/\S+)/.exec(server.output())?.[1];
    if (url) return { url, output: server.output, stop: server.stop, data };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (!gone) await server.stop();
  throw new Error(`the demo did not start:\n${server.output()}`);
}
