import { errorText } from "../../locales/errors.js";
import type { SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import { actions, button, emblem, links, notice, otherWay } from "../parts.js";
import { code } from "./client.js";

export function cancelled(snapshot: SnapshotOf<"cancelled">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    emblem: emblem("stop", "quiet"),
    ...texts.cancelled[snapshot.by],
    body: [
      snapshot.abandoned && notice("warning", "alert", texts.cancelled.abandoned),
      actions([
        button(context, "retry", texts.actions.retry, { look: "primary" }),
        button(context, "reset", texts.actions.otherDocument),
      ]),
      links(otherWay(snapshot, context)),
    ],
  };
}

export function failed(snapshot: SnapshotOf<"failed">, context: Context): ScreenContent {
  const { texts, locale } = context;
  const { code: value, nextStep, retryable } = snapshot.error;
  const { title, message } = errorText(value, locale);
  const next = texts.failed.next[nextStep];
  return {
    emblem: emblem(nextStep === "insert_token" ? "token" : "alert", nextStep === "contact_support" ? "danger" : "warning"),
    title,
    lead: message,
    isAlert: true,
    body: [
      actions(
        retryable
          ? [
              button(context, "retry", next, { look: "primary" }),
              button(context, "reset", texts.actions.otherDocument),
            ]
          : [button(context, "reset", next, { look: "primary" })],
      ),
      links(otherWay(snapshot, context)),
      code(context, value),
    ],
  };
}
