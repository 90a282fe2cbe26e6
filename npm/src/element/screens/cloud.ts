// The key at a cloud service: its window, and what the service says.

import type { SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import { h } from "../dom.js";
import { actions, button, documentRow, emblem, links, notice, timeText, waitingLine, waitRow } from "../parts.js";

export function redirecting(snapshot: SnapshotOf<"redirecting">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    ...texts.redirecting,
    isBusy: true,
    body: [
      documentRow(snapshot.document, context),
      waitRow(h("p", { class: "small" }, snapshot.service)),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function waitingApproval(snapshot: SnapshotOf<"waiting_approval">, context: Context): ScreenContent {
  const { texts, locale } = context;
  const { service, window, expiresAt } = snapshot;
  const text = texts.waitingApproval;
  const mayOpen = window === "blocked" || window === "closed";
  return {
    emblem: mayOpen ? emblem("external", "warning") : undefined,
    title: text.title(service),
    lead: text.window[window],
    isBusy: !mayOpen,
    isAlert: mayOpen,
    body: [
      documentRow(snapshot.document, context),
      !mayOpen && waitRow(h("p", { class: "small" }, text.until(timeText(expiresAt, locale)))),
      window === "open" && notice("plain", "lock", text.tip),
      actions([
        mayOpen && button(context, "open-again", texts.actions.openService, { look: "primary", image: "external" }),
        button(context, "cancel", texts.actions.cancel),
      ]),
      mayOpen && waitingLine(text.waiting),
      window === "open" && links(button(context, "open-again", texts.actions.openService, { look: "link" })),
    ],
  };
}
