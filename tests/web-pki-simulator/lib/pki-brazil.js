// Web PKI simulator (TEST): the `pkiBrazil` member, from the otherName values of DOC-ICP-04 §7.1.2.3.
// Only the subject alternative name is read. What the real client makes of the new generation, which moves
// CPF and CNPJ to the subject, is not known; a page that needs them there must read the certificate.

const PERSON = "2.16.76.1.3.1";
const RESPONSIBLE_NAME = "2.16.76.1.3.2";
const CNPJ = "2.16.76.1.3.3";
const RESPONSIBLE = "2.16.76.1.3.4";
const COMPANY_NAME = "2.16.76.1.3.8";

/** Arc after 2.16.76.1.2 to type. */
const TYPES = new Map([
  ["1", "A1"], ["2", "A2"], ["3", "A3"], ["4", "A4"], ["101", "S1"], ["102", "S2"], ["103", "S3"], ["104", "S4"],
  ["303", "T3"], ["304", "T4"],
]);

/**
 * @param {Map<string, string>} otherNames OID to text
 * @param {string[]} policies OIDs
 * @param {string} commonName
 */
export function pkiBrazil(otherNames, policies, commonName) {
  const holder = otherNames.get(PERSON) ?? otherNames.get(RESPONSIBLE) ?? "";
  const cnpj = otherNames.get(CNPJ) ?? null;
  const isApplication = otherNames.has(COMPANY_NAME);
  const isPerson = otherNames.has(PERSON);
  const isCompany = cnpj !== null && !isApplication;
  const name = commonName.replace(/:[0-9A-Z]{11,14}$/, "");
  const issuer = holder.slice(45).trimEnd();
  return {
    cpf: number(holder.slice(8, 19), false),
    cnpj,
    responsavel: otherNames.get(RESPONSIBLE_NAME) ?? (isPerson ? name : null),
    dateOfBirth: dateOfBirth(holder.slice(0, 8)),
    certificateType: certificateType(policies),
    isPessoaFisica: isPerson,
    isPessoaJuridica: isCompany,
    isAplicacao: isApplication,
    companyName: otherNames.get(COMPANY_NAME) ?? (isCompany ? name : null),
    nis: number(holder.slice(19, 30), true),
    rgNumero: number(holder.slice(30, 45), true),
    rgEmissor: issuer.length > 2 ? issuer.slice(0, -2) : null,
    rgEmissorUF: issuer.length > 2 ? issuer.slice(-2) : null,
    oabNumero: null,
    oabUF: null,
  };
}

/** Zeros mean "not available". @param {string} digits @param {boolean} stripZeros */
function number(digits, stripZeros) {
  const stripped = digits.trim().replace(/^0+/, "");
  if (stripped === "") return null;
  return stripZeros ? stripped : digits;
}

/** @param {string} digits ddmmyyyy */
function dateOfBirth(digits) {
  if (!/^\d{8}$/.test(digits) || /^0+$/.test(digits)) return null;
  return `${digits.slice(4)}-${digits.slice(2, 4)}-${digits.slice(0, 2)}T00:00:00`;
}

/** @param {string[]} policies */
function certificateType(policies) {
  for (const policy of policies) {
    const arcs = policy.split(".");
    if (arcs.slice(0, 5).join(".") === "2.16.76.1.2") return TYPES.get(/** @type {string} */ (arcs[5])) ?? "Unknown";
  }
  return "Unknown";
}
