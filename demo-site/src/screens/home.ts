/** Documents that wait, and a place for a file of one's own. */

import { h } from "../dom.ts";
import { symbol } from "../drawings.ts";
import { callName, ownPaper, papers, state, texts, type Paper } from "../state.ts";

export function home(): HTMLElement {
  const t = texts();
  return h(
    "main",
    { class: "home" },
    h("h1", {}, state.person ? t.hello(callName(state.person)) : t.waiting),
    h(
      "section",
      { class: "waiting", "aria-labelledby": "waiting" },
      h("h2", { id: "waiting" }, t.waiting),
      h("p", { class: "lead" }, t.waitingLead),
      h("ul", {}, ...papers().map(row)),
    ),
    ownFile(),
  );
}

function row(paper: Paper): HTMLElement {
  const t = texts();
  const done = state.results.has(paper.id);
  return h(
    "li",
    { class: "paper" },
    h("img", { src: paper.picture, alt: "", width: 60, height: 85 }),
    h(
      "div",
      { class: "paper-words" },
      h("h3", {}, paper.title),
      h("p", {}, `${paper.about} · ${t.pages(paper.pages ?? 1)}`),
    ),
    done
      ? h("a", { class: "action done", href: `#/done/${paper.id}` }, symbol("check"), h("span", {}, t.signed))
      : h("a", { class: "action", href: `#/sign/${paper.id}`, "data-paper": paper.id, "aria-label": `${t.readAndSign}: ${paper.title}` }, t.readAndSign),
  );
}

function ownFile(): HTMLElement {
  const t = texts();
  const take = (file: File | null | undefined) => {
    if (!file) return;
    state.ownFile = ownPaper(file);
    state.results.delete(state.ownFile.id);
    location.hash = `#/sign/${state.ownFile.id}`;
  };
  const input = h("input", { type: "file", id: "own", onchange: () => take(input.files?.[0]) });
  const over = (isOver: boolean) => (event: Event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  const zone = h(
    "section",
    {
      class: "own",
      "aria-labelledby": "own-title",
      ondragover: over(true),
      ondragleave: over(false),
      ondrop: (event) => {
        over(false)(event);
        take((event as DragEvent).dataTransfer?.files[0]);
      },
    },
    symbol("upload"),
    h("h2", { id: "own-title" }, t.ownTitle),
    h("p", {}, t.ownLead),
    h("div", { class: "pick" }, input, h("label", { for: "own", class: "action second" }, t.ownPick)),
    h("p", { class: "note" }, t.ownNote),
  );
  return zone;
}
