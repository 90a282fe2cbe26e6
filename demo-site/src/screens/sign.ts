/** The document beside the signing element: the part that a bank would copy. */

import "@rubrica/web/element/define";

import type { SignedDocument } from "@rubrica/web";
import { fetchSignature, issueCertificate, openSession, type Person, type Session } from "../bank.ts";
import { h } from "../dom.ts";
import { symbol } from "../drawings.ts";
import { isSimulatorOn, startSimulator, stopSimulator } from "../simulator.ts";
import { state, texts, type Paper } from "../state.ts";

/** A session that ends within this time is replaced before it is used, in milliseconds. */
const SESSION_RESERVE_MS = 60_000;

/** Steps in which nothing is under way. */
const BETWEEN_RUNS = new Set(["idle", "cancelled", "failed"]);

/** Steps in which the person has no client that works. */
const WITHOUT_CLIENT = new Set(["absent", "outdated", "blocked", "lost", "unsupported"]);

export async function sign(paper: Paper, person: Person): Promise<HTMLElement> {
  const t = texts();
  const file = paper.file ?? new File([await bytesOf(paper)], paper.fileName, { type: "application/pdf" });
  const isPdf = file.type === "application/pdf" || file.name.toLowerCase().endsWith(".pdf");
  const place = h("div", { class: "signer" });
  const simulator = simulatorSwitch();
  const start = (format: "pades" | "cades") => {
    const signer = document.createElement("rubrica-signer");
    signer.setAttribute("lang", state.locale);
    signer.setAttribute("format", format);
    signer.setAttribute("return-url", "/return.html");
    // Asked again when the session is over: a portal opens a new one through its own backend.
    signer.session = () => freshSession(person);
    signer.requestCertificate = (csr) => issueCertificate(person.id, csr);
    signer.document = file;
    signer.append(h("span", { slot: "help" }, t.help));
    signer.addEventListener("rubrica-step", ({ detail: { step } }) => {
      simulator.hidden = !isSimulatorOn() && !WITHOUT_CLIENT.has(step);
      formatChoice.disabled = !BETWEEN_RUNS.has(step);
    });
    signer.addEventListener("rubrica-signed", ({ detail }) => {
      const [signed] = detail.documents;
      if (signed) void finish(paper, signed, person);
    });
    place.replaceChildren(signer);
  };
  const formatChoice = formats(start);
  start(isPdf ? "pades" : "cades");

  return h(
    "main",
    { class: "sign" },
    h("a", { class: "back", href: "#/" }, symbol("back"), h("span", {}, t.back)),
    h("div", { class: "sign-title" }, h("h1", {}, paper.title), h("p", { class: "lead" }, paper.about)),
    h("section", { class: "reading", "aria-label": t.document }, preview(paper, file)),
    isPdf && formatChoice,
    h("section", { class: "signing", "aria-labelledby": "signing" }, h("h2", { id: "signing" }, t.signHeading), place, simulator),
  );
}

async function freshSession(person: Person): Promise<Session> {
  if (!state.session || Date.parse(state.session.expires_at) - Date.now() < SESSION_RESERVE_MS) {
    state.session = await openSession(person.id);
  }
  return state.session;
}

async function finish(paper: Paper, signed: SignedDocument, person: Person): Promise<void> {
  const { name, blob, mediaType, signatureId } = signed;
  const signature = await fetchSignature(signatureId, (await freshSession(person)).token);
  const digestMatches = crypto.subtle ? (await sha256(blob)) === signature.artefact?.sha256 : null;
  state.results.set(paper.id, { paper, name, blob, mediaType, signature, digestMatches });
  location.hash = `#/done/${paper.id}`;
}

async function sha256(blob: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function bytesOf(paper: Paper): Promise<ArrayBuffer> {
  const response = await fetch(paper.url ?? "");
  if (!response.ok) throw new Error(`the document could not be read: ${response.status}`);
  return response.arrayBuffer();
}

function preview(paper: Paper, file: File): HTMLElement {
  const t = texts();
  const address = paper.url ?? URL.createObjectURL(file);
  return h(
    "figure",
    {},
    paper.picture
      ? h("img", { src: paper.picture, alt: t.firstPage(paper.title), width: 595, height: 842 })
      : h("div", { class: "no-picture" }, symbol("file"), h("p", {}, t.noPreview)),
    h("figcaption", {}, h("a", { href: address, target: "_blank", rel: "noopener" }, symbol("open"), h("span", {}, t.openDocument))),
  );
}

/** The choice belongs to the next run: it rests while one is under way. */
function formats(start: (format: "pades" | "cades") => void): HTMLFieldSetElement {
  const t = texts();
  const option = (value: "pades" | "cades", label: string) =>
    h(
      "label",
      {},
      h("input", { type: "radio", name: "format", value, checked: value === "pades", onchange: () => start(value) }),
      h("span", {}, label),
    );
  return h("fieldset", { class: "formats" }, h("legend", {}, t.format), option("pades", t.formatPades), option("cades", t.formatCades));
}

function simulatorSwitch(): HTMLElement {
  const t = texts();
  const button = h("button", { type: "button", role: "switch", class: "switch", "data-simulator-switch": "" });
  const draw = () => {
    button.setAttribute("aria-checked", String(isSimulatorOn()));
    button.textContent = isSimulatorOn() ? t.simulatorOn : t.simulatorSwitch;
  };
  button.addEventListener("click", async () => {
    if (isSimulatorOn()) stopSimulator();
    else await startSimulator();
    draw();
  });
  draw();
  return h(
    "aside",
    { class: "simulator", hidden: !isSimulatorOn() },
    h("h3", {}, t.simulatorTitle),
    h("p", {}, t.simulatorLead),
    button,
  );
}
