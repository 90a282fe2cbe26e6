// Web PKI simulator (TEST): the odd states it can be put into.

/**
 * Every knob is optional; an unknown one is an error, so that a misspelt test does not pass.
 * @typedef {object} Behaviour
 * @property {boolean} [absent] never shows the presence element and never answers
 * @property {number} [appearsAfterMs] the extension appears this long after its start, in milliseconds
 * @property {boolean} [nativeMissing] the extension is there, its native component is not
 * @property {number} [nativeAppearsAfterMs] the native component is missing for this long, in milliseconds
 * @property {"extension" | "native"} [outdated] this part has version 2.0.0
 * @property {"Windows" | "Linux" | "Darwin"} [os] `Windows` when absent
 * @property {number} [delayMs] time to answer, in milliseconds; 5 when absent
 * @property {string[]} [silent] commands that are never answered; `["*"]` for all
 * @property {Record<string, string>} [fails] wire code by command
 * @property {boolean} [userCancels] the person refuses every authorization
 * @property {boolean} [dialog] a visible authorization window asks the person (main-world form only)
 * @property {boolean} [emptyList] no certificate is listed
 * @property {boolean} [wrongSignature] one bit of each signature is flipped
 * @property {WrongReply} [wrongReply] replies break the protocol
 * @property {boolean} [duplicateReplies] each reply is sent twice
 * @property {string[]} [licensedHosts] hosts that need no licence besides `localhost`
 */

/**
 * `unknown_request_id`: an id nobody asked under · `not_an_object`: a string · `no_success`: the member is missing ·
 * `wrong_type`: a number where the command's answer belongs.
 * @typedef {"unknown_request_id" | "not_an_object" | "no_success" | "wrong_type"} WrongReply
 */

/** @type {Record<keyof Behaviour, (value: any) => boolean>} */
const KNOBS = {
  absent: isBoolean,
  appearsAfterMs: isDuration,
  nativeMissing: isBoolean,
  nativeAppearsAfterMs: isDuration,
  outdated: (value) => value === "extension" || value === "native",
  os: (value) => ["Windows", "Linux", "Darwin"].includes(value),
  delayMs: isDuration,
  silent: isStrings,
  fails: (value) => typeof value === "object" && isStrings(Object.values(value)),
  userCancels: isBoolean,
  dialog: isBoolean,
  emptyList: isBoolean,
  wrongSignature: isBoolean,
  wrongReply: (value) => ["unknown_request_id", "not_an_object", "no_success", "wrong_type"].includes(value),
  duplicateReplies: isBoolean,
  licensedHosts: isStrings,
};

/**
 * @param {Behaviour} behaviour
 * @returns {Behaviour} the same
 */
export function checkBehaviour(behaviour) {
  for (const [name, value] of Object.entries(behaviour)) {
    const accepts = KNOBS[/** @type {keyof Behaviour} */ (name)];
    if (!accepts) throw new TypeError(`Web PKI simulator: no behaviour "${name}"`);
    if (!accepts(value)) throw new TypeError(`Web PKI simulator: bad value for behaviour "${name}"`);
  }
  return behaviour;
}

/** @param {any} value */
function isBoolean(value) {
  return typeof value === "boolean";
}

/** @param {any} value */
function isDuration(value) {
  return Number.isFinite(value) && value >= 0;
}

/** @param {any} value */
function isStrings(value) {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
