// Web PKI simulator (TEST): the certificate model of `listCertificates` as it travels on the wire
// (integers for usages, ISO strings for dates), computed from the certificate itself.

import { toBase64 } from "./base64.js";
import { children, oid, read, text, time } from "./der.js";
import { pkiBrazil } from "./pki-brazil.js";

const NAMES = new Map([
  ["2.5.4.3", "CN"], ["2.5.4.5", "SERIALNUMBER"], ["2.5.4.6", "C"], ["2.5.4.7", "L"], ["2.5.4.8", "S"],
  ["2.5.4.10", "O"], ["2.5.4.11", "OU"],
]);

/** Bits of `extendedKeyUsage` by OID. */
const EXTENDED_KEY_USAGES = new Map([
  ["1.3.6.1.5.5.7.3.2", 1], ["1.3.6.1.5.5.7.3.1", 2], ["1.3.6.1.5.5.7.3.3", 4], ["1.3.6.1.5.5.7.3.4", 8],
  ["1.3.6.1.5.5.7.3.8", 16], ["1.3.6.1.5.5.7.3.9", 32], ["1.3.6.1.5.5.7.3.5", 64], ["1.3.6.1.5.5.7.3.6", 128],
  ["1.3.6.1.5.5.7.3.7", 256], ["2.5.29.37.0", 512],
]);

/**
 * @param {Uint8Array} der
 * @returns {Promise<Record<string, unknown> & { thumbprint: string, subjectName: string }>}
 */
export async function certificateModel(der) {
  const certificate = parse(der);
  const names = certificate.otherNames;
  return {
    subjectName: commonName(certificate.subject),
    subjectDN: distinguishedName(certificate.subject),
    issuerName: commonName(certificate.issuer),
    issuerDN: distinguishedName(certificate.issuer),
    email: certificate.email,
    thumbprint: toBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", /** @type {BufferSource} */ (der)))),
    keyUsage: certificate.keyUsage,
    extendedKeyUsage: certificate.extendedKeyUsage,
    certificatePolicies: certificate.policies,
    pkiBrazil: pkiBrazil(names, certificate.policies.map((policy) => policy.id), commonName(certificate.subject)),
    pkiItaly: { codiceFiscale: null },
    pkiArgentina: { cuil: null, cuit: null },
    pkiEcuador: {
      certificateType: null, cedulaDeIdentidad: null, pasaporte: null, rup: null, ruc: null, nombres: null,
      apellidos: null, razonSocial: null,
    },
    pkiParaguay: { personCertificateType: null, certificateType: null, ci: null, cie: null, ruc: null },
    pkiPeru: { ruc: null, dni: null },
    validityStart: certificate.notBefore,
    validityEnd: certificate.notAfter,
    isRemote: false,
  };
}

/** @param {Uint8Array} der */
function parse(der) {
  const [tbs] = children(read(der).content);
  const fields = children(required(tbs).content);
  if (fields[0]?.tag === 0xa0) fields.shift(); // version
  const [, , issuer, validity, subject] = fields;
  const [notBefore, notAfter] = children(required(validity).content);
  const extensions = parseExtensions(fields.find((field) => field.tag === 0xa3));
  const names = parseAlternativeNames(extensions.get("2.5.29.17"));
  return {
    issuer: parseName(required(issuer).content),
    subject: parseName(required(subject).content),
    notBefore: time(required(notBefore)),
    notAfter: time(required(notAfter)),
    email: names.email,
    otherNames: names.others,
    keyUsage: parseKeyUsage(extensions.get("2.5.29.15")),
    extendedKeyUsage: parseExtendedKeyUsage(extensions.get("2.5.29.37")),
    policies: parsePolicies(extensions.get("2.5.29.32")),
  };
}

/**
 * @param {import("./der.js").Element | undefined} field
 * @returns {Map<string, Uint8Array>} OID to the DER inside `extnValue`
 */
function parseExtensions(field) {
  const map = new Map();
  if (!field) return map;
  for (const extension of children(read(field.content).content)) {
    const parts = children(extension.content);
    map.set(oid(required(parts[0]).content), required(parts.at(-1)).content);
  }
  return map;
}

/** @param {Uint8Array} content @returns {[string, string][]} attribute OID and value, in the order encoded */
function parseName(content) {
  return children(content).flatMap((set) =>
    children(set.content).map((attribute) => {
      const [type, value] = children(attribute.content);
      return /** @type {[string, string]} */ ([oid(required(type).content), text(required(value))]);
    }),
  );
}

/** @param {[string, string][]} name */
function commonName(name) {
  return name.findLast(([type]) => type === "2.5.4.3")?.[1] ?? "";
}

/** Most specific first, as .NET prints it. @param {[string, string][]} name */
function distinguishedName(name) {
  return name
    .map(([type, value]) => `${NAMES.get(type) ?? `OID.${type}`}=${/[,+"=<>;]/.test(value) ? `"${value}"` : value}`)
    .reverse()
    .join(", ");
}

/** @param {Uint8Array | undefined} extension */
function parseAlternativeNames(extension) {
  /** @type {Map<string, string>} */
  const others = new Map();
  let email = null;
  for (const name of extension ? children(read(extension).content) : []) {
    if (name.tag === 0x81) email = text(name);
    if (name.tag !== 0xa0) continue;
    const [type, value] = children(name.content);
    // OCTET STRING or PrintableString by the norm, other string types in the wild.
    others.set(oid(required(type).content), text(read(required(value).content)));
  }
  return { email, others };
}

/** The bit string read as the .NET enumeration: first octet low, second octet high. @param {Uint8Array | undefined} extension */
function parseKeyUsage(extension) {
  if (!extension) return 0;
  const [, first = 0, second = 0] = read(extension).content;
  return first | (second << 8);
}

/** @param {Uint8Array | undefined} extension */
function parseExtendedKeyUsage(extension) {
  if (!extension) return null;
  return children(read(extension).content).reduce(
    (bits, usage) => bits | (EXTENDED_KEY_USAGES.get(oid(usage.content)) ?? 0),
    0,
  );
}

/** @param {Uint8Array | undefined} extension */
function parsePolicies(extension) {
  return (extension ? children(read(extension).content) : []).map((policy) => {
    const [id, qualifiers] = children(policy.content);
    return {
      id: oid(required(id).content),
      qualifiers: (qualifiers ? children(qualifiers.content) : []).map((qualifier) => {
        const [kind, value] = children(qualifier.content);
        const isCps = oid(required(kind).content) === "1.3.6.1.5.5.7.2.1";
        return {
          type: isCps ? "Cps" : "UserNotice",
          cpsUri: isCps ? text(required(value)) : null,
          unOrganization: null,
          unExplicitText: null,
          unNoticeNumbers: null,
        };
      }),
    };
  });
}

/** @template T @param {T | undefined} value @returns {T} */
function required(value) {
  if (value === undefined) throw new Error("the certificate lacks a mandatory field");
  return value;
}
