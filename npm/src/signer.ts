import type { ErrorCode } from "./error-codes.js";
import { errorCodes } from "./error-codes.js";
import type { Locale } from "./locales/index.js";
import { errorText } from "./locales/errors.js";
import { isMobile } from "./platform.js";
import type {
  CancelledBy,
  CertificateShown,
  Custody,
  DocumentShown,
  SignatureFormat,
  SignedDocument,
  SignerError,
  Snapshot,
  Way,
} from "./snapshot.js";
import type { WasmSource } from "./wasm.js";
import { loadWasm } from "./wasm.js";
import type { Signer as Core } from "./wasm/rubrica_sdk.js";

/** What opens the API to this page: the token, or the answer of `POST /v1/sessions` passed through as it is. */
export type SessionGrant =
  | string
  | {
      readonly token: string;
      /** For whom. Certificates of other people are then shown as not usable. */
      readonly signer?: { readonly name: string; readonly identifier_masked: string | null };
    };

/** A grant, or what fetches one. It is asked for at the first signature and again when the session is over. */
export type SessionSource = SessionGrant | (() => SessionGrant | Promise<SessionGrant>);

export interface SignerOptions {
  /** Address of the API before `/v1`; the page's own origin when absent. */
  readonly api?: string;
  readonly session: SessionSource;
  /** Language of `userMessage`. `pt-BR` when absent. */
  readonly locale?: Locale;
  /**
   * Fetches the certificate of a new key from your authority, through your backend: a PKCS#10 request in, a certificate
   * out, both PEM. Without it your backend brings the certificate to `POST /v1/enrolments/{id}/certificate`.
   */
  readonly requestCertificate?: (csr: string) => string | Promise<string>;
  /**
   * Where a cloud service sends people back to: the whole address of a page of this origin that imports
   * `@rubrica/web/return`. The present page when absent.
   */
  readonly returnUrl?: string;
  /** Only when your bundler does not understand `new URL(…, import.meta.url)`. */
  readonly wasm?: WasmSource;
}

/** A document: a `File`, or bytes with a name. */
export type DocumentInput = File | { readonly name: string; readonly file: Blob | BufferSource };

export interface SignOptions {
  /** `pades` for a PDF (the default), `cades` for any file. */
  readonly format?: SignatureFormat;
  /** Aborting cancels the run. */
  readonly signal?: AbortSignal;
}

/** Exactly one of the two is there. */
export type SignResult =
  | { readonly data: SignedDocument; readonly error: null }
  | { readonly data: null; readonly error: SignerError };

/**
 * Signs documents of one person, one at a time.
 *
 * All functions are bound, so they can be handed around. The ones that act return whether the present step took
 * them: a click that comes late is not an error.
 */
export interface Signer {
  /** Calls `listener` after every change of the snapshot; returns what ends that. */
  readonly subscribe: (listener: () => void) => () => void;
  /** The present snapshot: frozen, and the same object until something changes. */
  readonly getSnapshot: () => Snapshot;
  /** The snapshot while rendering on a server: always idle. */
  readonly getServerSnapshot: () => Snapshot;
  /** Runs the whole flow. Never rejects. */
  readonly sign: (document: DocumentInput, options?: SignOptions) => Promise<SignResult>;
  /** Takes a certificate of the list. `remember` proposes it the next time. */
  readonly choose: (certificateId: string, options?: { readonly remember?: boolean }) => boolean;
  /** The act of will: signs. */
  readonly confirm: () => boolean;
  /** Back to the list of certificates. */
  readonly back: () => boolean;
  /** Uses the certificate of this device although the bank keeps a key. */
  readonly useLocal: () => boolean;
  /** Takes a way to a key that is offered. Call it in a click. */
  readonly take: (way: Way) => boolean;
  /** Back to the ways to a key. */
  readonly otherWay: () => boolean;
  /** Agrees to the text with this digest, one of those of the snapshot: a key is made. */
  readonly agree: (textSha256: string) => boolean;
  /** Goes on from a new key to the decision. */
  readonly proceed: () => boolean;
  /** Opens the window of the cloud service again. Call it in a click. */
  readonly openAgain: () => boolean;
  /** Looks again: where the key is, for the client, or for certificates. */
  readonly refresh: () => boolean;
  /** Gives the person more time in the client's window. */
  readonly keepWaiting: () => boolean;
  /** Ends the run. With the client's window open it is abandoned, which the snapshot says. */
  readonly cancel: () => boolean;
  /** Takes up a cancelled or failed run where it is still valid. */
  readonly retry: () => boolean;
  /** Back to idle from a run that ended. */
  readonly reset: () => boolean;
  /** Fetches and compiles the module before it is needed. */
  readonly preload: () => Promise<void>;
  /** Ends everything: listeners, timers, requests. What comes later is dropped. */
  readonly dispose: () => void;
}

const idle: Snapshot = Object.freeze({ step: "idle" });

/**
 * Makes a signer. Nothing happens before the first `sign`: no request, no listener, no look for the client. It can
 * be called on a server.
 */
export function createSigner(options: SignerOptions): Signer {
  const listeners = new Set<() => void>();
  const locale = options.locale ?? "pt-BR";
  let snapshot = idle;
  let core: Core | undefined;
  let isStarting = false;
  let isDisposed = false;
  let settle: ((result: SignResult) => void) | undefined;
  /** What `retry` does as long as the core was never reached. */
  let again: (() => void) | undefined;

  function publish(next: Snapshot): void {
    snapshot = next;
    for (const listener of [...listeners]) listener();
    const result = resultOf(next, locale);
    if (result) finish(result);
  }

  function finish(result: SignResult): void {
    const waiting = settle;
    settle = undefined;
    waiting?.(result);
  }

  function changed(): void {
    if (core) publish(fromCore(core, locale));
  }

  async function start(): Promise<Core> {
    const bindings = await loadWasm(options.wasm);
    const openSession = () => (typeof options.session === "function" ? options.session() : options.session);
    core ??= new bindings.Signer(
      (options.api ?? "").replace(/\/+$/, ""),
      isMobile(),
      openSession,
      changed,
      options.requestCertificate,
      options.returnUrl,
    );
    return core;
  }

  async function sign(input: DocumentInput, { format = "pades", signal }: SignOptions = {}): Promise<SignResult> {
    if (isDisposed) return failed("step_refused", locale);
    if (isStarting || settle) return failed("busy", locale);
    if (signal?.aborted) return cancelled("caller", locale);
    again = () => void sign(input, { format });
    const { name, blob } = read(input);
    const result = new Promise<SignResult>((resolve) => (settle = resolve));
    const abort = () => stop("cancel_by_caller");
    signal?.addEventListener("abort", abort, { once: true });
    isStarting = true;
    publish(freeze({ step: "resolving", document: { name, sizeBytes: blob.size, format, sha256: null } }));
    try {
      const started = await start();
      isStarting = false;
      // Cancelled or disposed while the module was on its way.
      if (settle) started.start(blob, name, format);
    } catch (error) {
      isStarting = false;
      if (settle) publish(freeze({ step: "failed", error: errorOf(codeOf(error), locale) }));
    }
    try {
      return await result;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  function stop(action: "cancel" | "cancel_by_caller"): boolean {
    if (!isStarting) return act(action);
    publish(freeze({ step: "cancelled", by: action === "cancel" ? "user" : "caller", abandoned: false }));
    return true;
  }

  function attempt(action: (core: Core) => void): boolean {
    if (!core || isStarting || isDisposed) return false;
    try {
      action(core);
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  const act = (name: string) => attempt((core) => core.act_by_name(name));

  return Object.freeze({
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    getSnapshot: () => snapshot,
    getServerSnapshot: () => idle,
    sign,
    choose: (id: string, { remember = false }: { readonly remember?: boolean } = {}) =>
      attempt((core) => core.choose(id, remember)),
    confirm: () => act("confirm"),
    back: () => act("back"),
    useLocal: () => act("use_local"),
    take: ({ kind, service }: Way) => attempt((core) => core.take(kind, service ?? undefined)),
    otherWay: () => act("other_way"),
    agree: (textSha256: string) => attempt((core) => core.agree(textSha256)),
    proceed: () => act("continue"),
    openAgain: () => act("open_again"),
    refresh: () => act("refresh"),
    keepWaiting: () => act("keep_waiting"),
    cancel: () => stop("cancel"),
    retry() {
      if (core) return act("retry");
      if (!again || isStarting || isDisposed) return false;
      again();
      return true;
    },
    reset() {
      if (core) return act("reset");
      if (isStarting || snapshot.step === "idle") return false;
      publish(idle);
      return true;
    },
    preload: async () => void (await loadWasm(options.wasm)),
    dispose() {
      isDisposed = true;
      core?.dispose();
      listeners.clear();
      finish(cancelled("caller", locale));
      snapshot = idle;
    },
  });
}

function read(input: DocumentInput): { name: string; blob: Blob } {
  if (input instanceof Blob) return { name: input.name, blob: input };
  const { name, file } = input;
  return { name, blob: file instanceof Blob ? file : new Blob([file as BlobPart]) };
}

/** The view of the core, whose shape sdk-wasm/src/view.rs builds. */
type CoreView =
  | Exclude<Snapshot, { readonly step: "done" | "failed" }>
  | {
      readonly step: "done";
      readonly document: DocumentShown;
      readonly custody: Custody;
      readonly certificate: CertificateShown | null;
      readonly result: Omit<SignedDocument, "blob" | "bytes">;
    }
  | { readonly step: "failed"; readonly failure: Omit<SignerError, "userMessage">; readonly mayTakeOtherWay: boolean };

function fromCore(core: Core, locale: Locale): Snapshot {
  const view = core.view() as CoreView;
  switch (view.step) {
    case "done": {
      const blob = new Blob([core.released() ?? ""], { type: view.result.mediaType });
      const bytes = async () => new Uint8Array(await blob.arrayBuffer());
      return freeze({ ...view, result: { ...view.result, blob, bytes } });
    }
    case "failed":
      return freeze({
        step: "failed",
        mayTakeOtherWay: view.mayTakeOtherWay,
        error: { ...view.failure, userMessage: errorText(view.failure.code, locale).message },
      });
    default:
      return freeze(view);
  }
}

function resultOf(snapshot: Snapshot, locale: Locale): SignResult | undefined {
  switch (snapshot.step) {
    case "done":
      return { data: snapshot.result, error: null };
    case "failed":
      return { data: null, error: snapshot.error };
    case "cancelled":
      return cancelled(snapshot.by, locale);
    default:
      return undefined;
  }
}

function cancelled(by: CancelledBy, locale: Locale): SignResult {
  return { data: null, error: { ...errorOf("user_cancelled", locale), cancelledBy: by } };
}

function failed(code: ErrorCode, locale: Locale): SignResult {
  return { data: null, error: errorOf(code, locale) };
}

/** An error that never reached the core, which would know where to take the run up again. */
function errorOf(code: ErrorCode, locale: Locale): SignerError {
  return {
    code,
    userMessage: errorText(code, locale).message,
    nextStep: code === "platform_unsupported" ? "contact_support" : "try_again",
    retryable: code !== "platform_unsupported",
  };
}

/** What a failed load means for the person: no way to the file, or a browser or policy that refuses it. */
function codeOf(error: unknown): ErrorCode {
  const code = (error as { code?: unknown } | null)?.code;
  const known = errorCodes.find((known) => known === code);
  return known ?? (error instanceof TypeError ? "network_unreachable" : "platform_unsupported");
}

function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "step_refused" || code === "busy";
}

function freeze<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === "object" && member !== null && !(member instanceof Blob)) freeze(member as object);
  }
  return Object.freeze(value);
}
