/**
 * Digital signatures in the browser.
 *
 * Importing this has no effect and works on a server; `createSigner` has none either. `./element` is the screen for
 * it, `./element/define` registers that as `<rubrica-signer>`.
 *
 * @module
 */

export { errorCodes, nextSteps } from "./error-codes.js";
export type { ErrorCode, NextStep } from "./error-codes.js";
export { locales } from "./locales/index.js";
export type { Locale } from "./locales/index.js";
export { createSigner } from "./signer.js";
export type {
  DocumentInput,
  SessionGrant,
  SessionSource,
  Signer,
  SignerOptions,
  SignOptions,
  SignResult,
} from "./signer.js";
export { steps } from "./snapshot.js";
export type {
  CancelledBy,
  CertificateChoice,
  CertificateShown,
  ConsentText,
  Custody,
  DocumentShown,
  SignatureFormat,
  SignedDocument,
  SignerError,
  Snapshot,
  SnapshotOf,
  SourceShown,
  Step,
  Unusable,
  Way,
} from "./snapshot.js";
export type { WasmSource } from "./wasm.js";
