// Shows every screen without a signer behind it: for looking at, and for the accessibility tests.

import type { Context } from "../../src/element/context.js";
import { layout } from "../../src/element/layout.js";
import { screenOf } from "../../src/element/screens/index.js";
import { styleSheet } from "../../src/element/styles.js";
import type { Locale } from "../../src/locales/index.js";
import { loadTexts } from "../../src/locales/texts.js";
import type { Snapshot } from "../../src/snapshot.js";
import { snapshots } from "./snapshots.js";

export type ScreenName = keyof typeof snapshots;

const host = document.querySelector("#host") ?? document.body.appendChild(document.createElement("div"));
const root = host.attachShadow({ mode: "open" });
root.adoptedStyleSheets = [styleSheet()];

async function show(name: ScreenName, locale: Locale): Promise<void> {
  const snapshot: Snapshot = snapshots[name];
  document.documentElement.lang = locale;
  const texts = await loadTexts(locale);
  const context: Context = {
    texts,
    locale,
    platform: { os: "windows", browser: "edge" },
    format: "pades",
    given: undefined,
    selected: "1",
    remember: false,
    resultUrl: "#",
    act: () => undefined,
    take: () => undefined,
    setRemember: () => undefined,
  };
  root.replaceChildren(layout(snapshot.step, screenOf(snapshot, context), texts));
}

Object.assign(globalThis, { gallery: { names: Object.keys(snapshots), show } });
