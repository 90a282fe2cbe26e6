/** What the portal knows while its page lives. Nothing but the choice of language survives it. */

import type { Person, Session, Signature } from "./bank.ts";
import { LOCALES, TEXTS, type Locale } from "./texts.ts";

/** A document of the list, or a file of the visitor. */
export interface Paper {
  id: string;
  title: string;
  about: string;
  fileName: string;
  /** Address of a sample document. */
  url: string | null;
  /** Address of the picture of its first page. */
  picture: string | null;
  pages: number | null;
  /** The visitor's own file. */
  file: File | null;
}

/** A signed document. */
export interface Result {
  paper: Paper;
  name: string;
  mediaType: string;
  blob: Blob;
  signature: Signature;
  /** Whether the received bytes have the digest that the service recorded; `null` where the browser cannot compute it. */
  digestMatches: boolean | null;
}

interface State {
  locale: Locale;
  person: Person | null;
  session: Session | null;
  ownFile: Paper | null;
  results: Map<string, Result>;
}

const LOCALE_KEY = "banco-aurora-locale";

export const state: State = {
  locale: LOCALES.find((locale) => locale === localStorage.getItem(LOCALE_KEY)) ?? "pt-BR",
  person: null,
  session: null,
  ownFile: null,
  results: new Map(),
};

export function setLocale(locale: Locale): void {
  state.locale = locale;
  localStorage.setItem(LOCALE_KEY, locale);
  document.documentElement.lang = locale;
}

/** Texts of the language chosen. */
export function texts(): (typeof TEXTS)[Locale] {
  return TEXTS[state.locale];
}

/** The bank's papers for everybody. */
export function papers(): Paper[] {
  const t = texts();
  const paper = (id: string, title: string, about: string, pages: number): Paper => ({
    id, title, about, pages, fileName: `${id}.pdf`, url: `/documents/${id}.pdf`, picture: `/documents/${id}.png`, file: null,
  });
  return [
    paper("proposta-credito", t.proposal, t.proposalAbout, 1),
    paper("contrato-conta", t.contract, t.contractAbout, 2),
    paper("termo-cartao", t.card, t.cardAbout, 1),
  ];
}

/** A paper by the id in the address. */
export function findPaper(id: string): Paper | undefined {
  return state.ownFile?.id === id ? state.ownFile : papers().find((paper) => paper.id === id);
}

export function ownPaper(file: File): Paper {
  return { id: "own", title: file.name, about: size(file.size), fileName: file.name, url: null, picture: null, pages: null, file };
}

function size(bytes: number): string {
  const [value, unit] =
    bytes < 1000 ? [bytes, "byte"] : bytes < 1_000_000 ? [bytes / 1000, "kilobyte"] : [bytes / 1_000_000, "megabyte"];
  const unitDisplay = unit === "byte" ? "long" : "short";
  return new Intl.NumberFormat(state.locale, { style: "unit", unit, unitDisplay, maximumFractionDigits: 1 }).format(value);
}

/** How to greet somebody: ICP-Brasil writes names in capitals. Companies are called by their whole name. */
export function callName({ name, profile }: Person): string {
  const words = name.split(" ").filter((word) => word !== "TEST");
  const shown = profile === "company" ? words : words.slice(0, 1);
  return shown.map((word) => word.charAt(0) + word.slice(1).toLocaleLowerCase(state.locale)).join(" ");
}
