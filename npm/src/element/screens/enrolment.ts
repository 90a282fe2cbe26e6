// The ways to a key, and the first key in the bank's module.

import type { ConsentText, SnapshotOf, Way } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import type { Child } from "../dom.js";
import { h } from "../dom.js";
import { success } from "../icons.js";
import { actions, button, dateText, documentRow, emblem, fact, links, notice, waitRow } from "../parts.js";

/** Name of a way in the list. */
export function wayId({ kind, service }: Way): string {
  return service === null ? kind : `${kind}:${service}`;
}

/** The text in the language of the screen, or the first there is. */
export function consentText({ texts }: SnapshotOf<"consent">, locale: string): ConsentText | undefined {
  return texts.find((text) => text.language === locale) ?? texts[0];
}

export function offer(snapshot: SnapshotOf<"offer">, context: Context): ScreenContent {
  const { texts, selected } = context;
  const { ways, certain } = snapshot;
  const text = texts.offer;
  const hasChoice = ways.length > 0;
  return {
    emblem: certain ? undefined : emblem("alert", "warning"),
    ...(certain ? text : text.uncertain),
    body: [
      !certain && sources(snapshot, context),
      hasChoice && h("fieldset", {}, h("legend", {}, text.group), ...ways.map((way) => card(way, snapshot, context))),
      actions([
        !certain && button(context, "refresh", texts.actions.refresh, { look: "primary" }),
        hasChoice &&
          button(context, "take", texts.actions.continue, {
            look: certain ? "primary" : "secondary",
            disabled: !ways.some((way) => wayId(way) === selected),
          }),
        button(context, "cancel", texts.actions.cancel),
      ]),
    ],
  };
}

function card(way: Way, { preselected }: SnapshotOf<"offer">, context: Context): HTMLElement {
  const { texts, selected, act } = context;
  const { title, points } = texts.offer.ways[way.kind];
  const id = wayId(way);
  const isPreferred = preselected !== null && wayId(preselected) === id;
  return h(
    "label",
    { class: "card way", part: "way" },
    h("input", {
      type: "radio",
      name: "way",
      value: id,
      checked: id === selected,
      "data-action": "select",
      onchange: () => act("select", id),
    }),
    h(
      "span",
      {},
      h("span", { class: "holder" }, title(way.service ?? "")),
      ...points.map((point) => h("span", { class: "line" }, point)),
      isPreferred && h("span", { class: "tags" }, h("span", { class: "tag" }, texts.offer.preferred)),
    ),
  );
}

/** What each source said: "could not tell" is not "no". */
function sources({ sources }: SnapshotOf<"offer">, { texts }: Context): Child {
  return h(
    "dl",
    {},
    ...sources.map(({ custody, outcome, doubt }) =>
      fact(
        texts.offer.source[custody],
        texts.offer.outcome[outcome],
        doubt !== null && h("span", { class: "under" }, texts.offer.doubt[doubt]),
      ),
    ),
  );
}

export function consent(snapshot: SnapshotOf<"consent">, context: Context): ScreenContent {
  const { texts, locale, act } = context;
  const text = consentText(snapshot, locale);
  if (!text) {
    return {
      ...texts.consent,
      isBusy: true,
      body: [waitRow(texts.consent.loading), actions([button(context, "back", texts.actions.back)])],
    };
  }
  const agree = button(context, "agree", texts.actions.agree, { look: "primary" });
  agree.onclick = () => act("agree", text.sha256);
  return {
    ...texts.consent,
    body: [
      h(
        "div",
        { class: "consent", part: "consent", tabindex: 0, role: "region", "aria-label": texts.consent.text, lang: text.language },
        ...text.text
          .trim()
          .split(/\n\s*\n/)
          .map((paragraph) => h("p", {}, paragraph)),
      ),
      h("p", { class: "small" }, texts.consent.version(text.version)),
      actions([agree, button(context, "back", texts.actions.back)], { equal: true }),
      links(
        button(context, "save-text", texts.actions.saveText, { look: "link", image: "download" }),
        button(context, "cancel", texts.actions.cancel, { look: "link" }),
      ),
    ],
  };
}

export function enrolling(snapshot: SnapshotOf<"enrolling">, context: Context): ScreenContent {
  const { texts } = context;
  const { stages, leave } = texts.enrolling;
  return {
    ...texts.enrolling,
    isBusy: true,
    body: [
      waitRow(h("p", { role: "status" }, stages[snapshot.stage])),
      snapshot.slow && notice("accent", "search", leave),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function stored(snapshot: SnapshotOf<"stored">, context: Context): ScreenContent {
  const { texts, locale } = context;
  const { certificate, document } = snapshot;
  const { labels } = texts.confirming;
  return {
    emblem: success(),
    ...texts.stored,
    body: [
      h(
        "dl",
        { part: "facts" },
        fact(labels.holder, certificate.holder),
        fact(labels.certificate, texts.certificate.issuer(certificate.issuer)),
        fact(labels.validity, texts.certificate.validUntil(dateText(certificate.notAfter, locale))),
        fact(labels.key, texts.confirming.key.hsm),
      ),
      h("p", { class: "small" }, texts.stored.revoke),
      documentRow(document, context),
      actions([
        button(context, "proceed", texts.actions.continue, { look: "primary" }),
        button(context, "cancel", texts.actions.cancel),
      ]),
    ],
  };
}
