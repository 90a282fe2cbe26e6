// What a foreign program does not know: known, explained and asserted. A program that learns it turns the test red.

/** @typedef {import("./cells.js").Cell} Cell */
/** @typedef {"pyHanko" | "openssl" | "pdfsig" | "qpdf" | "rubrica" | "rubrica, offline"} Judge */

/**
 * @typedef {object} Exception
 * @property {Judge} judge
 * @property {(cell: Cell) => boolean} cells
 * @property {string} reason
 */

/** Good signatures that a judge does not accept. @type {Exception[]} */
export const NOT_ACCEPTED = [
  {
    judge: "openssl",
    cells: (cell) => cell.key === "Ed25519",
    reason: "openssl 3.0 has no Ed25519 in CMS",
  },
  {
    judge: "pdfsig",
    cells: (cell) => cell.key === "Ed25519",
    reason: "poppler 22.12 has no Ed25519",
  },
  {
    judge: "pdfsig",
    cells: (cell) => cell.level === "lta" && cell.key !== "Ed25519",
    reason: "poppler 22.12 does not know document time stamps",
  },
  {
    judge: "rubrica, offline",
    cells: () => true,
    reason: "we want a list about the signer from after the signature (TRY_LATER), and the one of the day was issued at midnight",
  },
  {
    judge: "pyHanko",
    cells: (cell) => cell.input === "hybrid",
    reason: "strict pyHanko refuses hybrid cross-references, and a lenient one is no judge",
  },
];

/** Cells that the product refuses to sign, with the code. @type {{ cells: (cell: Cell) => boolean, code: string, reason: string }[]} */
export const REFUSED = [];
