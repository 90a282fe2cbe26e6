import type { SnapshotOf } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import { h } from "../dom.js";
import { icon, success } from "../icons.js";
import { actions, button, documentRow, fact, shortHash, tasks, timeText, waitRow } from "../parts.js";

export function idle(context: Context): ScreenContent {
  const { texts, given } = context;
  const promise = h("p", { class: "promise" }, icon("lock"), h("span", {}, texts.idle.promise));
  if (given) {
    return {
      ...texts.idle.given,
      body: [
        documentRow({ name: given.name, sizeBytes: given.size }, context),
        actions([button(context, "start", texts.actions.start, { look: "primary" })]),
        promise,
      ],
    };
  }
  return { ...texts.idle, body: [dropZone(context), promise] };
}

/** Dropping is a convenience: the button beside it does the same. */
function dropZone(context: Context): HTMLElement {
  const { texts, format, take } = context;
  const input = h("input", {
    type: "file",
    accept: format === "pades" ? "application/pdf,.pdf" : null,
    hidden: true,
    onchange: () => {
      const file = input.files?.[0];
      if (file) take(file);
    },
  });
  const zone = h(
    "div",
    {
      class: "drop",
      part: "drop-zone",
      ondragover: (event) => {
        event.preventDefault();
        zone.classList.add("over");
      },
      ondragleave: (event) => {
        const to = (event as DragEvent).relatedTarget;
        if (!(to instanceof Node && zone.contains(to))) zone.classList.remove("over");
      },
      ondrop: (event) => {
        event.preventDefault();
        zone.classList.remove("over");
        const file = (event as DragEvent).dataTransfer?.files[0];
        if (file) take(file);
      },
    },
    icon("upload"),
    h("p", { class: "call" }, texts.idle.drop),
    h("p", { class: "or" }, texts.idle.or),
    h(
      "button",
      {
        type: "button",
        class: "button primary",
        part: "button button-primary",
        "data-action": "choose-file",
        onclick: () => input.click(),
      },
      texts.actions.chooseFile,
    ),
    h("p", { class: "hint" }, texts.idle.hint(format)),
    input,
  );
  return zone;
}

export function resolving(snapshot: SnapshotOf<"resolving">, context: Context): ScreenContent {
  const { texts } = context;
  return {
    ...texts.resolving,
    isBusy: true,
    body: [
      documentRow(snapshot.document, context),
      waitRow(tasks(texts.resolving.tasks)),
      actions([button(context, "cancel", texts.actions.cancel)]),
    ],
  };
}

export function done(snapshot: SnapshotOf<"done">, context: Context): ScreenContent {
  const { texts, locale, resultUrl } = context;
  const { result, certificate, custody } = snapshot;
  const labels = texts.done.labels;
  return {
    emblem: success(),
    title: texts.done.title,
    lead: snapshot.document.format === "cades" ? texts.done.detached : texts.done.lead,
    body: [
      documentRow(result, context),
      actions([
        h(
          "a",
          {
            class: "button primary",
            part: "button button-primary",
            href: resultUrl,
            download: result.name,
            "data-action": "download",
          },
          icon("download"),
          texts.actions.download,
        ),
        button(context, "reset", texts.actions.signAnother),
      ]),
      h(
        "dl",
        { part: "facts" },
        certificate &&
          fact(
            certificate.kind === "seal" ? labels.seal : labels.holder,
            certificate.holder,
            certificate.identifierMasked && h("span", { class: "under" }, certificate.identifierMasked),
          ),
        fact(labels.time, timeText(result.releasedAt, locale), h("span", { class: "under" }, texts.done.timeSource)),
        fact(labels.key, texts.confirming.key[custody]),
        fact(labels.hash, shortHash(result.sha256)),
      ),
      h("p", { class: "small" }, texts.done.personalData),
    ],
  };
}
