// Every cell: signed by the product, accepted by everybody who knows the kind, refused by everybody after one changed byte.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { temporaryFolder } from "../lib/folders.js";
import { judgeAll } from "../lib/judge.js";
import { inParallel, runAside } from "../lib/parallel.js";
import { startServices } from "../lib/services.js";
import { readSignedPdf } from "../lib/signed-pdf.js";
import { ROOT, rubrica } from "../lib/tools.js";
import { cells, KEYS } from "./cells.js";
import { NOT_ACCEPTED, REFUSED } from "./expected.js";
import { writeInputs } from "./inputs.js";
import { writeTable } from "./table.js";

/** @typedef {import("./cells.js").Cell} Cell */
/** @typedef {import("./expected.js").Judge} Judge */
/** @typedef {{ accepted: boolean, detail: string }} Verdict */
/** @typedef {Partial<Record<Judge, Verdict>>} Verdicts */
/** @typedef {{ file: string, content: string | null, code: string | null, output: string }} Signed */

/** Exit codes of `qpdf --check`: clean, warnings, errors. */
const SOUNDNESS = [0, 3, 2];

const services = await startServices();
const { pki } = services;
/** The services have a private address. */
const FETCH = { RUBRICA_FETCH_PRIVATE_HOSTS: "localhost" };
const folder = temporaryFolder("matrix");
const documents = writeInputs(folder, pki);
const contents = writeContents();
const all = cells(Object.keys(documents));

const signed = await inParallel(all, signCell);
const broken = all.map((cell, i) => flip(cell, /** @type {Signed} */ (signed[i]), i));
const verdicts = await judgeCells(signed);
const verdictsOnBroken = await judgeCells(broken);
await services.stop();
writeTable(process.env.RUBRICA_MATRIX ?? join(ROOT, "target", "matrix.md"), all, signed, verdicts);

for (const [i, cell] of all.entries()) {
  test(cell.name, () => {
    const result = /** @type {Signed} */ (signed[i]);
    const refusal = REFUSED.find((exception) => exception.cells(cell));
    assert.equal(result.code, refusal?.code ?? null, result.output);
    if (refusal) return;
    const wrong = entries(verdicts[i]).flatMap(([judge, verdict]) => {
      const exception = NOT_ACCEPTED.find((other) => other.judge === judge && other.cells(cell));
      if (verdict.accepted === !exception) return [];
      return [exception ? `${judge} accepts, although ${exception.reason}` : `${judge} does not accept: ${verdict.detail}`];
    });
    for (const [judge, verdict] of entries(verdictsOnBroken[i])) {
      // qpdf does not look at signatures.
      if (judge !== "qpdf" && verdict.accepted) wrong.push(`${judge} accepts one changed byte: ${verdict.detail}`);
    }
    assert.equal(wrong.join("\n"), "");
  });
}

/** @param {Verdicts | undefined} verdicts @returns {[Judge, Verdict][]} */
function entries(verdicts) {
  return /** @type {[Judge, Verdict][]} */ (Object.entries(verdicts ?? {}));
}

/** @returns {Record<string, string>} */
function writeContents() {
  const file = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  return {
    text: file("letter.txt", Buffer.from("Prezado cliente,\r\neste arquivo é um TESTE.\n")),
    binary: file("data.bin", Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256))),
    empty: file("empty.bin", Buffer.alloc(0)),
    PDF: documents.table?.file ?? "",
  };
}

/** @param {Cell} cell @param {number} index @returns {Promise<Signed>} */
async function signCell(cell, index) {
  const document = cell.format === "pades" ? documents[cell.input] : undefined;
  const input = document?.file ?? contents[cell.input] ?? "";
  const file = join(folder, `${index}.${cell.format === "pades" ? "pdf" : "p7s"}`);
  const options = [
    "--format", cell.format === "pades" ? "pades" : "cades", "--level", cell.level, "--policy", cell.policy,
    ...(cell.format === "cades-enveloping" ? ["--enveloping"] : []), ...(document?.options ?? []),
    ...(cell.level === "b" ? [] : ["--tsa", services.tsa, "--trust", pki.root]),
  ];
  const parameters = ["sign", input, "-o", file, "--p12", pki.p12(KEYS[cell.key]), ...options];
  const { code, output } = await runAside(rubrica(), parameters, { RUBRICA_P12_PASSWORD: pki.password, ...FETCH });
  const refusal = /error\[(\w+)\]/.exec(output)?.[1];
  return { file, content: cell.format === "cades" ? input : null, code: code === 0 ? null : (refusal ?? `exit code ${code}`), output };
}

/**
 * A copy with one changed byte: in turn at the beginning, in the middle and at the end of what is signed, and in the
 * signature itself.
 * @param {Cell} cell @param {Signed} result @param {number} index @returns {Signed}
 */
function flip(cell, result, index) {
  if (result.code) return result;
  if (cell.format === "pades") {
    const { bytes, byteRange, cms, cmsOffset } = readSignedPdf(result.file, stampsOf(cell));
    const places = [byteRange[1] >> 1, byteRange[1] - 40, byteRange[2] + 10, cmsOffset + 2 * messageDigest(cms)];
    const place = places[index % places.length] ?? 0;
    bytes[place] = index % places.length === 3 ? hexDigit(bytes[place] ?? 0) : (bytes[place] ?? 0) ^ 1;
    const file = result.file.replace(/\.pdf$/, ".broken.pdf");
    writeFileSync(file, bytes);
    return { ...result, file };
  }
  const inContent = result.content !== null && readFileSync(result.content).length > 0 && index % 2 === 0;
  const target = inContent && result.content ? result.content : result.file;
  const bytes = readFileSync(target);
  const place = inContent ? bytes.length >> 1 : messageDigest(bytes);
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  const copy = `${result.file}.broken`;
  writeFileSync(copy, bytes);
  return inContent ? { ...result, content: copy } : { ...result, file: copy };
}

/** Document time stamps, which stand behind the signature. @param {Cell} cell */
function stampsOf(cell) {
  return cell.level === "lta" ? 1 : 0;
}

/** @param {number} byte @returns {number} another digit */
function hexDigit(byte) {
  return (Number.parseInt(String.fromCharCode(byte), 16) ^ 1).toString(16).charCodeAt(0);
}

/** A place in the message digest of the signer; time stamps, which have one too, come later. @param {Buffer} cms */
function messageDigest(cms) {
  return cms.indexOf(Buffer.from("2a864886f70d010904", "hex")) + 9 + 4 + 5;
}

/** Everybody's verdict on every file. @param {Signed[]} results @returns {Promise<Verdicts[]>} */
async function judgeCells(results) {
  const indices = results.flatMap((result, i) => (result.code ? [] : [i]));
  const at = (/** @type {number} */ i) => ({ cell: /** @type {Cell} */ (all[i]), result: /** @type {Signed} */ (results[i]) });
  const pyhanko = judgeAll(indices.map((i) => {
    const { cell, result } = at(i);
    return { kind: cell.format === "pades" ? "pdf" : "cms", file: result.file, content: result.content, trust: pki.root, level: cell.level };
  }));
  const others = await inParallel(indices, async (i) => {
    const { cell, result } = at(i);
    return cell.format === "pades" ? judgePdf(cell, result) : { openssl: await openssl(result.file, result.content), ...(await own(cell, result)) };
  });
  const verdicts = /** @type {Verdicts[]} */ (results.map(() => ({})));
  for (const [k, i] of indices.entries()) {
    const ofPyhanko = pyhanko[k];
    verdicts[i] = { ...others[k], ...(ofPyhanko && mayAskPyhanko(at(i).result) ? { pyHanko: ofPyhanko } : {}) };
  }
  return verdicts;
}

/** pyHanko cannot open an empty file. @param {Signed} result */
function mayAskPyhanko(result) {
  return result.content === null || readFileSync(result.content).length > 0;
}

/** @param {Cell} cell @param {Signed} result @returns {Promise<Verdicts>} */
async function judgePdf(cell, result) {
  const before = documents[cell.input]?.file ?? "";
  const [pdfsig, qpdf, input] = await Promise.all([
    runAside("pdfsig", ["-nocert", result.file]), runAside("qpdf", ["--check", result.file]), runAside("qpdf", ["--check", before]),
  ]);
  // A signature that was lost is not a valid one; pdfsig repairs what is broken and goes on with the rest.
  const expected = (documents[cell.input]?.signatures ?? 0) + 1;
  const signatures = [...pdfsig.output.matchAll(/Signature Validation: (.*)/g)].map((match) => match[1]);
  const { cms, content } = readSignedPdf(result.file, stampsOf(cell));
  const part = (/** @type {string} */ name, /** @type {Buffer} */ bytes) => {
    writeFileSync(`${result.file}.${name}`, bytes);
    return `${result.file}.${name}`;
  };
  return {
    pdfsig: { accepted: signatures.length === expected && signatures.every((verdict) => verdict === "Signature is Valid."), detail: pdfsig.output },
    qpdf: { accepted: SOUNDNESS.indexOf(qpdf.code) <= SOUNDNESS.indexOf(input.code), detail: `exit code ${qpdf.code}, of the input ${input.code}\n${qpdf.output}` },
    openssl: await openssl(part("cms", cms), part("content", content)),
    ...(await own(cell, result)),
  };
}

/** @param {string} cms @param {string | null} content @returns {Promise<Verdict>} */
async function openssl(cms, content) {
  const detached = content === null ? [] : ["-content", content];
  const { code, output } = await runAside("openssl", [
    "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", cms, ...detached, "-CAfile", pki.root, "-out", "/dev/null",
  ]);
  return { accepted: code === 0, detail: output };
}

/**
 * Our own verdict: without revocation, as the others judge, and with the evidence that a long-term signature brings along.
 * @param {Cell} cell @param {Signed} result @returns {Promise<Verdicts>}
 */
async function own(cell, result) {
  const ask = async (/** @type {string} */ evidence) => {
    const content = result.content === null ? [] : ["--content", result.content];
    const { code, output } = await runAside(rubrica(), ["verify", result.file, "--trust", pki.root, evidence, ...content], FETCH);
    return { accepted: code === 0, detail: output };
  };
  const rubricaSays = await ask("--without-revocation");
  const isLongTerm = cell.level === "lt" || cell.level === "lta";
  return { rubrica: rubricaSays, ...(isLongTerm ? { "rubrica, offline": await ask("--offline") } : {}) };
}
