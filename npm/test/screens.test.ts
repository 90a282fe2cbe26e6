// Every screen in every language: accessible, and laid out on the narrowest phone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { buildSync } from "esbuild";
import type { Browser, Page } from "playwright-core";

import { locales } from "../src/locales/index.js";
import { launch } from "./browser.js";
import { snapshots } from "./gallery/snapshots.js";
import { root } from "./paths.js";

const names = Object.keys(snapshots);
const axe = readFileSync(createRequire(join(root, "package.json")).resolve("axe-core/axe.min.js"), "utf8");
let browser: Browser;
let gallery: string;

before(async () => {
  browser = await launch();
  const built = buildSync({ entryPoints: [join(root, "test/gallery/gallery.ts")], bundle: true, write: false, format: "iife" });
  gallery = built.outputFiles[0]!.text;
});

after(() => browser.close());

for (const scheme of ["light", "dark"] as const) {
  test(`no screen breaks an accessibility rule (${scheme}, all languages)`, async () => {
    const page = await open({ width: 800, scheme });
    await page.addScriptTag({ content: axe });
    for (const locale of locales) {
      for (const name of names) {
        await show(page, name, locale);
        const violations = await page.evaluate(async () => {
          const { axe } = globalThis as unknown as { axe: { run: (context: unknown, options: unknown) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } };
          const found = await axe.run(document, { resultTypes: ["violations"] });
          return found.violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).join(" ")}`);
        });
        assert.deepEqual(violations, [], `${name} ${locale} ${scheme}`);
      }
    }
    await page.close();
  });
}

test("nothing is cut off at 320 px, and what is pressed is 44 px high", async () => {
  const page = await open({ width: 320, scheme: "light" });
  for (const locale of locales) {
    for (const name of names) {
      await show(page, name, locale);
      const found = await page.evaluate(() => {
        const shadow = document.querySelector("#host")!.shadowRoot!;
        const controls = [...shadow.querySelectorAll<HTMLElement>("button, a, label")];
        return {
          overflow: document.documentElement.scrollWidth - innerWidth,
          small: controls.filter((control) => control.getBoundingClientRect().height < 44).map((control) => control.outerHTML),
        };
      });
      assert.deepEqual(found, { overflow: 0, small: [] }, `${name} ${locale}`);
    }
  }
  await page.close();
});

test("every screen names its step, has one heading, and a way on or out", async () => {
  const page = await open({ width: 800, scheme: "light" });
  for (const name of names) {
    await show(page, name, "pt-BR");
    const panel = page.locator("#host [data-step]");
    assert.equal(await panel.getAttribute("data-step"), snapshots[name as keyof typeof snapshots].step);
    assert.equal(await panel.locator("h2").count(), 1, name);
    assert.ok((await panel.locator("[data-action]:enabled").count()) > 0, name);
  }
  await page.close();
});

async function open({ width, scheme }: { width: number; scheme: "light" | "dark" }): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  const background = scheme === "dark" ? "#0c1117" : "#eef2f6";
  await page.setContent(
    `<!doctype html><html lang="pt-BR" style="color-scheme: ${scheme}"><title>Galeria</title>
     <body style="margin:0;padding:8px;background:${background}"><main><h1 style="position:absolute;left:-99rem">Galeria</h1><div id="host"></div></main>`,
  );
  await page.addScriptTag({ content: gallery });
  return page;
}

function show(page: Page, name: string, locale: string): Promise<void> {
  return page.evaluate(
    ([name, locale]) => (globalThis as unknown as { gallery: { show: (name: string, locale: string) => void } }).gallery.show(name, locale),
    [name, locale] as const,
  );
}
