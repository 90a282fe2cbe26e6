// Web PKI simulator (TEST), main-world form: a page loads it in place of the real extension, behind a switch
// that says so. It holds software keys in the page and must never be offered for real documents.

import { Client } from "./lib/client.js";
import { askInDialog } from "./lib/dialog.js";
import { PRESENCE_IDS, REQUEST_EVENT, RESPONSE_EVENT } from "./lib/names.js";

/**
 * Starts the simulator in this page.
 *
 * @param {object} options
 * @param {import("./lib/client.js").Identity[]} options.identities certificates with software keys
 * @param {import("./lib/behaviour.js").Behaviour} [options.behaviour] odd states to play
 * @returns {() => void} takes the simulator away again
 */
export function startSimulator({ identities, behaviour = {} }) {
  const authorize = behaviour.dialog ? askInDialog : undefined;
  const client = new Client({ identities, behaviour, ...(authorize && { authorize }) });
  const page = { id: crypto.randomUUID(), host: location.hostname };
  const stopped = new AbortController();

  const appear = () => {
    if (stopped.signal.aborted) return;
    const marker = document.createElement("meta");
    marker.id = /** @type {string} */ (PRESENCE_IDS[0]);
    marker.setAttribute("data-simulator", "TEST");
    document.head.append(marker);
    stopped.signal.addEventListener("abort", () => marker.remove());

    document.addEventListener(
      REQUEST_EVENT,
      async (event) => {
        const detail = /** @type {CustomEvent} */ (event).detail;
        for (const reply of await client.receive(detail, page)) {
          if (!stopped.signal.aborted) document.dispatchEvent(new CustomEvent(RESPONSE_EVENT, { detail: reply }));
        }
      },
      { signal: stopped.signal },
    );
    window.addEventListener(
      "message",
      async (event) => {
        if (event.source !== window || event.data?.port !== REQUEST_EVENT) return;
        for (const message of await client.receive(event.data.message, page)) {
          if (!stopped.signal.aborted) window.postMessage({ port: RESPONSE_EVENT, message }, "*");
        }
      },
      { signal: stopped.signal },
    );
  };

  const timer = behaviour.absent ? undefined : setTimeout(appear, behaviour.appearsAfterMs ?? 0);
  return () => {
    clearTimeout(timer);
    stopped.abort();
  };
}
