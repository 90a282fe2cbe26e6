// Web PKI simulator (TEST): what a request may look like. Stricter than the real client where that catches
// mistakes of a page: unknown members are refused instead of ignored.

import { fromBase64 } from "./base64.js";
import { COMMANDS_NOT_SIMULATED } from "./names.js";
import { Refusal } from "./refusal.js";

/**
 * @typedef {object} Message
 * @property {string} requestId
 * @property {string | object | null} license
 * @property {boolean} useDomainNativePool
 * @property {string} jslibVersion
 * @property {string} command
 * @property {any} request
 */

/** @typedef {{ check: (value: any) => boolean, optional?: boolean }} Parameter */

/** @type {Parameter} */
const text = { check: (value) => typeof value === "string" && value !== "" };
/** @type {Parameter} */
const bytes = { check: (value) => fromBase64(value) !== undefined && value !== "" };

/** Parameters by command; `null` where the request is null. @type {Record<string, Record<string, Parameter> | null>} */
const COMMANDS = {
  getExtensionVersion: null,
  initialize: null,
  getVersion: null,
  updateExtension: null,
  pollNative: { requiredNativeWinVersion: text, requiredNativeLinuxVersion: text, requiredNativeMacVersion: text },
  listCertificates: null,
  readCertificate: { certificateThumbprint: text },
  preauthorizeSignatures: {
    certificateThumbprint: text,
    signatureCount: { check: (value) => Number.isInteger(value) && value > 0 },
  },
  signHash: { certificateThumbprint: text, hash: bytes, digestAlgorithm: text },
  signData: { certificateThumbprint: text, data: { check: (value) => fromBase64(value) !== undefined }, digestAlgorithm: text },
  signHashes: { certificateThumbprint: text, hashes: { check: isHashes } },
  signHashBatch: {
    certificateThumbprint: text,
    digestAlgorithm: text,
    usePreauthorizedSignatures: { check: (value) => typeof value === "boolean", optional: true },
    batch: { check: (value) => Array.isArray(value) && value.length > 0 && value.every(bytes.check) },
  },
};

/** @type {Record<Exclude<keyof Message, "requestId">, (value: any) => boolean>} */
const ENVELOPE = {
  license: (value) => value === null || typeof value === "string" || typeof value === "object",
  useDomainNativePool: (value) => typeof value === "boolean",
  jslibVersion: (value) => typeof value === "string" && /^\d+(\.\d+)+$/.test(value),
  command: (value) => typeof value === "string" && value !== "",
  request: () => true,
};

/**
 * Refuses a message that the protocol does not allow.
 * @param {Message} message with a usable `requestId`
 */
export function checkMessage(message) {
  for (const [name, accepts] of Object.entries(ENVELOPE)) {
    if (!(name in message)) throw new Refusal("command_parameter_not_set", `The message has no member ${name}`);
    if (!accepts(message[/** @type {keyof Message} */ (name)])) {
      throw new Refusal("command_invalid_parameter", `The member ${name} of the message is not valid`);
    }
  }
  const extra = Object.keys(message).find((name) => name !== "requestId" && !(name in ENVELOPE));
  if (extra) throw new Refusal("command_parameter_not_supported", `The message has an unknown member ${extra}`);
  if (COMMANDS_NOT_SIMULATED.includes(message.command)) {
    throw new Refusal("command_not_supported", `The simulator does not perform ${message.command}`);
  }
  if (!Object.hasOwn(COMMANDS, message.command)) {
    throw new Refusal("command_unknown", `There is no command ${message.command}`);
  }
  checkParameters(message.command, message.request);
}

/** @param {string} command @param {any} request */
function checkParameters(command, request) {
  const parameters = COMMANDS[command];
  if (!parameters) {
    if (request !== null) throw new Refusal("command_invalid_parameter", `${command} takes no parameters`);
    return;
  }
  if (typeof request !== "object" || request === null || Array.isArray(request)) {
    throw new Refusal("command_parameter_not_set", `${command} needs parameters`);
  }
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = request[name];
    if (isUnset(value)) {
      if (parameter.optional) continue;
      throw new Refusal("command_parameter_not_set", `${command} needs the parameter ${name}`);
    }
    if (!parameter.check(value)) {
      throw new Refusal("command_invalid_parameter", `The parameter ${name} of ${command} is not valid`);
    }
  }
  const extra = Object.keys(request).find((name) => !Object.hasOwn(parameters, name));
  if (extra) throw new Refusal("command_parameter_not_supported", `${command} has no parameter ${extra}`);
}

/** The real client treats an empty list as not set. @param {any} value */
function isUnset(value) {
  return value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
}

/** @param {any} value */
function isHashes(value) {
  return (
    Array.isArray(value) &&
    value.every(
      (item) =>
        typeof item === "object" && item !== null && Object.keys(item).sort().join() === "algorithm,value" &&
        text.check(item.algorithm) && bytes.check(item.value),
    )
  );
}
