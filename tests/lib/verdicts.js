// Everybody's verdict on one signed file, as assertions.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { PASSED, verify } from "./rubrica.js";
import { readSignedPdf } from "./signed-pdf.js";
import { flipped, opensslDetached, opensslPdf, pdfsig, pyhankoDetached, pyhankoPdf } from "./validators.js";

/**
 * A signed PDF that everybody accepts, and of which everybody refuses a copy with one changed byte.
 * @param {string} pdf
 * @param {string} root PEM file of the trust anchor
 * @param {{ nonRepudiation?: boolean }} [options] without it pyHanko refuses by its own default and is not asked
 */
export function assertSoundPdf(pdf, root, { nonRepudiation = true } = {}) {
  const broken = flipped(pdf, Math.floor(readSignedPdf(pdf).byteRange[1] / 2));
  for (const [file, expected] of /** @type {const} */ ([[pdf, true], [broken, false]])) {
    assertVerdict("pdfsig", pdfsig(file), expected);
    if (nonRepudiation) assertVerdict("pyHanko", pyhankoPdf(file, root), expected);
    assertVerdict("openssl", opensslPdf(file, root), expected);
    const own = verify(file, root);
    assert.equal(own.code === PASSED, expected, `rubrica verify: ${own.output}`);
  }
}

/**
 * The same for a detached CMS.
 * @param {string} cms
 * @param {string} content
 * @param {string} root
 */
export function assertSoundCms(cms, content, root) {
  const broken = flipped(content, Math.floor(readFileSync(content).length / 2));
  for (const [file, expected] of /** @type {const} */ ([[content, true], [broken, false]])) {
    assertVerdict("pyHanko", pyhankoDetached(cms, file, root), expected);
    assertVerdict("openssl", opensslDetached(cms, file, root), expected);
    const own = verify(cms, root, ["--content", file]);
    assert.equal(own.code === PASSED, expected, `rubrica verify: ${own.output}`);
  }
}

/** @param {string} who @param {import("./validators.js").Verdict} verdict @param {boolean} expected */
function assertVerdict(who, verdict, expected) {
  assert.equal(verdict.accepted, expected, `${who}: ${verdict.detail}`);
}
