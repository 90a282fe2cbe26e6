/** The languages of all texts. */
export const locales = ["pt-BR", "en", "es"] as const;

/** A language. */
export type Locale = (typeof locales)[number];

/** The language nearest to a BCP 47 tag; `pt-BR` for one that is not spoken here. */
export function localeOf(tag: string | null | undefined): Locale {
  const primary = tag?.toLowerCase().split("-")[0];
  return primary === "en" || primary === "es" ? primary : "pt-BR";
}
