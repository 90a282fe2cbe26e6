// Web PKI simulator (TEST): puts the unpacked extension together in a folder, with its identities and behaviour.
//
//   node pack.js --identities identities.json --out DIR [--behaviour '{"userCancels":true}']

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { checkBehaviour } from "./lib/behaviour.js";
import { PRESENCE_IDS, REQUEST_EVENT, RESPONSE_EVENT } from "./lib/names.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));

/**
 * @param {object} options
 * @param {import("./lib/client.js").Identity[]} options.identities
 * @param {import("./lib/behaviour.js").Behaviour} [options.behaviour]
 * @param {string} options.out folder, made when missing
 * @returns {string} the folder, for `--load-extension`
 */
export function packExtension({ identities, behaviour = {}, out }) {
  mkdirSync(out, { recursive: true });
  cpSync(join(HERE, "extension"), out, { recursive: true });
  cpSync(join(HERE, "lib"), join(out, "lib"), { recursive: true });
  writeFileSync(join(out, "identities.json"), JSON.stringify(identities));
  // A content script cannot import modules: it gets the names this way.
  const names = { presenceId: PRESENCE_IDS[0], requestEvent: REQUEST_EVENT, responseEvent: RESPONSE_EVENT };
  const settings = JSON.stringify({ behaviour: checkBehaviour(behaviour), names });
  writeFileSync(join(out, "settings.js"), `// Web PKI simulator (TEST): generated.\nglobalThis.webPkiSimulator = ${settings};\n`);
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { identities: { type: "string" }, out: { type: "string" }, behaviour: { type: "string", default: "{}" } },
  });
  if (!values.identities || !values.out) {
    console.error("usage: node pack.js --identities FILE --out DIR [--behaviour JSON]");
    process.exit(3);
  }
  const identities = JSON.parse(readFileSync(values.identities, "utf8"));
  console.log(packExtension({ identities, behaviour: JSON.parse(values.behaviour), out: values.out }));
}
