// The result of a run as a table for people.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** @typedef {import("./cells.js").Cell} Cell */
/** @typedef {import("./expected.js").Judge} Judge */

const JUDGES = /** @type {Judge[]} */ (["pyHanko", "openssl", "pdfsig", "qpdf", "rubrica", "rubrica, offline"]);

/**
 * @param {string} path
 * @param {Cell[]} cells
 * @param {{ code: string | null }[]} signed
 * @param {Partial<Record<Judge, { accepted: boolean }>>[]} verdicts
 */
export function writeTable(path, cells, signed, verdicts) {
  const rows = cells.map((cell, i) => {
    const refused = signed[i]?.code;
    const marks = JUDGES.map((judge) => {
      const verdict = verdicts[i]?.[judge];
      return refused ? "" : verdict === undefined ? "–" : verdict.accepted ? "✓" : "✗";
    });
    return `| ${cell.name} | ${refused ? `refused: \`${refused}\`` : "signed"} | ${marks.join(" | ")} |`;
  });
  const head = `| cell | we | ${JUDGES.join(" | ")} |\n|---|---|${JUDGES.map(() => ":-:|").join("")}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `# Conformance matrix: ${cells.length} cells\n\n✓ accepted, ✗ not accepted (see expected.js), – not asked\n\n${head}\n${rows.join("\n")}\n`);
}
