// Temporary folders that vanish with the process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** @type {string[]} */
const folders = [];

process.once("exit", () => {
  if (process.env.KEEP_TEST_FOLDERS) return;
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** @param {string} name @returns {string} */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `rubrica-${name}-`));
  folders.push(folder);
  return folder;
}
