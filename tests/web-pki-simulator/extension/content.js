// Web PKI simulator (TEST), extension form: content script. Isolated world, every frame, before the page.
// It only carries messages; keys and rules are in the service worker.

// `settings.js`, made by pack.js, runs before this file.
const { behaviour, names } = globalThis.webPkiSimulator;
const page = crypto.randomUUID();

/** Sends one message to the service worker and each of its replies to the page. */
async function carry(message, answer) {
  const { replies, error } = await chrome.runtime.sendMessage({ page, message });
  if (error) console.error(error);
  for (const reply of replies) answer(reply);
}

function appear() {
  document.addEventListener(names.requestEvent, (event) => {
    carry(event.detail, (reply) => document.dispatchEvent(new CustomEvent(names.responseEvent, { detail: reply })));
  });
  window.addEventListener("message", (event) => {
    if (event.source !== window || event.data?.port !== names.requestEvent) return;
    carry(event.data.message, (reply) => window.postMessage({ port: names.responseEvent, message: reply }, "*"));
  });
  const marker = document.createElement("meta");
  marker.id = names.presenceId;
  marker.setAttribute("data-simulator", "TEST");
  document.head.append(marker);
}

/** At document_start there is no head yet. */
function whenHead(then) {
  if (document.head) return then();
  const observer = new MutationObserver(() => {
    if (!document.head) return;
    observer.disconnect();
    then();
  });
  observer.observe(document, { childList: true, subtree: true });
}

if (!behaviour.absent) setTimeout(() => whenHead(appear), behaviour.appearsAfterMs ?? 0);
