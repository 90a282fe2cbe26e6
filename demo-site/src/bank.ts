/** The bank's own backend, as the demonstration plays it, and the one call of the signing API that the result page makes. */

import type { Locale } from "./texts.ts";

export interface Person {
  id: string;
  name: string;
  profile: "person" | "company";
  custody_hint: "hsm" | "local" | "lacuna";
  description: Record<Locale, string>;
}

export interface Session {
  token: string;
  expires_at: string;
  signer: { name: string; identifier_masked: string | null };
}

/** The members of `GET /v1/signatures/{id}` that are shown. */
export interface Signature {
  id: string;
  custody: "hsm" | "local" | "lacuna";
  format: "pades" | "cades";
  certificate: {
    holder: { name: string; identifier_masked: string | null };
    issuer: string;
    icp_type: string | null;
    not_after: string;
  };
  artefact: { name: string; sha256: string; released_at: string } | null;
}

export function listPeople(): Promise<Person[]> {
  return json(fetch("/demo/people"));
}

export function openSession(personId: string): Promise<Session> {
  return json(
    fetch("/demo/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ person_id: personId }),
    }),
  );
}

/** The bank's authority certifies the key that was made for this person. A real one would see the person first. */
export async function issueCertificate(personId: string, csr: string): Promise<string> {
  const { certificate } = await json<{ certificate: string }>(
    fetch("/demo/certificates", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ person_id: personId, csr }),
    }),
  );
  return certificate;
}

export function fetchSignature(id: string, token: string): Promise<Signature> {
  return json(fetch(`/v1/signatures/${encodeURIComponent(id)}`, { headers: { Authorization: `Bearer ${token}` } }));
}

async function json<T>(pending: Promise<Response>): Promise<T> {
  const response = await pending;
  if (!response.ok) throw new Error(`the bank answered ${response.status}`);
  return (await response.json()) as T;
}
