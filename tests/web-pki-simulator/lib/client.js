// Web PKI simulator (TEST): extension and native component in one. Both forms of the simulator use it.

import { fromBase64, toBase64 } from "./base64.js";
import { checkBehaviour } from "./behaviour.js";
import { certificateModel } from "./certificate.js";
import { STATUS_NATIVE_MISSING } from "./names.js";
import { Refusal } from "./refusal.js";
import { checkMessage } from "./request.js";
import { digestByName, rsaKeyFromJwk, signDigest } from "./rsa.js";

const EXTENSION_VERSION = "2.17.1";
const NATIVE_VERSION = "2.16.0";
const OUTDATED_VERSION = "2.0.0";

/** The real extension asks its native component again this often while it is missing, in milliseconds. */
const NATIVE_POLL_MS = 1000;

/**
 * A certificate with its software key. TEST material only.
 * @typedef {object} Identity
 * @property {string} certificate DER in base64
 * @property {JsonWebKey} private_key RSA with CRT members; any other kind can be listed but not used
 * @property {string[]} [chain] issuers, DER in base64; the client does not show them
 */

/**
 * The page that asks.
 * @typedef {{ id: string, host: string }} Page
 */

/**
 * What the authorization window shows.
 * @typedef {{ holder: string, host: string, count: number }} Authorization
 */

/**
 * @typedef {object} ClientOptions
 * @property {Identity[]} identities
 * @property {import("./behaviour.js").Behaviour} [behaviour]
 * @property {(request: Authorization) => Promise<boolean>} [authorize] asks the person; yes at once when absent
 */

/** One running client. */
export class Client {
  #behaviour;
  #authorize;
  #entries;
  #startedAt = Date.now();
  /** Signatures left, by page and thumbprint. @type {Map<string, number>} */
  #preauthorized = new Map();
  /** @type {Set<string>} */
  #seen = new Set();

  /** @param {ClientOptions} options */
  constructor({ identities, behaviour = {}, authorize = async () => true }) {
    this.#behaviour = checkBehaviour(behaviour);
    this.#authorize = authorize;
    this.#entries = Promise.all(identities.map(entry));
  }

  /**
   * Takes a message of the page and gives the replies to send: one, or none or several if told to misbehave.
   * @param {unknown} received
   * @param {Page} page
   * @returns {Promise<unknown[]>}
   */
  async receive(received, page) {
    // The real extension passes messages on as JSON: what JSON cannot say does not arrive.
    const message = JSON.parse(JSON.stringify(received) ?? "null");
    if (typeof message?.requestId !== "string" || message.requestId === "") {
      throw new TypeError("Web PKI simulator: a message without requestId cannot be answered");
    }
    const { silent = [], delayMs = 5 } = this.#behaviour;
    if (silent.includes("*") || silent.includes(message.command)) return [];
    // Never at once: the page has not yet attached its callbacks.
    await sleep(delayMs);
    // A copy: the page may change what it gets, and in the main world it would change our own model.
    return this.#distort(structuredClone(await this.#reply(message, page)));
  }

  /** @param {import("./request.js").Message} message @param {Page} page */
  async #reply(message, page) {
    const { requestId } = message;
    try {
      if (this.#seen.has(requestId)) throw new Refusal("command_invalid_parameter", "The requestId was used before");
      this.#seen.add(requestId);
      checkMessage(message);
      const code = this.#behaviour.fails?.[message.command];
      if (code) throw new Refusal(code, `${message.command} fails as told`);
      return { requestId, success: true, response: await this.#perform(message, page), exception: null, trace: false };
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal("internal", String(error));
      return { requestId, success: false, response: null, exception: refusal.toException(), trace: false };
    }
  }

  /** @param {import("./request.js").Message} message @param {Page} page @returns {Promise<unknown>} */
  async #perform({ command, request, license }, page) {
    switch (command) {
      case "getExtensionVersion":
        return this.#behaviour.outdated === "extension" ? OUTDATED_VERSION : EXTENSION_VERSION;
      case "initialize":
        return this.#initialize();
      case "updateExtension":
        return { updating: false, reason: "no_update" };
      case "pollNative":
        return this.#pollNative(request);
    }
    if (!this.#hasNative()) throw new Refusal("native_connect_failure", "The native component is missing");
    if (command === "getVersion") return this.#nativeVersion();
    this.#checkLicence(license, page);
    if (command === "listCertificates") {
      return this.#behaviour.emptyList ? [] : (await this.#entries).map(({ model }) => model);
    }
    const found = await this.#find(request.certificateThumbprint);
    switch (command) {
      case "readCertificate":
        return found.certificate;
      case "preauthorizeSignatures":
        await this.#ask(found, page, request.signatureCount);
        this.#preauthorized.set(`${page.id} ${found.model.thumbprint}`, request.signatureCount);
        return null;
      case "signHash":
        return (await this.#sign(found, page, [{ algorithm: request.digestAlgorithm, value: request.hash }]))[0];
      case "signData":
        return (await this.#sign(found, page, [await hashData(request)]))[0];
      case "signHashes":
        return { signatures: await this.#sign(found, page, request.hashes) };
      case "signHashBatch":
        return {
          signatures: await this.#sign(
            found,
            page,
            request.batch.map((/** @type {string} */ value) => ({ algorithm: request.digestAlgorithm, value })),
          ),
        };
    }
    throw new Refusal("command_unknown", `There is no command ${command}`);
  }

  #initialize() {
    const platformInfo = { os: { Windows: "win", Linux: "linux", Darwin: "mac" }[this.#os()], arch: "x86-64" };
    if (!this.#hasNative()) {
      return { isReady: false, status: STATUS_NATIVE_MISSING, message: "The native component is missing", platformInfo };
    }
    const nativeInfo = { os: this.#os(), installedVersion: this.#nativeVersion() };
    return { isReady: true, status: 0, nativeInfo, platformInfo };
  }

  /** @param {Record<string, string>} required */
  async #pollNative(required) {
    const name = { Windows: "requiredNativeWinVersion", Linux: "requiredNativeLinuxVersion", Darwin: "requiredNativeMacVersion" };
    const wanted = /** @type {string} */ (required[name[this.#os()]]);
    while (!this.#hasNative() || isOlder(this.#nativeVersion(), wanted)) await sleep(NATIVE_POLL_MS);
    return this.#nativeVersion();
  }

  #os() {
    return this.#behaviour.os ?? "Windows";
  }

  #nativeVersion() {
    return this.#behaviour.outdated === "native" ? OUTDATED_VERSION : NATIVE_VERSION;
  }

  #hasNative() {
    const { nativeMissing = false, nativeAppearsAfterMs = 0 } = this.#behaviour;
    return !nativeMissing && Date.now() - this.#startedAt >= nativeAppearsAfterMs;
  }

  /** @param {unknown} license @param {Page} page */
  #checkLicence(license, { host }) {
    if (license !== null || host === "localhost" || this.#behaviour.licensedHosts?.includes(host)) return;
    throw new Refusal("license_not_set", `The site ${host} has no licence`);
  }

  /** @param {string} thumbprint */
  async #find(thumbprint) {
    const found = (await this.#entries).find(({ model }) => model.thumbprint === thumbprint);
    if (!found) throw new Refusal("certificate_not_found", "There is no such certificate");
    return found;
  }

  /**
   * @param {Entry} found
   * @param {Page} page
   * @param {{ algorithm: string, value: string }[]} hashes
   */
  async #sign(found, page, hashes) {
    const key = found.key;
    if (!key) throw new Refusal("algorithm_not_supported", "Only RSA keys are supported");
    const digests = hashes.map(({ algorithm, value }) => {
      const digest = digestByName(algorithm);
      if (!digest) throw new Refusal("algorithm_not_supported", `The digest algorithm ${algorithm} is not supported`);
      const bytes = /** @type {Uint8Array} */ (fromBase64(value));
      if (bytes.length !== digest.length) {
        throw new Refusal("command_invalid_parameter", `A digest of ${algorithm} has ${digest.length} bytes`);
      }
      return { digest, bytes };
    });
    await this.#authorizeOnce(found, page, digests.length);
    return digests.map(({ digest, bytes }) => {
      const signature = signDigest(key, digest, bytes);
      if (this.#behaviour.wrongSignature) signature[20] = /** @type {number} */ (signature[20]) ^ 1;
      return toBase64(signature);
    });
  }

  /** Uses up what was preauthorized, else asks. @param {Entry} found @param {Page} page @param {number} count */
  async #authorizeOnce(found, page, count) {
    const slot = `${page.id} ${found.model.thumbprint}`;
    const left = this.#preauthorized.get(slot) ?? 0;
    if (left >= count) this.#preauthorized.set(slot, left - count);
    else await this.#ask(found, page, count);
  }

  /** @param {Entry} found @param {Page} page @param {number} count */
  async #ask(found, page, count) {
    const yes =
      !this.#behaviour.userCancels && (await this.#authorize({ holder: found.model.subjectName, host: page.host, count }));
    if (!yes) throw new Refusal("user_cancelled", "The person cancelled");
  }

  /** @param {{ requestId: string, success: boolean, response: unknown }} reply @returns {unknown[]} */
  #distort(reply) {
    const { wrongReply, duplicateReplies } = this.#behaviour;
    /** @type {unknown} */
    let sent = reply;
    if (wrongReply === "unknown_request_id") sent = { ...reply, requestId: "00000000-0000-0000-0000-000000000000" };
    if (wrongReply === "not_an_object") sent = "ok";
    if (wrongReply === "no_success") sent = { requestId: reply.requestId, response: reply.response };
    if (wrongReply === "wrong_type") sent = { ...reply, response: 42 };
    return duplicateReplies ? [sent, structuredClone(sent)] : [sent];
  }
}

/**
 * @typedef {{ certificate: string, model: Awaited<ReturnType<typeof certificateModel>>, key: import("./rsa.js").RsaKey | undefined }} Entry
 */

/** @param {Identity} identity @returns {Promise<Entry>} */
async function entry({ certificate, private_key }) {
  const der = fromBase64(certificate);
  if (!der) throw new TypeError("Web PKI simulator: the certificate of an identity is not base64");
  return { certificate, model: await certificateModel(der), key: rsaKeyFromJwk(private_key) };
}

/** @param {{ data: string, digestAlgorithm: string }} request */
async function hashData({ data, digestAlgorithm }) {
  const digest = digestByName(digestAlgorithm);
  if (!digest) throw new Refusal("algorithm_not_supported", `The digest algorithm ${digestAlgorithm} is not supported`);
  const bytes = /** @type {BufferSource} */ (fromBase64(data));
  return {
    algorithm: digestAlgorithm,
    value: toBase64(new Uint8Array(await crypto.subtle.digest(digest.webCrypto, bytes))),
  };
}

/** @param {string} version @param {string} wanted */
function isOlder(version, wanted) {
  const have = version.split(".").map(Number);
  const need = wanted.split(".").map(Number);
  for (const [i, part] of need.entries()) {
    if ((have[i] ?? -1) !== part) return (have[i] ?? -1) < part;
  }
  return false;
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
