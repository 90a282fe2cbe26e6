import type { ErrorCode } from "../error-codes.js";
import { en } from "./errors.en.js";
import { es } from "./errors.es.js";
import { ptBR } from "./errors.pt-br.js";
import type { Locale } from "./index.js";

/** What happened, for the person who signs. */
export interface ErrorText {
  /** A heading. */
  readonly title: string;
  /** One or two sentences: what it means, and what to do. */
  readonly message: string;
}

/** Complete by type: a code without a text does not compile. */
export type ErrorTexts = Readonly<Record<ErrorCode, ErrorText>>;

const texts: Readonly<Record<Locale, ErrorTexts>> = { "pt-BR": ptBR, en, es };

/** The text of a code. */
export function errorText(code: ErrorCode, locale: Locale): ErrorText {
  return texts[locale][code];
}
