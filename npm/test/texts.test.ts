import assert from "node:assert/strict";
import { test } from "node:test";

import { errorCodes, nextSteps } from "../src/error-codes.js";
import { errorText } from "../src/locales/errors.js";
import { localeOf, locales } from "../src/locales/index.js";
import { loadTexts } from "../src/locales/texts.js";
import { platformOf } from "../src/platform.js";
import { snapshots } from "./gallery/snapshots.js";

const certificate = snapshots.choosing.certificates[0]!.certificate;

/** Every string of a locale, with functions called on plausible arguments. */
function strings(value: unknown, path = ""): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function") return strings(call(value as (...args: unknown[]) => unknown, path), path);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, inner]) => strings(inner, `${path}.${key}`));
  }
  return [];
}

function call(text: (...args: unknown[]) => unknown, path: string): unknown {
  if (path.includes("teps")) return text({ os: "linux", browser: "firefox" });
  if (path.endsWith(".phase")) return text(1, 4, "nome");
  if (path.includes("choosing.unusable.")) return text(certificate, () => "1 de jan. de 2026");
  return text(path.endsWith("unusableGroup") || path.endsWith("elapsed") ? 3 : "valor");
}

for (const locale of locales) {
  test(`${locale}: nothing is empty, left in another language, or promised beyond what is known`, async () => {
    const all = [
      ...strings(await loadTexts(locale)),
      ...errorCodes.flatMap((code) => strings(errorText(code, locale), `.errors.${code}`)),
    ];
    assert.ok(all.length > 250, String(all.length));
    for (const [path, text] of all) {
      assert.ok(text.trim().length > 0, path);
      assert.ok(!/undefined|\[object|NaN/.test(text), `${path}: ${text}`);
      // Wording rules: no promise of legal validity, no "qualified" before the chain was checked, no bare "secure".
      assert.ok(!/garantid|guarantee|validade jurídica|legally valid|validez jurídica/i.test(text), `${path}: ${text}`);
      assert.ok(!/qualificad|qualified|cualificad/i.test(text), `${path}: ${text}`);
      assert.ok(!/\bsegur[oa]s?\b|\bsecure\b/i.test(text), `${path}: ${text}`);
    }
  });
}

test("a seal never expresses the will of a company", async () => {
  for (const [locale, words] of [["pt-BR", /não é manifestação de vontade/], ["en", /does not express the will/], ["es", /no expresa la voluntad/]] as const) {
    const effect = (await loadTexts(locale)).confirming.effect.seal("ALFA TEST");
    assert.match(effect, words);
    assert.ok(!/assina|signs?\b|firma/.test(effect), effect);
  }
});

test("every next step has a label in every language", async () => {
  for (const locale of locales) {
    const texts = await loadTexts(locale);
    for (const step of nextSteps) assert.ok(texts.failed.next[step].length > 3);
  }
});

test("a tag finds the nearest language", () => {
  for (const [tag, locale] of [
    ["pt-BR", "pt-BR"],
    ["pt", "pt-BR"],
    ["en-GB", "en"],
    ["ES", "es"],
    ["fr", "pt-BR"],
    ["", "pt-BR"],
    [null, "pt-BR"],
    [undefined, "pt-BR"],
  ] as const) {
    assert.equal(localeOf(tag), locale, String(tag));
  }
});

test("systems and browsers are told apart for the guidance", () => {
  for (const [userAgent, os, browser] of [
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36", "windows", "chrome"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0", "windows", "edge"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "linux", "firefox"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", "macos", "other"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 OPR/106.0", "windows", "other"],
  ] as const) {
    assert.deepEqual(platformOf(userAgent), { os, browser });
  }
});
