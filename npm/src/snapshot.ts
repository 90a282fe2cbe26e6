import type { ErrorCode, NextStep } from "./error-codes.js";

/** Kind of signature: `pades` is a PDF with the signature inside, `cades` a signature file beside the document. */
export type SignatureFormat = "pades" | "cades";

/** Where the private key is: on the person's device, in the module of the bank, or at a cloud service. */
export type Custody = "local" | "hsm" | "lacuna";

/** The document of the run. */
export interface DocumentShown {
  readonly name: string;
  readonly sizeBytes: number;
  readonly format: SignatureFormat;
  /** SHA-256, lower-case hexadecimal; `null` until the document was read. */
  readonly sha256: string | null;
}

/** A certificate as it may be shown. It holds no CPF or CNPJ, only the masked form. */
export interface CertificateShown {
  readonly holder: string;
  readonly identifierMasked: string | null;
  /** A seal proves origin and integrity; it is not an expression of will. */
  readonly kind: "person" | "company" | "seal";
  readonly issuer: string;
  /** ICP-Brasil type such as `A3` or `SE-S`. */
  readonly icpType: string | null;
  /** RFC 3339, UTC. */
  readonly notBefore: string;
  /** RFC 3339, UTC. */
  readonly notAfter: string;
}

/** Why a certificate of the list cannot be chosen. */
export type Unusable = "expired" | "not_yet_valid" | "wrong_person" | "wrong_usage";

/** A certificate in the list. */
export interface CertificateChoice {
  /** What `choose` takes. */
  readonly id: string;
  readonly certificate: CertificateShown;
  /** `null` when it can be chosen. */
  readonly unusable: Unusable | null;
  /** Ends within 30 days. */
  readonly expiresSoon: boolean;
  /** Names a policy or holder of ICP-Brasil. The chain is not checked in the browser. */
  readonly isIcpBrasil: boolean;
}

/** A way to a key: a new one in the module of the bank, one at a cloud service, or the certificate of the device. */
export type Way =
  | { readonly kind: "enrol"; readonly service: null }
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "device"; readonly service: null };

/** What a source said about keys of the person. `unknown` is never `no`. */
export interface SourceShown {
  readonly custody: Custody;
  readonly outcome: "yes" | "no" | "unknown";
  /** Why it could not tell; `null` otherwise. */
  readonly doubt: "failed" | "slow" | "resting" | null;
}

/** A text that the person agrees to before a key is made. Its digest was recomputed in this browser. */
export interface ConsentText {
  readonly version: string;
  /** BCP 47. */
  readonly language: string;
  /** Plain text, paragraphs divided by empty lines. Show it as it is. */
  readonly text: string;
  /** SHA-256 of the text in UTF-8, lower-case hexadecimal: what `agree` takes. */
  readonly sha256: string;
}

/** Signed bytes. */
export interface SignedDocument {
  /** Proposed file name. */
  readonly name: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  /** SHA-256, lower-case hexadecimal. */
  readonly sha256: string;
  readonly signatureId: string;
  /** RFC 3339. The clock of the service: not a proof of time. */
  readonly releasedAt: string;
  readonly blob: Blob;
  /** Reads the whole blob into memory. */
  bytes(): Promise<Uint8Array>;
}

/**
 * Who ended a run. `caller` is your code, by its `AbortSignal`; `client` the window of the device's client; `service`
 * the cloud service, where the person said no.
 */
export type CancelledBy = "user" | "caller" | "time" | "client" | "service";

/** Why a run ended without result. */
export interface SignerError {
  readonly code: ErrorCode;
  /** In the signer's language; may be shown as it is. */
  readonly userMessage: string;
  readonly nextStep: NextStep;
  /** Whether `retry()` is accepted. */
  readonly retryable: boolean;
  /** Only with `user_cancelled`. */
  readonly cancelledBy?: CancelledBy;
}

/** What the screen of each step shows. Compare `step`; the other members follow from it. */
export type Snapshot =
  | { readonly step: "idle" }
  | (OfDocument & { readonly step: "resolving" })
  | (OfDocument & {
      readonly step: "offer";
      /** In the order in which to show them; `take()` takes one. */
      readonly ways: readonly Way[];
      /** The one that the bank prefers. */
      readonly preselected: Way | null;
      readonly sources: readonly SourceShown[];
      /** False: a source could not tell, so there may be a key. `refresh()` asks again. */
      readonly certain: boolean;
    })
  | (OfDocument & {
      readonly step: "consent";
      /** One for each language; empty until they are here. */
      readonly texts: readonly ConsentText[];
    })
  | (OfDocument & {
      readonly step: "enrolling";
      /** What is being done. `awaiting`: somebody else brings the certificate. */
      readonly stage: "agreeing" | "creating" | "requesting" | "storing" | "awaiting";
      /** More than twenty seconds: say that the person may leave. */
      readonly slow: boolean;
    })
  | (OfDocument & { readonly step: "stored"; readonly certificate: CertificateShown })
  | (OfDocument & { readonly step: "probing" })
  | (OfDocument & { readonly step: "unsupported" })
  | (OfDocument & { readonly step: "lost" })
  | (OfDocument & { readonly step: "no_certificate" })
  | (OfDocument & {
      readonly step: "absent";
      /** The client may still come by itself: four seconds have not passed. */
      readonly provisional: boolean;
    })
  | (OfDocument & {
      readonly step: "outdated";
      readonly part: "extension" | "native";
      readonly installed: string | null;
      readonly required: string;
    })
  | (OfDocument & { readonly step: "blocked"; readonly reason: "native_missing" | "licence" | "no_response" })
  | (OfDocument & {
      readonly step: "listing";
      /** More than fifteen seconds: offer help. */
      readonly slow: boolean;
    })
  | (OfDocument & { readonly step: "choosing"; readonly certificates: readonly CertificateChoice[] })
  | (OfDocument & {
      readonly step: "confirming";
      readonly custody: Custody;
      /** `null` when the key is at a service, which tells it with the signature. */
      readonly certificate: CertificateShown | null;
      /** The cloud service, when the key is at one. */
      readonly service: string | null;
      /** The person just refused in the client's window. */
      readonly refusedInClient: boolean;
      /** Whether `back()` is accepted. */
      readonly mayChooseAnother: boolean;
      /** Whether `useLocal()` is accepted. */
      readonly mayUseLocal: boolean;
    })
  | (OfDocument & { readonly step: "preparing"; readonly custody: Custody })
  | (OfDocument & { readonly step: "finishing"; readonly custody: Custody })
  | (OfDocument & { readonly step: "redirecting"; readonly service: string })
  | (OfDocument & {
      readonly step: "waiting_approval";
      readonly service: string;
      /** `blocked` or `closed`: `openAgain()` opens it, from a click. */
      readonly window: "open" | "blocked" | "closed" | "returned";
      /** RFC 3339: until when the service waits. */
      readonly expiresAt: string;
    })
  | (OfDocument & {
      readonly step: "authorizing";
      readonly certificate: CertificateShown;
      /** RFC 3339: since when the client's window is asked for. */
      readonly since: string;
      /** `overdue`: ask whether more time is needed; `keepWaiting()` grants it. */
      readonly patience: "fresh" | "helped" | "overdue";
      /** An abandoned request may still have its window open. */
      readonly waitsForPrevious: boolean;
    })
  | (OfDocument & { readonly step: "signing"; readonly custody: Custody; readonly certificate: CertificateShown | null })
  | (OfDocument & {
      readonly step: "done";
      readonly custody: Custody;
      readonly certificate: CertificateShown | null;
      readonly result: SignedDocument;
    })
  | (OfWays & {
      readonly step: "cancelled";
      readonly by: CancelledBy;
      /** The client's window may still be open; what is done there is thrown away. */
      readonly abandoned: boolean;
    })
  | (OfWays & { readonly step: "failed"; readonly error: SignerError });

interface OfWays {
  /** Whether `otherWay()` is accepted: back to the ways to a key. */
  readonly mayTakeOtherWay?: boolean;
}

interface OfDocument extends OfWays {
  readonly document: DocumentShown;
}

/** Name of a step. */
export type Step = Snapshot["step"];

/** The snapshot of one step. */
export type SnapshotOf<S extends Step> = Extract<Snapshot, { readonly step: S }>;

/** Every step. A test of the Rust crate compares the list. */
export const steps = [
  "idle",
  "resolving",
  "offer",
  "consent",
  "enrolling",
  "stored",
  "probing",
  "absent",
  "outdated",
  "blocked",
  "unsupported",
  "lost",
  "listing",
  "no_certificate",
  "choosing",
  "confirming",
  "preparing",
  "redirecting",
  "waiting_approval",
  "authorizing",
  "signing",
  "finishing",
  "done",
  "cancelled",
  "failed",
] as const satisfies readonly Step[];
