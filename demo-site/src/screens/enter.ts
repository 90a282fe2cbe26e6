/** Entrance: one of the people of the demonstration. A real bank has its own sign-in here. */

import { listPeople, openSession, type Person } from "../bank.ts";
import { h } from "../dom.ts";
import { dawn, symbol } from "../drawings.ts";
import { state, texts } from "../state.ts";

export async function enter(entered: () => unknown): Promise<HTMLElement> {
  const t = texts();
  const people = await listPeople();
  const choose = async (person: Person, button: EventTarget | null) => {
    if (button instanceof HTMLButtonElement) button.disabled = true;
    state.session = await openSession(person.id);
    state.person = person;
    if (location.hash === "#/") entered();
    else location.hash = "#/";
  };
  return h(
    "main",
    { class: "enter" },
    h("section", { class: "enter-words" }, h("h1", {}, t.enterTitle), h("p", {}, t.enterLead), dawn()),
    h(
      "section",
      { class: "enter-people", "aria-labelledby": "people" },
      h("h2", { id: "people" }, t.enterChoose),
      h(
        "ul",
        {},
        ...people.map((person) =>
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "person", "data-person": person.id, onclick: (event) => void choose(person, event.currentTarget) },
              h("span", { class: "person-name" }, person.name),
              h("span", { class: "person-kind" }, person.profile === "company" ? t.company : t.person),
              h("span", { class: "person-about" }, person.description[state.locale]),
              h("span", { class: "person-key", "data-custody": person.custody_hint }, { hsm: t.keyAtBank, local: t.keyOnDevice, lacuna: t.keyInCloud }[person.custody_hint]),
              symbol("forward"),
            ),
          ),
        ),
      ),
    ),
  );
}
