import type * as Bindings from "./wasm/rubrica_sdk.js";

/** Where the WebAssembly module comes from: an address, its bytes, or the compiled module. */
export type WasmSource = string | URL | BufferSource | WebAssembly.Module;

let loading: Promise<typeof Bindings> | undefined;

/**
 * Loads the module once. A failed load is forgotten, so that the next call tries again.
 *
 * Without a source it is fetched beside this file, which bundlers understand. The page needs
 * `script-src 'wasm-unsafe-eval'` and, for the fetch, its origin in `connect-src`.
 */
export function loadWasm(source?: WasmSource): Promise<typeof Bindings> {
  loading ??= start(source).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function start(source: WasmSource | undefined): Promise<typeof Bindings> {
  const [bindings, module] = await Promise.all([
    import("./wasm/rubrica_sdk.js"),
    compile(source ?? new URL("./wasm/rubrica_sdk_bg.wasm", import.meta.url)),
  ]);
  await bindings.default({ module_or_path: module });
  return bindings;
}

async function compile(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source !== "string" && !(source instanceof URL)) return WebAssembly.compile(source);
  const response = await fetch(source, { credentials: "same-origin" });
  if (!response.ok) throw new TypeError(`the WebAssembly module was answered with ${response.status}`);
  // A server that does not know the media type is no reason to fail.
  return response.headers.get("content-type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
