// The client of the device: looked for, missing, old, blocked.

import { INSTALL_URL } from "../../platform.js";
import type { SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import type { Child } from "../dom.js";
import { h } from "../dom.js";
import {
  actions,
  button,
  documentRow,
  emblem,
  fact,
  installLink,
  links,
  otherWay,
  steps,
  waitingLine,
  waitRow,
} from "../parts.js";

export function waiting(snapshot: SnapshotOf<"probing" | "lost">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    ...texts[snapshot.step],
    isBusy: true,
    body: [
      waitRow(h("p", { class: "small" }, snapshot.document.name)),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function absent(snapshot: SnapshotOf<"absent">, context: Context): ScreenContent {
  const { texts, platform } = context;
  return {
    emblem: emblem("puzzle"),
    ...texts.absent,
    body: [
      steps(texts.absent.steps(platform)),
      installActions(context),
      waitingLine(texts.absent.waiting),
      // Too early to suggest that something went wrong.
      !snapshot.provisional && h("p", { class: "small" }, texts.absent.reload),
      cancelLink(snapshot, context),
    ],
  };
}

export function outdated(snapshot: SnapshotOf<"outdated">, context: Context): ScreenContent {
  const { texts } = context;
  const { part, installed, unknownVersion, required, waiting } = texts.outdated;
  return {
    emblem: emblem("update"),
    ...texts.outdated,
    body: [
      h(
        "dl",
        {},
        fact(
          part[snapshot.part],
          `${installed}: ${snapshot.installed ?? unknownVersion}`,
          h("span", { class: "under" }, `${required}: ${snapshot.required}`),
        ),
      ),
      installActions(context),
      waitingLine(waiting),
      cancelLink(snapshot, context),
    ],
  };
}

export function blocked(snapshot: SnapshotOf<"blocked">, context: Context): ScreenContent {
  const { texts, platform } = context;
  const text = texts.blocked[snapshot.reason];
  switch (snapshot.reason) {
    case "native_missing":
      return {
        emblem: emblem("puzzle"),
        ...text,
        body: [
          steps(texts.blocked.nativeSteps(platform)),
          installActions(context),
          waitingLine(texts.blocked.waiting),
          cancelLink(snapshot, context),
        ],
      };
    case "no_response":
      return {
        emblem: emblem("alert", "warning"),
        ...text,
        body: [
          steps(texts.blocked.silentSteps),
          tryAgain(context),
          waitingLine(texts.blocked.waiting),
          links(otherWay(snapshot, context)),
        ],
      };
    case "licence":
      return {
        emblem: emblem("alert", "danger"),
        ...text,
        isAlert: true,
        body: [tryAgain(context), links(otherWay(snapshot, context)), code(context, "client_licence")],
      };
  }
}

export function unsupported(snapshot: SnapshotOf<"unsupported">, context: Context): ScreenContent {
  return {
    emblem: emblem("phone", "quiet"),
    ...context.texts.unsupported,
    body: [
      documentRow(snapshot.document, context),
      actions([button(context, "cancel", context.texts.actions.cancel)]),
      links(otherWay(snapshot, context)),
    ],
  };
}

/** The code that support asks for. */
export function code({ texts }: Context, value: string): HTMLElement {
  return h("p", { class: "small" }, `${texts.failed.code}: `, h("code", {}, value));
}

function installActions(context: Context): Child {
  const { texts } = context;
  return actions([
    installLink(context, INSTALL_URL),
    button(context, "refresh", texts.actions.refresh),
  ]);
}

function cancelLink(snapshot: { readonly mayTakeOtherWay?: boolean }, context: Context): Child {
  return links(otherWay(snapshot, context), button(context, "cancel", context.texts.actions.cancel, { look: "link" }));
}

function tryAgain(context: Context): Child {
  const { texts } = context;
  return actions([
    button(context, "refresh", texts.actions.refresh, { look: "primary" }),
    button(context, "cancel", texts.actions.cancel),
  ]);
}
