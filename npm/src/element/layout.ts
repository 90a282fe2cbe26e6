import type { Texts } from "../locales/texts.js";
import type { Step } from "../snapshot.js";
import type { ScreenContent } from "./context.js";
import { h } from "./dom.js";
import { phaseOf } from "./screens/index.js";

/** Lays a screen out: phases, emblem, heading, explanation, body. */
export function layout(step: Step, content: ScreenContent, texts: Texts): HTMLElement {
  const help: HTMLSlotElement = h("slot", {
    name: "help",
    part: "help",
    // A page without help of its own gets no empty frame for it.
    onslotchange: () => help.classList.toggle("filled", help.assignedNodes().length > 0),
    class: "help",
  });
  return h(
    "section",
    { class: "panel", part: "panel", "data-step": step, "aria-labelledby": "heading" },
    phases(step, texts),
    h(
      "div",
      { class: "screen" },
      h(
        "div",
        { class: "intro", role: content.isAlert ? "alert" : null },
        content.emblem,
        h("h2", { id: "heading", tabindex: -1, part: "heading" }, content.title),
        h("p", { class: "lead", part: "lead" }, content.lead),
      ),
      ...content.body,
    ),
    // The bank's own help, in the same place on every screen.
    help,
  );
}

function phases(step: Step, texts: Texts): HTMLElement | undefined {
  const present = phaseOf(step);
  if (present < 0) return undefined;
  const count = texts.phases.length;
  const isComplete = present >= count;
  const name = texts.phases[Math.min(present, count - 1)] ?? "";
  return h(
    "div",
    { class: isComplete ? "phases complete" : "phases" },
    h(
      "ol",
      { "aria-hidden": "true" },
      ...texts.phases.map((_, index) =>
        h("li", { class: index < present ? "past" : index === present ? "present" : null }),
      ),
    ),
    !isComplete && h("p", {}, texts.phase(present + 1, count, name)),
  );
}
