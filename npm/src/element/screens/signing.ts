import type { SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import { h } from "../dom.js";
import { pinWindow } from "../icons.js";
import {
  actions,
  button,
  dateText,
  documentRow,
  fact,
  identifierName,
  kindText,
  links,
  notice,
  otherWay,
  shortHash,
  sizeText,
  tasks,
  waitRow,
} from "../parts.js";

export function confirming(snapshot: SnapshotOf<"confirming">, context: Context): ScreenContent {
  const { texts, locale } = context;
  const { document, certificate, custody, service } = snapshot;
  const { labels } = texts.confirming;
  return {
    ...texts.confirming,
    body: [
      snapshot.refusedInClient && notice("warning", "stop", texts.confirming.refused),
      h(
        "dl",
        { part: "facts" },
        fact(labels.document, document.name, h("span", { class: "under" }, sizeText(document.sizeBytes, locale))),
        document.sha256 !== null && fact(labels.hash, shortHash(document.sha256)),
        ...(certificate
          ? [
              fact(labels.holder, certificate.holder),
              certificate.identifierMasked !== null && fact(identifierName(certificate, context), certificate.identifierMasked),
              fact(
                labels.certificate,
                kindText(certificate, context),
                h("span", { class: "under" }, texts.certificate.issuer(certificate.issuer)),
              ),
              fact(labels.validity, texts.certificate.validUntil(dateText(certificate.notAfter, locale))),
            ]
          : []),
        fact(labels.key, texts.confirming.key[custody], service !== null && h("span", { class: "under" }, service)),
      ),
      h("p", { class: "effect" }, 
        certificate ? texts.confirming.effect[certificate.kind](certificate.holder) : texts.confirming.effectAtService,
      ),
      actions(
        [
          button(context, "confirm", certificate?.kind === "seal" ? texts.actions.applySeal : texts.actions.sign, {
            look: "primary",
          }),
          button(context, "refuse", texts.actions.refuse),
        ],
        { equal: true },
      ),
      links(
        snapshot.mayChooseAnother && button(context, "back", texts.actions.chooseAnother, { look: "link" }),
        otherWay(snapshot, context),
        snapshot.mayUseLocal && !snapshot.mayTakeOtherWay && button(context, "use-local", texts.actions.useLocal, { look: "link" }),
      ),
    ],
  };
}

export function preparing(snapshot: SnapshotOf<"preparing">, context: Context): ScreenContent {
  const { texts } = context;
  const [sending, comparing] = texts.preparing.tasks;
  return {
    ...texts.preparing,
    isBusy: true,
    body: [
      documentRow(snapshot.document, context),
      // Only a device is asked to sign what this browser has compared first.
      waitRow(tasks(snapshot.custody === "local" ? [sending, comparing] : [sending])),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function authorizing(snapshot: SnapshotOf<"authorizing">, context: Context): ScreenContent {
  const { texts } = context;
  const text = texts.authorizing;
  const isOverdue = snapshot.patience === "overdue";
  return {
    title: text.title,
    lead: text.lead,
    isBusy: true,
    body: [
      snapshot.waitsForPrevious && notice("warning", "alert", text.waitsForPrevious),
      h("div", { class: "stage" }, pinWindow()),
      h("ul", { class: "tips" }, ...text.tips.map((tip) => h("li", {}, tip))),
      h("p", { class: "waiting elapsed", hidden: true, "data-since": snapshot.since }),
      isOverdue && notice("accent", "alert", h("h3", {}, text.overdue.title), h("p", {}, text.overdue.lead)),
      !isOverdue &&
        snapshot.patience === "helped" &&
        notice("accent", "search", h("h3", {}, text.helpTitle), h("ul", {}, ...text.help.map((tip) => h("li", {}, tip)))),
      actions([
        isOverdue && button(context, "keep-waiting", texts.actions.keepWaiting, { look: "primary" }),
        button(context, "cancel", texts.actions.cancel),
      ]),
      h("p", { class: "small" }, text.cancelHint),
    ],
  };
}

export function signing(snapshot: SnapshotOf<"signing">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    title: texts.signing.title,
    lead: snapshot.custody === "lacuna" ? texts.signing.atService : texts.signing.lead,
    isBusy: true,
    body: [
      documentRow(snapshot.document, context),
      waitRow(snapshot.certificate?.holder),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function finishing(snapshot: SnapshotOf<"finishing">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    ...texts.finishing,
    isBusy: true,
    body: [
      documentRow(snapshot.document, context),
      waitRow(h("p", { class: "small" }, texts.finishing.lead)),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}
