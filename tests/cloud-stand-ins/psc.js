// A stand-in for a provider of cloud certificates (TEST), from DOC-ICP-17.01: OAuth 2.0 with PKCE. See README.md.
import { createHash, randomBytes } from "node:crypto";

import { Refusal, askPerson, check, identityOf, isIdentifier, isText, isUrl, json, options, permitting, redirect, secret, serve, sign } from "./stand-in.js";

/**
 * @typedef {import("./stand-in.js").Call} Call
 * @typedef {{ query: Record<string, string>, identity: import("./stand-in.js").Identity, identified: string, until: number }} Grant
 */

const CLIENT_ID = "TEST-bank";
const SHA256 = "2.16.840.1.101.3.4.2.1";
const SCOPES = ["single_signature", "multi_signature", "signature_session", "authentication_session"];
const BASE = options["base-path"];
/** @type {Map<string, Grant>} */
const codes = new Map();
/** @type {Map<string, Grant & { uses: number }>} */
const tokens = new Map();

/** @param {string} value */
const isSeconds = (value) => /^[1-9][0-9]*$/.test(value);
/** @param {string} value */
const isKind = (value) => ["CPF", "CNPJ"].includes(value);

/** People who are asked on their phones: whether they decided, and how. @type {Map<string, { code: string, refused: boolean, decided: boolean }>} */
const asked = new Map();

/** What a person meets: a redirect of their browser, or nothing yet when they are asked on their phone. @param {Call} call */
function authorize(call) {
  const { permit, refuse, identity: _, identified, ...query } = Object.fromEntries(call.query);
  check(query, {
    response_type: (value) => value === "code",
    client_id: (value) => value === CLIENT_ID,
    redirect_uri: isUrl,
    state: isText,
    lifetime: isSeconds,
    scope: (value) => SCOPES.includes(value),
    code_challenge: (value) => /^[A-Za-z0-9_-]{43}$/.test(value),
    code_challenge_method: (value) => value === "S256",
    login_hint: isIdentifier,
  }, ["response_type", "client_id", "redirect_uri", "scope", "code_challenge", "code_challenge_method"]);
  if (query.redirect_uri === "push://") {
    if (!options["push-path"] || !query.login_hint || query.state) throw new Refusal(400, "nobody to ask");
    const identity = permitting(call, query.login_hint);
    const [code, ask] = [randomBytes(24).toString("base64url"), randomBytes(24).toString("base64url")];
    codes.set(code, { query, identity, identified: query.login_hint, until: Date.now() + 60_000 });
    asked.set(ask, { code, refused: false, decided: false });
    throw new Refusal(200, `code=${ask}`, { "content-type": "text/plain" });
  }
  const target = new URL(query.redirect_uri ?? "");
  if (query.state) target.searchParams.set("state", query.state);
  if (refuse) {
    target.searchParams.set("error", "access_denied");
    return redirect(target.href);
  }
  if (!permit) return askPerson(call);
  const identity = permitting(call, query.login_hint);
  const code = randomBytes(24).toString("base64url");
  codes.set(code, { query, identity, identified: identified ?? query.login_hint ?? "", until: Date.now() + 60_000 });
  target.searchParams.set("code", code);
  return redirect(target.href);
}

/** The phones of all who are asked. @param {Call} call */
function phones(call) {
  for (const one of asked.values()) Object.assign(one, { decided: true, refused: call.query.has("refuse") });
  return {};
}

/** Whether somebody decided. @param {Call} call */
function poll(call) {
  const one = asked.get(call.query.get("code") ?? "");
  if (!one || [...call.query.keys()].length !== 1) throw new Refusal(400, "no such question");
  if (!one.decided) throw new Refusal(304, "");
  asked.delete(call.query.get("code") ?? "");
  if (one.refused) throw new Refusal(403, "refused");
  return { authorizationToken: one.code, redirectUrl: "push://" };
}

/** @param {string} error */
const oauthError = (error) => new Refusal(400, { error }, { "content-type": "application/json" });

/** @param {Call} call */
function token(call) {
  const isForm = options["token-body"] === "form";
  if (isForm && call.headers["content-type"] !== "application/x-www-form-urlencoded") throw new Refusal(415, "send a form");
  const body = isForm ? Object.fromEntries(new URLSearchParams(call.body)) : json(call);
  check(body, {
    grant_type: (value) => value === "authorization_code",
    client_id: isText, client_secret: isText, code: isText, redirect_uri: isUrl, code_verifier: isText,
  }, ["grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier"]);
  if (body.client_id !== CLIENT_ID || body.client_secret !== secret) throw oauthError("invalid_client");
  const grant = codes.get(body.code);
  codes.delete(body.code);
  const challenge = createHash("sha256").update(body.code_verifier).digest("base64url");
  const isGood = grant && grant.until > Date.now() && /^[A-Za-z0-9._~-]{43,128}$/.test(body.code_verifier)
    && grant.query.redirect_uri === body.redirect_uri && grant.query.code_challenge === challenge;
  if (!isGood) throw oauthError("invalid_grant");
  const lifetime = Math.min(Number(grant.query.lifetime ?? 300), 300);
  const access_token = randomBytes(32).toString("base64url");
  tokens.set(access_token, { ...grant, until: Date.now() + lifetime * 1000, uses: 0 });
  const who = grant.identified
    ? { authorized_identification_type: grant.identified.length === 11 ? "CPF" : "CNPJ", authorized_identification: grant.identified }
    : {};
  return { access_token, token_type: "Bearer", expires_in: lifetime, scope: grant.query.scope, ...who };
}

/** @param {Call} call */
function discovery(call) {
  const body = json(call);
  check(body, { client_id: isText, client_secret: isText, user_cpf_cnpj: isKind, val_cpf_cnpj: isIdentifier }, [
    "client_id", "client_secret", "user_cpf_cnpj", "val_cpf_cnpj",
  ]);
  if (body.client_id !== CLIENT_ID || body.client_secret !== secret) throw oauthError("invalid_client");
  return identityOf(body.val_cpf_cnpj) ? { status: "S", slots: [{ slot_alias: "TEST-slot", label: "TEST" }] } : { status: "N", slots: [] };
}

/** @param {Call} call */
function grantOf(call) {
  const grant = tokens.get((call.headers.authorization ?? "").replace(/^Bearer /, ""));
  if (!grant || grant.until < Date.now()) throw new Refusal(401, { error: "invalid_token" });
  return grant;
}

/** Base64 as some write it. @param {string} base64 */
const wrapped = (base64) => (options.wrapped ? (base64.match(/.{1,64}/g) ?? []).join("\r\n") : base64);

/** @param {Call} call */
function certificates(call) {
  const { identity } = grantOf(call);
  const lines = (identity.certificate.match(/.{1,64}/g) ?? []).join("\n");
  const pem = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return { status: "S", certificates: [{ alias: "TEST-alias", certificate: options.wrapped ? wrapped(identity.certificate) : pem }] };
}

/** @param {string} hash */
function readHash(hash) {
  const bytes = Buffer.from(hash, options.hash === "hex" ? "hex" : "base64");
  const again = options.hash === "hex" ? bytes.toString("hex") : bytes.toString("base64");
  if (bytes.length !== 32 || again !== hash) throw new Refusal(400, { error: "invalid_request" });
  return bytes;
}

/** @param {Call} call */
function signature(call) {
  const grant = grantOf(call);
  const body = json(call);
  check(body, { certificate_alias: (value) => value === "TEST-alias", hashes: (value) => Array.isArray(value) && value.length > 0 }, ["hashes"]);
  for (const one of body.hashes) {
    check(one, {
      id: isText, alias: isText, hash: isText, hash_algorithm: (value) => value === SHA256, signature_format: (value) => value === "RAW",
    }, ["id", "alias", "hash", "hash_algorithm", "signature_format"]);
  }
  const { scope } = grant.query;
  if (scope === "authentication_session") throw new Refusal(403, { error: "insufficient_scope" });
  const isOneShot = scope !== "signature_session";
  if ((isOneShot && grant.uses > 0) || (scope === "single_signature" && body.hashes.length > 1)) throw new Refusal(401, { error: "invalid_token" });
  const digests = body.hashes.map((/** @type {{ hash: string }} */ one) => readHash(one.hash));
  grant.uses += 1;
  const signatures = digests.map((/** @type {Buffer} */ digest, /** @type {number} */ index) => ({
    id: body.hashes[index].id, raw_signature: wrapped(sign(grant.identity, digest)),
  }));
  return { certificate_alias: "TEST-alias", signatures };
}

serve({
  "GET /stand-in/phones": ["phones", phones],
  ...(options["push-path"] ? { [`GET ${options["push-path"]}`]: ["poll", poll] } : {}),
  [`GET ${BASE}/authorize`]: ["page", authorize],
  [`POST ${BASE}/token`]: ["token", token],
  [`POST ${BASE}/user-discovery`]: ["holds", discovery],
  [`GET ${BASE}/certificate-discovery`]: ["certificate", certificates],
  [`POST ${BASE}/signature`]: ["sign", signature],
});
