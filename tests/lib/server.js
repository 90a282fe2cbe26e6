// A static server for pages of the tests, under the policy that a bank would send.

import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

/** What the demo portal is served with: nothing inline, nothing foreign, Wasm allowed. */
export const STRICT_POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; img-src 'self' data:";

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".json": "application/json",
  ".wasm": "application/wasm", ".pdf": "application/pdf", ".svg": "image/svg+xml",
};

/**
 * @param {Record<string, string | Buffer>} mounts URL path to content; a path that ends in `/` maps to a folder
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export async function serve(mounts) {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const content = find(mounts, path);
    response.setHeader("Content-Security-Policy", STRICT_POLICY);
    response.setHeader("Content-Type", TYPES[extname(path)] ?? "text/html; charset=utf-8");
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  await new Promise((resolve) => server.listen(0, "localhost", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @param {Record<string, string | Buffer>} mounts @param {string} path */
function find(mounts, path) {
  if (Object.hasOwn(mounts, path)) return mounts[path];
  for (const [prefix, folder] of Object.entries(mounts)) {
    if (!prefix.endsWith("/") || prefix === "/" || !path.startsWith(prefix)) continue;
    const file = join(String(folder), normalize(path.slice(prefix.length)));
    if (!file.startsWith(String(folder)) || !existsSync(file) || !statSync(file).isFile()) continue;
    return readFileSync(file);
  }
  return undefined;
}
