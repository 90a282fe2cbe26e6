// What the stand-ins share (TEST): people with keys, faults on demand, a count of what was asked, and strictness.
import { constants, createPrivateKey, privateEncrypt, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

/**
 * @typedef {{ certificate: string, private_key: import("node:crypto").JsonWebKey }} Identity
 * @typedef {{ method: string, path: string, query: URLSearchParams, headers: import("node:http").IncomingHttpHeaders, body: string }} Call
 */

/** An answer that is no success, or none of the contract. */
export class Refusal extends Error {
  /** @param {number} status @param {string | object} body @param {Record<string, string>} [headers] */
  constructor(status, body, headers = {}) {
    super(typeof body === "string" ? body : JSON.stringify(body));
    this.status = status;
    this.headers = headers;
  }
}

const { values } = parseArgs({
  options: {
    identities: { type: "string" },
    port: { type: "string", default: "0" },
    "secret-file": { type: "string" },
    hash: { type: "string", default: "base64" },
    "token-body": { type: "string", default: "form" },
    "base-path": { type: "string", default: "/v0/oauth" },
    "push-path": { type: "string", default: "" },
    wrapped: { type: "boolean", default: false },
  },
});
/** What the process was told. */
export const options = values;

/** @type {Identity[]} */
const identities = JSON.parse(readFileSync(options.identities ?? "", "utf8"));
/** What a caller shows: of the file, or made up. */
export const secret = options["secret-file"]
  ? readFileSync(options["secret-file"], "utf8").trim()
  : `TEST-${randomBytes(16).toString("hex")}`;

/** The identity whose certificate has this number. @param {string} [identifier] @returns {Identity | undefined} */
export function identityOf(identifier) {
  return identities.find((one) => !identifier || Buffer.from(one.certificate, "base64").includes(identifier));
}

/** Who permits: whom the page of the provider says, else whom the caller named. @param {Call} call @param {string} [identifier] @returns {Identity} */
export function permitting(call, identifier) {
  const said = call.query.get("identity");
  const identity = said === null ? identityOf(identifier) : identities[Number(said)];
  if (!identity) throw new Refusal(404, "nobody here has this number");
  return identity;
}

/** DigestInfo of SHA-256 without the digest (RFC 8017 §9.2). */
const SHA256_PREFIX = Buffer.from("3031300d060960864801650304020105000420", "hex");

/** The raw value over a digest, in base64. @param {Identity} identity @param {Buffer} digest */
export function sign(identity, digest) {
  log.used += 1;
  if (fault === "wrong_value") digest = Buffer.from(digest.map((byte, index) => (index === 0 ? byte ^ 1 : byte)));
  const key = createPrivateKey({ key: identity.private_key, format: "jwk" });
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, Buffer.concat([SHA256_PREFIX, digest])).toString("base64");
}

/**
 * Checks an object against members of the contract: name → test; all of `required` must be there.
 * @param {any} body @param {Record<string, (value: any) => boolean>} members @param {string[]} required
 */
export function check(body, members, required) {
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw new Refusal(400, "not an object");
  for (const [name, value] of Object.entries(body)) {
    const test = members[name];
    if (!test) throw new Refusal(400, `unknown member ${name}`);
    if (value !== null && !test(value)) throw new Refusal(400, `bad member ${name}`);
  }
  for (const name of required) if (body[name] == null) throw new Refusal(400, `member ${name} is missing`);
}

/** @param {unknown} value */
export const isText = (value) => typeof value === "string" && value.length > 0;
/** @param {unknown} value */
export const isIdentifier = (value) => typeof value === "string" && /^([0-9]{11}|[0-9A-Z]{12}[0-9]{2})$/.test(value);
/** @param {unknown} value */
export const isUrl = (value) => typeof value === "string" && URL.canParse(value);

/** @param {Call} call @returns {any} */
export function json(call) {
  if (call.headers["content-type"] !== "application/json") throw new Refusal(415, "send JSON");
  try {
    return JSON.parse(call.body);
  } catch {
    throw new Refusal(400, "not JSON");
  }
}

/** Sends a browser on. @param {string} url @returns {never} */
export function redirect(url) {
  throw new Refusal(302, "", { location: url });
}

/** The page where the person decides. @param {Call} call @returns {never} */
export function askPerson(call) {
  const link = (/** @type {string} */ how) => `${call.path}?${call.query}&${how}=1`.replaceAll("&", "&amp;");
  throw new Refusal(
    200,
    `<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Stand-in (TEST)</title>
<h1>Provedor de certificado em nuvem &mdash; stand-in (TEST)</h1>
<p>Nenhum prestador real participa. <a href="${link("permit")}">Autorizar</a> <a href="${link("refuse")}">Recusar</a></p>`,
    { "content-type": "text/html; charset=utf-8" },
  );
}

/** @type {string | null} */
let fault = null;
/** @type {{ fault: string, on: string, times: number } | null} */
let next = null;
/** What happened: calls by name, how often it was asked to sign, how often a key was used, how many calls at once. */
export const log = { asked: 0, used: 0, at_once: 0, most_at_once: 0, calls: /** @type {Record<string, number>} */ ({}) };

/** Counts a call and takes the fault that waits for it. @param {string} name */
function begin(name) {
  log.calls[name] = (log.calls[name] ?? 0) + 1;
  if (name === "sign") log.asked += 1;
  fault = null;
  if (next && (next.on === name || next.on === "any")) {
    fault = next.fault;
    next.times -= 1;
    if (next.times === 0) next = null;
  }
  if (fault === "busy") throw new Refusal(429, "too many", { "retry-after": "1" });
  if (fault === "away") throw new Refusal(503, "away");
  if (fault === "error") throw new Refusal(500, "an error");
  if (fault === "redirect") throw new Refusal(302, "", { location: "https://elsewhere.example/" });
}

/**
 * Serves until standard input ends, and prints where. `routes`: `METHOD /path` → name for faults, and what is answered.
 * @param {Record<string, [string, (call: Call) => unknown]>} routes
 */
export function serve(routes) {
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const pieces = [];
    log.at_once += 1;
    log.most_at_once = Math.max(log.most_at_once, log.at_once);
    response.on("close", () => (log.at_once -= 1));
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      const at = new URL(request.url ?? "/", url());
      const { method = "", headers } = request;
      const call = { method, path: at.pathname, query: at.searchParams, headers, body: Buffer.concat(pieces).toString() };
      try {
        answer(response, JSON.stringify(dispatch(routes, call)));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        response.writeHead(error.status, error.headers).end(error.message);
      }
    });
  });
  const url = () => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  };
  server.listen(Number(options.port), "127.0.0.1", () => {
    process.stdout.write(`${JSON.stringify({ url: url(), secret })}\n`);
  });
  process.stdin.on("end", () => process.exit(0)).resume();
  return url;
}

/** @param {Record<string, [string, (call: Call) => unknown]>} routes @param {Call} call */
function dispatch(routes, call) {
  const name = `${call.method} ${call.path}`;
  fault = null;
  if (name === "GET /stand-in/log") return log;
  if (name === "POST /stand-in/next") {
    const wanted = json(call);
    next = { fault: wanted.fault, on: wanted.on ?? "sign", times: wanted.times ?? 1 };
    return {};
  }
  const route = routes[name];
  if (!route) throw new Refusal(404, "no such path");
  begin(route[0]);
  return route[1](call);
}

/** Answers, or breaks off as the fault says: by then the work is done. @param {import("node:http").ServerResponse} response @param {string} text */
function answer(response, text) {
  const head = { "content-type": "application/json" };
  if (fault === "lost") return response.destroy();
  if (fault === "garbage") return response.writeHead(200, head).end("{]");
  if (fault === "large") return response.writeHead(200, head).end(`${text.slice(0, -1)}${" ".repeat(300 * 1024)}${text.slice(-1)}`);
  if (fault === "half") {
    response.writeHead(200, { ...head, "content-length": text.length });
    response.write(text.slice(0, text.length / 2));
    return setTimeout(() => response.destroy(), 50);
  }
  const end = () => response.writeHead(200, head).end(text);
  return fault === "slow" ? setTimeout(end, 4000) : end();
}
