import type { Locale } from "../locales/index.js";
import { localeOf } from "../locales/index.js";
import type { Texts } from "../locales/texts.js";
import { loadTexts, textsOf } from "../locales/texts.js";
import { platformOf } from "../platform.js";
import type { SessionGrant, SessionSource, Signer, SignerOptions } from "../signer.js";
import { createSigner } from "../signer.js";
import type { CancelledBy, SignatureFormat, SignedDocument, SignerError, Snapshot, Step } from "../snapshot.js";
import type { WasmSource } from "../wasm.js";
import type { ActionName, Context } from "./context.js";
import { h } from "./dom.js";
import { layout } from "./layout.js";
import { consentText, wayId } from "./screens/enrolment.js";
import { screenOf } from "./screens/index.js";
import { styleSheet } from "./styles.js";

/** Events of the element. All of them bubble and leave the shadow root. */
export interface RubricaSignerEventMap {
  /** The signed bytes are here. */
  "rubrica-signed": CustomEvent<{ readonly documents: readonly SignedDocument[] }>;
  /** A run ended with an error; the person may take it up again. */
  "rubrica-failed": CustomEvent<{ readonly error: SignerError }>;
  /** A run was cancelled; the person may take it up again. */
  "rubrica-cancelled": CustomEvent<{ readonly by: CancelledBy; readonly abandoned: boolean }>;
  /** Another screen is shown. */
  "rubrica-step": CustomEvent<{ readonly step: Step }>;
}

// On a server there is no HTMLElement; importing must work there all the same.
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** The server snapshot: what is shown before anything was asked. */
const idle: Snapshot = Object.freeze({ step: "idle" });

/**
 * The screens of a signature: a view of the signer, without rules of its own.
 *
 * @attr api - Address of the API before `/v1`; the page's own origin when absent.
 * @attr session-url - Address of the bank's backend that answers a POST with a session (`POST /v1/sessions`, passed
 *   through). The property `session` wins over it.
 * @attr return-url - Where a cloud service sends people back to: a page of this origin; the present one when absent.
 * @attr format - `pades` (PDF, the default) or `cades` (any file, signature beside it).
 * @attr lang - `pt-BR`, `en` or `es`; by default that of the nearest ancestor.
 *
 * @slot help - Help of the bank, shown in the same place on every screen.
 *
 * @csspart panel, heading, lead, actions, button, button-primary, button-secondary, link, document, drop-zone,
 *   certificate, certificate-unusable, way, consent, facts, notice, help
 *
 * @cssprop --rubrica-accent, --rubrica-on-accent, --rubrica-surface, --rubrica-raised, --rubrica-text,
 *   --rubrica-muted, --rubrica-line, --rubrica-border, --rubrica-success, --rubrica-danger, --rubrica-warning,
 *   --rubrica-radius, --rubrica-font, --rubrica-max-width
 *
 * @fires rubrica-signed
 * @fires rubrica-failed
 * @fires rubrica-cancelled
 * @fires rubrica-step
 */
export class RubricaSigner extends Base {
  static readonly observedAttributes = ["lang", "format", "api", "session-url"];

  /** Opens the session. Set it before the person starts. */
  session: SessionSource | undefined;
  /** See `requestCertificate` of the signer. Set it before the person starts. */
  requestCertificate: SignerOptions["requestCertificate"] | undefined;
  /** See {@link WasmSource}; only for bundlers that do not find the module. */
  wasm: WasmSource | undefined;

  #document: File | undefined;
  #signer: Signer | undefined;
  #stopListening: (() => void) | undefined;
  #snapshot: Snapshot = idle;
  #selected: string | undefined;
  #remember = false;
  #resultUrl: string | undefined;
  #elapsed: ReturnType<typeof setInterval> | undefined;
  /** Whether the person has done something here: only then may the focus be moved. */
  #isEngaged = false;
  #root: ShadowRoot | undefined;
  #status: HTMLElement | undefined;

  /** The document to sign, when the page chooses it. The person then only starts. */
  get document(): File | undefined {
    return this.#document;
  }

  set document(document: File | undefined) {
    this.#document = document;
    if (this.#snapshot.step === "idle") this.#render();
  }

  /** `pades` or `cades`. */
  get format(): SignatureFormat {
    return this.getAttribute("format") === "cades" ? "cades" : "pades";
  }

  set format(format: SignatureFormat) {
    this.setAttribute("format", format);
  }

  /** The present snapshot of the signer. */
  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  connectedCallback(): void {
    if (!this.#root) {
      this.#root = this.attachShadow({ mode: "open" });
      this.#root.adoptedStyleSheets = [styleSheet()];
      this.#status = h("p", { class: "away", role: "status" });
      this.#root.append(this.#status);
    }
    this.#render();
  }

  disconnectedCallback(): void {
    // Moving the element within the page disconnects it for a moment.
    queueMicrotask(() => {
      if (!this.isConnected) this.#end();
    });
  }

  attributeChangedCallback(name: string): void {
    if (name === "lang" || this.#snapshot.step === "idle") this.#render();
  }

  /**
   * Signs the given document, or the one of the property `document`, as if the person had started.
   * Does nothing while another one is being signed.
   */
  start(document: File | undefined = this.#document): void {
    if (!document) return;
    this.#signer ??= this.#connect();
    void this.#signer.sign(document, { format: this.format });
  }

  #connect(): Signer {
    const returnUrl = this.getAttribute("return-url");
    const signer = createSigner({
      api: this.getAttribute("api") ?? "",
      session: () => this.#openSession(),
      locale: this.#locale,
      ...(this.requestCertificate === undefined ? {} : { requestCertificate: this.requestCertificate }),
      ...(returnUrl === null ? {} : { returnUrl: new URL(returnUrl, location.href).href }),
      ...(this.wasm === undefined ? {} : { wasm: this.wasm }),
    });
    this.#stopListening = signer.subscribe(() => this.#changed(signer.getSnapshot()));
    return signer;
  }

  #end(): void {
    this.#stopListening?.();
    this.#signer?.dispose();
    this.#signer = undefined;
    this.#snapshot = idle;
    this.#forgetResult();
    clearInterval(this.#elapsed);
  }

  async #openSession(): Promise<SessionGrant> {
    if (typeof this.session === "function") return this.session();
    if (this.session !== undefined) return this.session;
    const url = this.getAttribute("session-url");
    if (url === null) throw new Error("<rubrica-signer> needs the property `session` or the attribute `session-url`");
    const response = await fetch(url, { method: "POST", headers: { accept: "application/json" }, credentials: "same-origin" });
    if (!response.ok) throw new Error(`the session address answered with ${response.status}`);
    return (await response.json()) as SessionGrant;
  }

  get #locale(): Locale {
    return localeOf(this.closest("[lang]")?.getAttribute("lang"));
  }

  #changed(snapshot: Snapshot): void {
    const before = this.#snapshot;
    this.#snapshot = snapshot;
    if (snapshot.step !== before.step) this.#enter(snapshot);
    this.#render(snapshot.step !== before.step);
    if (snapshot.step !== before.step) this.#announce(snapshot);
  }

  #enter(snapshot: Snapshot): void {
    this.#forgetResult();
    if (snapshot.step === "choosing") {
      const usable = snapshot.certificates.filter((choice) => choice.unusable === null);
      // One that fits is no choice to make; among several the person chooses.
      this.#selected = usable.length === 1 ? usable[0]?.id : undefined;
      this.#remember = false;
    }
    if (snapshot.step === "offer") this.#selected = snapshot.preselected ? wayId(snapshot.preselected) : undefined;
    if (snapshot.step === "done") this.#resultUrl = URL.createObjectURL(snapshot.result.blob);
  }

  #forgetResult(): void {
    if (this.#resultUrl !== undefined) URL.revokeObjectURL(this.#resultUrl);
    this.#resultUrl = undefined;
  }

  /** Tells the page; what it hears is derived from the snapshots and nothing else. */
  #announce(snapshot: Snapshot): void {
    this.#emit("rubrica-step", { step: snapshot.step });
    switch (snapshot.step) {
      case "done":
        return this.#emit("rubrica-signed", { documents: [snapshot.result] });
      case "failed":
        return this.#emit("rubrica-failed", { error: snapshot.error });
      case "cancelled":
        return this.#emit("rubrica-cancelled", { by: snapshot.by, abandoned: snapshot.abandoned });
      default:
        return;
    }
  }

  #emit<K extends keyof RubricaSignerEventMap>(type: K, detail: RubricaSignerEventMap[K]["detail"]): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  #act(action: ActionName, value?: string): void {
    this.#isEngaged = true;
    const signer = this.#signer;
    switch (action) {
      case "start":
        return this.start();
      case "select":
        this.#selected = value;
        return this.#render();
      case "continue":
        if (this.#selected !== undefined) signer?.choose(this.#selected, { remember: this.#remember });
        return;
      case "confirm":
        return void signer?.confirm();
      case "refuse":
      case "cancel":
        return void signer?.cancel();
      case "back":
        return void signer?.back();
      case "use-local":
        return void signer?.useLocal();
      case "take":
        return void this.#take();
      case "other-way":
        return void signer?.otherWay();
      case "agree":
        return void signer?.agree(value ?? "");
      case "save-text":
        return this.#saveText();
      case "proceed":
        return void signer?.proceed();
      case "open-again":
        return void signer?.openAgain();
      case "refresh":
        return void signer?.refresh();
      case "keep-waiting":
        return void signer?.keepWaiting();
      case "retry":
        return void signer?.retry();
      case "reset":
        return void signer?.reset();
      case "choose-file":
      case "download":
      case "install":
        return;
    }
  }

  /** Goes the way that is selected. */
  #take(): void {
    const snapshot = this.#snapshot;
    if (snapshot.step !== "offer") return;
    const way = snapshot.ways.find((way) => wayId(way) === this.#selected);
    if (way) this.#signer?.take(way);
  }

  /** Gives the person a copy of the text that is shown, as it was agreed to. */
  #saveText(): void {
    const snapshot = this.#snapshot;
    const text = snapshot.step === "consent" ? consentText(snapshot, this.#locale) : undefined;
    if (!text) return;
    const url = URL.createObjectURL(new Blob([text.text], { type: "text/plain;charset=utf-8" }));
    h("a", { href: url, download: `${text.version}.${text.language}.txt` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  #context(locale: Locale, texts: Texts): Context {
    return {
      texts,
      locale,
      platform: platformOf(navigator.userAgent),
      format: this.format,
      given: this.#document,
      selected: this.#selected,
      remember: this.#remember,
      resultUrl: this.#resultUrl,
      act: (action, value) => this.#act(action, value),
      take: (file) => {
        this.#isEngaged = true;
        this.start(file);
      },
      setRemember: (remember) => (this.#remember = remember),
    };
  }

  #render(isNewStep = false): void {
    const root = this.#root;
    if (!root || !this.isConnected) return;
    const locale = this.#locale;
    const texts = textsOf(locale);
    // Until then the screen before stays: it is a moment, and only once.
    if (!texts) return void loadTexts(locale).then(() => this.#render(isNewStep));
    const context = this.#context(locale, texts);
    const content = screenOf(this.#snapshot, context);
    const next = layout(this.#snapshot.step, content, context.texts);
    const present = root.querySelector(".panel");
    const focused = root.activeElement;
    const hadFocus = focused !== null || this.ownerDocument.activeElement === this.ownerDocument.body;

    if (!isNewStep) next.querySelector(".screen")?.setAttribute("data-still", "");
    if (present) present.replaceWith(next);
    else root.prepend(next);

    if (isNewStep) {
      if (this.#isEngaged && hadFocus) next.querySelector("h2")?.focus();
      if (this.#status) this.#status.textContent = content.isBusy ? content.title : "";
    } else if (focused) {
      this.#restoreFocus(next, focused);
    }
    this.#showElapsed(next, context);
  }

  /** The same control in the new screen, so that somebody who is at it stays there. */
  #restoreFocus(next: HTMLElement, focused: Element): void {
    const action = focused.getAttribute("data-action");
    const name = focused.getAttribute("name");
    const value = focused.getAttribute("value");
    const same = [...next.querySelectorAll<HTMLElement>("button, a, input, h2")].find((candidate) =>
      action === null && name === null
        ? candidate.id !== "" && candidate.id === focused.id
        : candidate.getAttribute("data-action") === action &&
          candidate.getAttribute("name") === name &&
          candidate.getAttribute("value") === value,
    );
    same?.focus();
  }

  /** Says how long the person has been waiting, once that is worth saying. */
  #showElapsed(screen: HTMLElement, { texts }: Context): void {
    clearInterval(this.#elapsed);
    const line = screen.querySelector<HTMLElement>(".elapsed");
    const since = Date.parse(line?.dataset["since"] ?? "");
    if (!line || Number.isNaN(since)) return;
    const show = () => {
      const seconds = Math.floor((Date.now() - since) / 1000);
      line.hidden = seconds < 10;
      line.textContent = texts.authorizing.elapsed(seconds);
    };
    show();
    this.#elapsed = setInterval(show, 1000);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "rubrica-signer": RubricaSigner;
  }
  interface HTMLElementEventMap extends RubricaSignerEventMap {}
}
