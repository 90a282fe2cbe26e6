/** The signed file, what was checked, and how to check it again. */

import { h } from "../dom.ts";
import { symbol } from "../drawings.ts";
import { state, texts, type Result } from "../state.ts";

export function result(done: Result): HTMLElement {
  const t = texts();
  const { signature } = done;
  const checks = [
    signature.custody === "local" && t.checkedRequest,
    t.checkedValue,
    t.checkedCertificate,
    t.checkedFile,
    done.digestMatches && t.checkedDigest,
  ].filter((check) => check !== false && check !== null);
  return h(
    "main",
    { class: "done" },
    h(
      "div",
      { class: "done-head" },
      h("span", { class: "seal" }, symbol("check")),
      h("h1", {}, t.doneTitle),
      h("p", { class: "lead" }, t.doneLead(done.name)),
      h(
        "div",
        { class: "actions" },
        h("a", { class: "action", href: URL.createObjectURL(done.blob), download: done.name, "data-download": "" }, symbol("download"), h("span", {}, t.download)),
        h("a", { class: "action second", href: "#/" }, t.anotherDocument),
      ),
    ),
    h(
      "section",
      { class: "checked", "aria-labelledby": "checked" },
      h("h2", { id: "checked" }, t.checkedTitle),
      h("ul", {}, ...checks.map((check) => h("li", {}, symbol("check"), h("span", {}, check)))),
      h("p", { class: "note" }, t.notChecked),
    ),
    details(done),
    h(
      "section",
      { class: "again", "aria-labelledby": "again" },
      h("h2", { id: "again" }, t.ownCheckTitle),
      h("p", {}, t.ownCheckLead),
      h("pre", {}, h("code", {}, command(done))),
      h("p", {}, h("a", { href: "/demo/trust.pem", download: "trust.pem" }, t.trustFile)),
      h("p", { class: "note" }, t.personalData),
    ),
  );
}

function details({ signature }: Result): HTMLElement {
  const t = texts();
  const date = (text: string, withTime: boolean) =>
    new Intl.DateTimeFormat(state.locale, { dateStyle: "long", ...(withTime && { timeStyle: "medium" }) }).format(new Date(text));
  const { holder, issuer, icp_type: icpType, not_after: notAfter } = signature.certificate;
  const rows: [string, string, (string | undefined)?][] = [
    [t.holder, holder.name, holder.identifier_masked ?? undefined],
    [t.issuer, issuer, icpType ?? undefined],
    [t.validUntil, date(notAfter, false)],
    [t.custody, { hsm: t.custodyHsm, local: t.custodyLocal, lacuna: t.custodyCloud }[signature.custody]],
  ];
  if (signature.artefact) {
    rows.push([t.signedAt, date(signature.artefact.released_at, true), t.signedAtNote], [t.digest, signature.artefact.sha256]);
  }
  rows.push([t.number, signature.id]);
  return h(
    "section",
    { class: "details", "aria-labelledby": "details" },
    h("h2", { id: "details" }, t.details),
    h("dl", {}, ...rows.flatMap(([name, value, note]) => [h("dt", {}, name), h("dd", {}, value, note ? h("small", {}, note) : null)])),
  );
}

function command({ name, paper, signature }: Result): string {
  const content = signature.format === "cades" ? ` --content "${paper.fileName}"` : "";
  return `rubrica verify "${name}"${content} --trust trust.pem --without-revocation`;
}
