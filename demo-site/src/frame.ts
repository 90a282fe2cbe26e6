/** What surrounds every screen: brand, language, person, notice of demonstration. */

import type { Person } from "./bank.ts";
import { h } from "./dom.ts";
import { mark, symbol } from "./drawings.ts";
import { callName, setLocale, state, texts } from "./state.ts";
import { LOCALES, TEXTS } from "./texts.ts";

export type ScreenName = "enter" | "home" | "sign" | "done" | "problem";

/** Puts a screen on the page and the focus on its heading, except at the very first one. */
export function frame(name: ScreenName, screen: HTMLElement, redraw: () => unknown): void {
  const t = texts();
  const isFirst = document.body.childElementCount === 0;
  screen.dataset["screen"] = name;
  document.body.replaceChildren(
    h(
      "header",
      { class: "top" },
      h("a", { class: "brand", href: "#/" }, mark(), h("span", {}, "Banco Aurora"), h("span", { class: "test" }, "TEST")),
      h("div", { class: "top-tools" }, languages(redraw), state.person && person(state.person, redraw)),
    ),
    screen,
    h("footer", { class: "bottom" }, h("p", {}, t.demoNotice)),
  );
  const heading = screen.querySelector("h1");
  document.title = `${heading?.textContent ?? ""} · Banco Aurora — TEST`;
  if (isFirst) return;
  scrollTo({ top: 0 });
  heading?.setAttribute("tabindex", "-1");
  heading?.focus();
}

function languages(redraw: () => unknown): HTMLElement {
  const select = h(
    "select",
    {
      "aria-label": texts().language,
      onchange: () => {
        setLocale(LOCALES.find((locale) => locale === select.value) ?? "pt-BR");
        redraw();
      },
    },
    ...LOCALES.map((locale) =>
      h("option", { value: locale, lang: locale, selected: locale === state.locale }, TEXTS[locale].languageName),
    ),
  );
  return h("div", { class: "language" }, select);
}

function person(who: Person, redraw: () => unknown): HTMLElement {
  const leave = () => {
    Object.assign(state, { person: null, session: null, ownFile: null, results: new Map() });
    if (location.hash === "#/") redraw();
    else location.hash = "#/";
  };
  return h(
    "div",
    { class: "who" },
    h("span", { class: "who-name" }, callName(who)),
    h("button", { class: "quiet", type: "button", onclick: leave }, symbol("leave"), h("span", {}, texts().leave)),
  );
}
