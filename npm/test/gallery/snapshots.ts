// One snapshot per screen that can look different.

import type { CertificateChoice, CertificateShown, Snapshot } from "../../src/snapshot.js";

const document = {
  name: "Contrato de abertura de conta 2026 (TEST).pdf",
  sizeBytes: 1_284_311,
  format: "pades",
  sha256: "9ac3f8eb08c31d2f5b7a6e4c3d2b1a0f9e8d7c6b5a4f3e2d1c0b9a8f24b1e899",
} as const;

const person: CertificateShown = {
  holder: "MARIA APARECIDA DO NASCIMENTO FERREIRA TEST",
  identifierMasked: "***.982.247-**",
  kind: "person",
  issuer: "AC Demo Múltipla TEST v1",
  icpType: "A3",
  notBefore: "2026-01-10T12:00:00Z",
  notAfter: "2029-01-10T12:00:00Z",
};

const seal: CertificateShown = {
  ...person,
  holder: "COOPERATIVA ALFA TEST",
  identifierMasked: "**.ABC.345/****-**",
  kind: "seal",
  icpType: "SE-S",
};

const choices: readonly CertificateChoice[] = [
  { id: "1", certificate: person, unusable: null, expiresSoon: false, isIcpBrasil: true },
  {
    id: "2",
    certificate: { ...person, notAfter: "2026-12-12T12:00:00Z", icpType: "A1" },
    unusable: null,
    expiresSoon: true,
    isIcpBrasil: true,
  },
  { id: "3", certificate: { ...person, icpType: null, issuer: "Rede Interna TEST" }, unusable: null, expiresSoon: false, isIcpBrasil: false },
  { id: "4", certificate: { ...person, notAfter: "2023-02-01T12:00:00Z" }, unusable: "expired", expiresSoon: false, isIcpBrasil: true },
  { id: "5", certificate: { ...person, holder: "OUTRA PESSOA TEST", identifierMasked: "***.111.222-**" }, unusable: "wrong_person", expiresSoon: false, isIcpBrasil: true },
  { id: "6", certificate: seal, unusable: "wrong_usage", expiresSoon: false, isIcpBrasil: true },
];

const error = (code: "network_unreachable" | "to_sign_mismatch" | "not_a_pdf" | "client_token_missing", retryable: boolean) =>
  ({
    step: "failed",
    error: {
      code,
      userMessage: "",
      retryable,
      nextStep: ({
        network_unreachable: "try_again",
        to_sign_mismatch: "contact_support",
        not_a_pdf: "choose_another_document",
        client_token_missing: "insert_token",
      } as const)[code],
    },
  }) satisfies Snapshot;

/** By name; the part before the first dash is the step. */
export const snapshots = {
  idle: { step: "idle" },
  resolving: { step: "resolving", document: { ...document, sha256: null } },
  offer: {
    step: "offer",
    document,
    ways: [
      { kind: "enrol", service: null },
      { kind: "device", service: null },
      { kind: "service", service: "vidaas" },
    ],
    preselected: { kind: "enrol", service: null },
    sources: [],
    certain: true,
  },
  "offer-uncertain": {
    step: "offer",
    document,
    ways: [{ kind: "device", service: null }],
    preselected: null,
    sources: [
      { custody: "hsm", outcome: "no", doubt: null },
      { custody: "lacuna", outcome: "unknown", doubt: "slow" },
    ],
    certain: false,
  },
  "consent-loading": { step: "consent", document, texts: [] },
  consent: {
    step: "consent",
    document,
    texts: (["pt-BR", "en", "es"] as const).map((language) => ({
      version: "key-custody-1",
      language,
      text: Array(9).fill("TEST ".repeat(40).trim()).join("\n\n"),
      sha256: "ab".repeat(32),
    })),
  },
  enrolling: { step: "enrolling", document, stage: "creating", slow: false },
  "enrolling-slow": { step: "enrolling", document, stage: "awaiting", slow: true },
  stored: { step: "stored", document, certificate: person },
  probing: { step: "probing", document },
  absent: { step: "absent", document, provisional: false, mayTakeOtherWay: true },
  "outdated-native": { step: "outdated", document, part: "native", installed: "2.6.1", required: "2.8.0" },
  "blocked-native": { step: "blocked", document, reason: "native_missing" },
  "blocked-silent": { step: "blocked", document, reason: "no_response" },
  "blocked-licence": { step: "blocked", document, reason: "licence" },
  unsupported: { step: "unsupported", document },
  lost: { step: "lost", document },
  "listing-slow": { step: "listing", document, slow: true },
  no_certificate: { step: "no_certificate", document },
  choosing: { step: "choosing", document, certificates: choices },
  "choosing-none": { step: "choosing", document, certificates: choices.slice(3) },
  "confirming-local": {
    step: "confirming",
    document,
    custody: "local",
    certificate: person,
    service: null,
    mayTakeOtherWay: true,
    refusedInClient: true,
    mayChooseAnother: true,
    mayUseLocal: false,
  },
  "confirming-seal": {
    step: "confirming",
    document,
    custody: "hsm",
    certificate: seal,
    service: null,
    refusedInClient: false,
    mayChooseAnother: false,
    mayUseLocal: true,
  },
  "confirming-cloud": {
    step: "confirming",
    document,
    custody: "lacuna",
    certificate: null,
    service: "vidaas",
    refusedInClient: false,
    mayChooseAnother: false,
    mayUseLocal: false,
    mayTakeOtherWay: true,
  },
  redirecting: { step: "redirecting", document, service: "vidaas" },
  "waiting_approval-open": { step: "waiting_approval", document, service: "vidaas", window: "open", expiresAt: "2026-11-23T12:10:00Z" },
  "waiting_approval-blocked": { step: "waiting_approval", document, service: "vidaas", window: "blocked", expiresAt: "2026-11-23T12:10:00Z" },
  "waiting_approval-closed": { step: "waiting_approval", document, service: "vidaas", window: "closed", expiresAt: "2026-11-23T12:10:00Z" },
  preparing: { step: "preparing", document, custody: "local" },
  authorizing: {
    step: "authorizing",
    document,
    certificate: person,
    since: "2026-11-23T12:00:00Z",
    patience: "helped",
    waitsForPrevious: false,
  },
  "authorizing-overdue": {
    step: "authorizing",
    document,
    certificate: person,
    since: "2026-11-23T12:00:00Z",
    patience: "overdue",
    waitsForPrevious: true,
  },
  signing: { step: "signing", document, custody: "hsm", certificate: person },
  "signing-cloud": { step: "signing", document, custody: "lacuna", certificate: null },
  finishing: { step: "finishing", document, custody: "hsm" },
  done: {
    step: "done",
    document,
    custody: "hsm",
    certificate: person,
    result: {
      name: "Contrato de abertura de conta 2026 (TEST)-assinado.pdf",
      mediaType: "application/pdf",
      sizeBytes: 1_318_002,
      sha256: "8d570f7453740b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f500349dd10",
      signatureId: "sig_test",
      releasedAt: "2026-11-23T12:00:05Z",
      blob: new Blob([]),
      bytes: async () => new Uint8Array(),
    },
  },
  "cancelled-service": { step: "cancelled", by: "service", abandoned: false, mayTakeOtherWay: true },
  "cancelled-abandoned": { step: "cancelled", by: "user", abandoned: true },
  "failed-network": error("network_unreachable", true),
  "failed-mismatch": error("to_sign_mismatch", false),
  "failed-pdf": error("not_a_pdf", false),
  "failed-token": error("client_token_missing", true),
} satisfies Record<string, Snapshot>;
