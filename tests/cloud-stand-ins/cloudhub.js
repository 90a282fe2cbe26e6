// A stand-in for Cloudhub 2 (TEST), from the vendor's OpenAPI document 2.0.0. See README.md.
import { randomBytes } from "node:crypto";

import { Refusal, askPerson, check, identityOf, isIdentifier, isText, isUrl, json, permitting, redirect, secret, serve, sign } from "./stand-in.js";

/** @typedef {import("./stand-in.js").Call} Call */

const SERVICE = "TestCloud";
const TYPES = ["SingleSignature", "MultiSignature", "SignatureSession", "AuthenticationSession"];
/** @type {Map<string, any>} */
const requests = new Map();
/** @type {Map<string, { request: any, identity: import("./stand-in.js").Identity, until: number, uses: number }>} */
const sessions = new Map();

/** @param {Call} call */
function requireKey(call) {
  if (call.headers["x-api-key"] !== secret) throw new Refusal(401, "wrong API key");
}

/** @param {string | null} text */
function sessionOf(text) {
  const session = sessions.get(text ?? "");
  if (!session) throw new Refusal(401, "no such session");
  if (session.until < Date.now()) throw new Refusal(401, "the session is over");
  return session;
}

/** @param {Call} call */
function availability(call) {
  requireKey(call);
  const query = Object.fromEntries(call.query);
  check(query, { identifier: isIdentifier, identifierType: (value) => ["CPF", "CNPJ"].includes(value) }, ["identifier"]);
  return { discoveryAvailable: true, certificateFound: Boolean(identityOf(query.identifier)) };
}

/** @param {Call} call */
function start(call) {
  requireKey(call);
  const body = json(call);
  check(body, {
    identifier: isIdentifier,
    type: (value) => TYPES.includes(value),
    redirectUri: isUrl,
    lifetimeInSeconds: (value) => Number.isInteger(value) && value > 0,
    customState: isText,
    discover: (value) => typeof value === "boolean",
  }, ["type", "redirectUri"]);
  const id = randomBytes(16).toString("hex");
  requests.set(id, body);
  const serviceInfo = { serviceName: SERVICE, provider: "TEST", endpoint: url(), badgeUrl: null };
  return { serviceInfo, authUrl: `${url()}/stand-in/approve?request=${id}` };
}

/** @param {Call} call */
function approve(call) {
  const id = call.query.get("request") ?? "";
  const request = requests.get(id);
  if (!request) throw new Refusal(404, "no such request");
  const target = new URL(request.redirectUri);
  if (call.query.has("refuse")) {
    requests.delete(id);
    target.searchParams.set("error", "user_denied");
    return redirect(target.href);
  }
  if (!call.query.has("permit")) return askPerson(call);
  requests.delete(id);
  const identity = permitting(call, request.identifier);
  const session = randomBytes(32).toString("base64url");
  sessions.set(session, { request, identity, until: Date.now() + (request.lifetimeInSeconds ?? 300) * 1000, uses: 0 });
  target.searchParams.set("session", session);
  return redirect(target.href);
}

/** @param {Call} call */
function customState(call) {
  requireKey(call);
  return sessionOf(call.query.get("session")).request.customState ?? null;
}

/** @param {Call} call */
function certificate(call) {
  requireKey(call);
  return { content: sessionOf(call.query.get("session")).identity.certificate, alias: "TEST-alias", serviceName: SERVICE };
}

/** @param {Call} call */
function signHash(call) {
  requireKey(call);
  const body = json(call);
  check(body, {
    session: isText,
    hash: (value) => Buffer.from(value, "base64").toString("base64") === value,
    digestAlgorithm: (value) => value === "SHA256",
    digestAlgorithmOid: (value) => value === "2.16.840.1.101.3.4.2.1",
    certificateAlias: isText,
  }, ["session", "hash"]);
  const session = sessionOf(body.session);
  if (session.request.type === "SingleSignature" && session.uses > 0) throw new Refusal(403, "used up");
  const hash = Buffer.from(body.hash, "base64");
  if (hash.length !== 32) throw new Refusal(400, "bad member hash");
  session.uses += 1;
  return sign(session.identity, hash);
}

const url = serve({
  [`GET /api/sessions/services/${SERVICE}/availability`]: ["holds", availability],
  [`POST /api/sessions/services/${SERVICE}`]: ["start", start],
  "GET /stand-in/approve": ["page", approve],
  "GET /api/sessions/custom-state": ["read", customState],
  "GET /api/v2/sessions/certificate": ["certificate", certificate],
  "POST /api/sessions/sign-hash": ["sign", signHash],
});
