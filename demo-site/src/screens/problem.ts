/** The bank's own service is away. */

import { h } from "../dom.ts";
import { texts } from "../state.ts";

export function problem(again: () => void): HTMLElement {
  const t = texts();
  return h(
    "main",
    { class: "problem" },
    h("h1", {}, t.problemTitle),
    h("p", {}, t.problemLead),
    h("button", { class: "action", type: "button", onclick: again }, t.tryAgain),
  );
}
