// The part of the generated bindings that is used. See sdk-wasm/src/runner.rs.

/** Instantiates the module. Calling it again does nothing. */
export default function init(source: { module_or_path: WebAssembly.Module }): Promise<unknown>;

/** The flow and its adapters. */
export class Signer {
  constructor(
    api: string,
    isMobile: boolean,
    openSession: () => unknown,
    changed: () => void,
    requestCertificate?: (csr: string) => unknown,
    returnUrl?: string,
  );
  /** Throws an `Error` with a `code`, as the other methods do. */
  start(blob: Blob, name: string, format: string): void;
  choose(id: string, remember: boolean): void;
  take(kind: string, service?: string): void;
  agree(textSha256: string): void;
  act_by_name(action: string): void;
  view(): unknown;
  released(): Blob | undefined;
  dispose(): void;
  free(): void;
}
