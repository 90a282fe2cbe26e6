import type { CertificateChoice, SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import type { Child } from "../dom.js";
import { h } from "../dom.js";
import {
  actions,
  button,
  dateText,
  emblem,
  identifierName,
  kindText,
  links,
  notice,
  otherWay,
  steps,
  waitingLine,
} from "../parts.js";

export function listing(snapshot: SnapshotOf<"listing">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    ...texts.listing,
    isBusy: true,
    body: [
      // Shown only when it takes long enough to be noticed: the style delays it.
      h("div", { class: "skeleton", "aria-hidden": "true" }, h("div"), h("div")),
      snapshot.slow && notice("accent", "search", texts.listing.slow),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function noCertificate(snapshot: SnapshotOf<"no_certificate">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    emblem: emblem("token"),
    ...texts.noCertificate,
    body: [
      steps(texts.noCertificate.steps),
      actions([
        button(context, "refresh", texts.actions.refresh, { look: "primary" }),
        button(context, "cancel", texts.actions.cancel),
      ]),
      waitingLine(texts.noCertificate.waiting),
      links(otherWay(snapshot, context)),
    ],
  };
}

export function choosing(snapshot: SnapshotOf<"choosing">, context: Context): ScreenContent {
  const { texts, selected, remember, setRemember } = context;
  const usable = snapshot.certificates.filter((choice) => choice.unusable === null);
  const unusable = snapshot.certificates.filter((choice) => choice.unusable !== null);
  const others = unusable.length > 0 && unusableList(unusable, context);
  if (usable.length === 0) {
    return {
      emblem: emblem("alert", "warning"),
      ...texts.choosing.noneUsable,
      body: [
        others,
        actions([
          button(context, "refresh", texts.actions.refresh, { look: "primary" }),
          button(context, "cancel", texts.actions.cancel),
        ]),
        links(otherWay(snapshot, context)),
      ],
    };
  }
  return {
    ...texts.choosing,
    body: [
      h("fieldset", {}, h("legend", {}, texts.choosing.group), ...usable.map((choice) => card(choice, context))),
      others,
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          name: "remember",
          checked: remember,
          onchange: (event) => setRemember((event.target as HTMLInputElement).checked),
        }),
        h("span", {}, texts.choosing.remember),
        h("span", { class: "small" }, texts.choosing.rememberHint),
      ),
      actions([
        button(context, "continue", texts.actions.continue, { look: "primary", disabled: selected === undefined }),
        button(context, "cancel", texts.actions.cancel),
        button(context, "refresh", texts.actions.refresh, { look: "link" }),
      ]),
      links(otherWay(snapshot, context)),
    ],
  };
}

function card(choice: CertificateChoice, context: Context): HTMLElement {
  const { texts, locale, selected, act } = context;
  const { certificate } = choice;
  return h(
    "label",
    { class: "card", part: "certificate" },
    h("input", {
      type: "radio",
      name: "certificate",
      value: choice.id,
      checked: choice.id === selected,
      "data-action": "select",
      onchange: () => act("select", choice.id),
    }),
    h(
      "span",
      {},
      ...description(choice, context),
      h(
        "span",
        { class: "tags" },
        h("span", { class: "tag" }, kindText(certificate, context)),
        choice.expiresSoon && h("span", { class: "tag warning" }, texts.choosing.expiresSoon(dateText(certificate.notAfter, locale))),
        !choice.isIcpBrasil && h("span", { class: "tag warning" }, texts.choosing.notIcpBrasil),
      ),
    ),
  );
}

/** They stay in sight: somebody who misses a certificate must find out why. */
function unusableList(choices: readonly CertificateChoice[], context: Context): Child {
  const { texts, locale } = context;
  return h(
    "div",
    { class: "others", role: "group", "aria-labelledby": "unusable" },
    h("h3", { id: "unusable", class: "small" }, texts.choosing.unusableGroup(choices.length)),
    ...choices.map((choice) => {
      const reason = choice.unusable && texts.choosing.unusable[choice.unusable];
      return h(
        "label",
        { class: "card unusable", part: "certificate certificate-unusable" },
        h("input", { type: "radio", name: "unusable", disabled: true }),
        h(
          "span",
          {},
          ...holder(choice, context),
          h(
            "span",
            { class: "tags" },
            reason && h("span", { class: "tag danger" }, reason(choice.certificate, (date) => dateText(date, locale))),
            h("span", { class: "tag" }, kindText(choice.certificate, context)),
          ),
        ),
      );
    }),
  );
}

function holder({ certificate }: CertificateChoice, context: Context): readonly Child[] {
  return [
    h("span", { class: "holder" }, certificate.holder),
    certificate.identifierMasked &&
      h("span", { class: "line numbers" }, `${identifierName(certificate, context)} ${certificate.identifierMasked}`),
  ];
}

function description(choice: CertificateChoice, context: Context): readonly Child[] {
  const { texts, locale } = context;
  const { certificate } = choice;
  return [
    ...holder(choice, context),
    h("span", { class: "line" }, texts.certificate.issuer(certificate.issuer)),
    h("span", { class: "line" }, texts.certificate.validUntil(dateText(certificate.notAfter, locale))),
  ];
}
