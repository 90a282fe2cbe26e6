// Pieces that several screens share.

import type { Locale } from "../locales/index.js";
import type { CertificateShown, DocumentShown } from "../snapshot.js";
import type { ActionName, Context } from "./context.js";
import type { Child } from "./dom.js";
import { h } from "./dom.js";
import type { IconName } from "./icons.js";
import { icon, spinner } from "./icons.js";

type Look = "primary" | "secondary" | "link";

/** A button that does one thing. */
export function button(
  context: Context,
  action: ActionName,
  label: string,
  { look = "secondary", image, disabled = false }: { look?: Look; image?: IconName; disabled?: boolean } = {},
): HTMLButtonElement {
  const attributes = {
    type: "button",
    class: look === "link" ? "link" : `button ${look}`,
    part: look === "link" ? "link" : `button button-${look}`,
    "data-action": action,
    disabled,
    onclick: () => context.act(action),
  };
  return h("button", attributes, image && icon(image), label);
}

/** The row of what can be done here. `equal` gives two ways the same weight. */
export function actions(children: readonly Child[], { equal = false } = {}): HTMLElement {
  return h("div", { class: equal ? "actions equal" : "actions", part: "actions" }, ...children);
}

/** Less likely ways out, below the actions. */
export function links(...children: readonly Child[]): HTMLElement | undefined {
  return children.some(Boolean) ? h("div", { class: "links" }, ...children) : undefined;
}

/** Back to the ways to a key, where there is another one. */
export function otherWay({ mayTakeOtherWay }: { readonly mayTakeOtherWay?: boolean }, context: Context): Child {
  return mayTakeOtherWay === true && button(context, "other-way", context.texts.actions.otherWay, { look: "link" });
}

/** The document of the run. */
export function documentRow(document: Pick<DocumentShown, "name" | "sizeBytes">, { locale }: Context): HTMLElement {
  return h(
    "div",
    { class: "document", part: "document" },
    h("span", { class: "tile" }, icon("document")),
    h(
      "div",
      { class: "about" },
      h("p", { class: "name" }, document.name),
      h("p", { class: "meta" }, sizeText(document.sizeBytes, locale)),
    ),
  );
}

/** Something that turns while we wait. */
export function waitRow(...children: readonly Child[]): HTMLElement {
  return h("div", { class: "wait" }, spinner(), h("div", {}, ...children));
}

/** What is being done, without a pretence of progress. */
export function tasks(texts: readonly string[]): HTMLElement {
  return h("ul", { class: "tasks" }, ...texts.map((text) => h("li", {}, text)));
}

/** Numbered instructions. */
export function steps(texts: readonly string[]): HTMLElement {
  return h("ol", { class: "steps" }, ...texts.map((text) => h("li", {}, text)));
}

/** That we go on by ourselves. */
export function waitingLine(text: string): HTMLElement {
  return h("p", { class: "waiting", role: "status" }, text);
}

/** A remark set apart. */
export function notice(
  look: "plain" | "accent" | "warning" | "danger",
  image: IconName,
  ...children: readonly Child[]
): HTMLElement {
  return h("div", { class: `notice ${look}`, part: "notice" }, icon(image), h("div", {}, ...children));
}

/** Image at the head of a screen. */
export function emblem(image: IconName, look: "accent" | "warning" | "danger" | "quiet" = "accent"): HTMLElement {
  return h("span", { class: `emblem ${look}` }, icon(image));
}

/** Link to the vendor's page, in another tab, so that this page stays. */
export function installLink(context: Context, url: string): HTMLAnchorElement {
  const { texts, act } = context;
  return h(
    "a",
    {
      class: "button primary",
      part: "button button-primary",
      href: url,
      target: "_blank",
      rel: "noopener noreferrer",
      "data-action": "install",
      onclick: () => act("install"),
    },
    texts.actions.openInstaller,
    icon("external"),
    h("span", { class: "away" }, ` (${texts.newTab})`),
  );
}

/** One row of facts. */
export function fact(label: string, ...value: readonly Child[]): HTMLElement {
  return h("div", {}, h("dt", {}, label), h("dd", { class: "numbers" }, ...value));
}

/** `ab12 cd34 … 90ef`: enough to compare by eye, never taken for the whole. */
export function shortHash(sha256: string): HTMLElement {
  const groups = [sha256.slice(0, 4), sha256.slice(4, 8), sha256.slice(8, 12), "…", sha256.slice(-8, -4), sha256.slice(-4)];
  return h("code", { title: sha256 }, groups.join(" "));
}

/** Kind and type: `Pessoa física · A3`. */
export function kindText(certificate: CertificateShown, { texts }: Context): string {
  const kind = texts.kind[certificate.kind];
  return certificate.icpType ? `${kind} · ${certificate.icpType}` : kind;
}

/** Label of the number that identifies the holder. */
export function identifierName(certificate: CertificateShown, { texts }: Context): string {
  return texts.confirming.identifierNames[certificate.kind === "person" ? "person" : "company"];
}

/** A date. */
export function dateText(rfc3339: string, locale: Locale): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(rfc3339));
}

/** A date with the time, in the zone of the person, which is named. */
export function timeText(rfc3339: string, locale: Locale): string {
  const format = new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  });
  return format.format(new Date(rfc3339));
}

/** A size in the unit that reads best. */
export function sizeText(bytes: number, locale: Locale): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const format = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: power > 1 ? 1 : 0,
  });
  return format.format(bytes / 1000 ** power);
}
