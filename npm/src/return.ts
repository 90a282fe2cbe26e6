/**
 * For the page that a cloud service sends people back to: importing it is all that page has to do.
 *
 * It hands the query of its address to the tab in which the signature waits, takes it out of the address bar, and closes
 * the window where the browser allows that. The page should say that the window may be closed.
 *
 * @module
 */

/** sdk-wasm/src/service_window.rs has it too. */
const CHANNEL = "rubrica.return";

// On a server there is no address.
const query = globalThis.location?.search ?? "";
if (new URLSearchParams(query).has("state")) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(query);
  channel.close();
  history.replaceState(null, "", location.pathname);
  window.close();
}

export {};
