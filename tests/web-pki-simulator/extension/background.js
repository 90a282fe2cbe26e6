// Web PKI simulator (TEST), extension form: service worker. Holds the software keys.

import "./settings.js";
import { Client } from "./lib/client.js";

/** Built at the first message: the worker may be stopped and started again at any time. */
let client;

async function start() {
  const response = await fetch(chrome.runtime.getURL("identities.json"));
  return new Client({ identities: await response.json(), behaviour: globalThis.webPkiSimulator.behaviour });
}

chrome.runtime.onMessage.addListener(({ page, message }, sender, answer) => {
  client ??= start();
  // The host of the tab, not of the frame: licences are checked against the top page.
  const host = new URL(sender.tab?.url ?? sender.url).hostname;
  client
    .then((running) => running.receive(message, { id: page, host }))
    .then((replies) => answer({ replies }), (error) => answer({ replies: [], error: String(error) }));
  return true;
});
