import type { NextStep } from "../error-codes.js";
import type { Platform } from "../platform.js";
import type { CertificateShown, Custody, SnapshotOf, SourceShown, Unusable, Way } from "../snapshot.js";
import type { Locale } from "./index.js";
import { ptBR } from "./texts.pt-br.js";

/** Heading and explanation of a screen. */
export interface Screen {
  readonly title: string;
  readonly lead: string;
}

/** Everything the element says. Complete by type: what one language lacks does not compile. */
export interface Texts {
  readonly phases: readonly [string, string, string, string];
  readonly phase: (current: number, of: number, name: string) => string;
  readonly actions: Readonly<
    Record<
      | "chooseFile"
      | "start"
      | "cancel"
      | "openInstaller"
      | "refresh"
      | "continue"
      | "sign"
      | "applySeal"
      | "refuse"
      | "chooseAnother"
      | "useLocal"
      | "keepWaiting"
      | "download"
      | "signAnother"
      | "retry"
      | "otherDocument"
      | "otherWay"
      | "back"
      | "agree"
      | "saveText"
      | "openService",
      string
    >
  >;
  readonly idle: Screen & {
    readonly given: Screen;
    readonly drop: string;
    readonly or: string;
    readonly hint: (format: "pades" | "cades") => string;
    readonly promise: string;
  };
  readonly resolving: Screen & { readonly tasks: readonly [string, string] };
  readonly offer: Screen & {
    /** When a source could not tell. */
    readonly uncertain: Screen;
    readonly group: string;
    readonly preferred: string;
    /** What is kept, who may use it, how it is taken back: the same questions answered for each way. */
    readonly ways: Readonly<
      Record<Way["kind"], { readonly title: (service: string) => string; readonly points: readonly [string, string, string] }>
    >;
    readonly source: Readonly<Record<Custody, string>>;
    readonly outcome: Readonly<Record<SourceShown["outcome"], string>>;
    readonly doubt: Readonly<Record<NonNullable<SourceShown["doubt"]>, string>>;
  };
  readonly consent: Screen & {
    readonly loading: string;
    readonly text: string;
    readonly version: (version: string) => string;
  };
  readonly enrolling: Screen & {
    readonly stages: Readonly<Record<SnapshotOf<"enrolling">["stage"], string>>;
    readonly leave: string;
  };
  readonly stored: Screen & { readonly revoke: string };
  readonly probing: Screen;
  readonly lost: Screen;
  readonly absent: Screen & {
    readonly steps: (platform: Platform) => readonly string[];
    readonly waiting: string;
    readonly reload: string;
  };
  readonly outdated: Screen & {
    readonly part: Readonly<Record<SnapshotOf<"outdated">["part"], string>>;
    readonly installed: string;
    readonly required: string;
    readonly unknownVersion: string;
    readonly waiting: string;
  };
  readonly blocked: Readonly<Record<SnapshotOf<"blocked">["reason"], Screen>> & {
    readonly nativeSteps: (platform: Platform) => readonly string[];
    readonly silentSteps: readonly string[];
    readonly waiting: string;
  };
  readonly unsupported: Screen;
  readonly listing: Screen & { readonly slow: string };
  readonly noCertificate: Screen & { readonly steps: readonly string[]; readonly waiting: string };
  readonly choosing: Screen & {
    readonly noneUsable: Screen;
    readonly group: string;
    readonly unusableGroup: (count: number) => string;
    readonly unusable: Readonly<Record<Unusable, (certificate: CertificateShown, date: DateText) => string>>;
    readonly expiresSoon: (date: string) => string;
    readonly notIcpBrasil: string;
    readonly remember: string;
    readonly rememberHint: string;
  };
  readonly kind: Readonly<Record<CertificateShown["kind"], string>>;
  readonly certificate: {
    readonly issuer: (issuer: string) => string;
    readonly validUntil: (date: string) => string;
  };
  readonly confirming: Screen & {
    readonly labels: Readonly<Record<"document" | "hash" | "holder" | "identifier" | "certificate" | "validity" | "key", string>>;
    readonly key: Readonly<Record<"local" | "hsm" | "lacuna", string>>;
    readonly identifierNames: Readonly<Record<"person" | "company", string>>;
    readonly effect: Readonly<Record<CertificateShown["kind"], (holder: string) => string>>;
    /** The service tells whose certificate it is with the signature. */
    readonly effectAtService: string;
    readonly refused: string;
  };
  readonly preparing: Screen & { readonly tasks: readonly [string, string] };
  readonly redirecting: Screen;
  readonly waitingApproval: {
    readonly title: (service: string) => string;
    readonly window: Readonly<Record<SnapshotOf<"waiting_approval">["window"], string>>;
    readonly until: (time: string) => string;
    readonly tip: string;
    readonly waiting: string;
  };
  readonly authorizing: Screen & {
    readonly waitsForPrevious: string;
    readonly tips: readonly string[];
    readonly helpTitle: string;
    readonly help: readonly string[];
    readonly overdue: Screen;
    readonly elapsed: (seconds: number) => string;
    readonly cancelHint: string;
  };
  readonly signing: Screen & { readonly atService: string };
  readonly finishing: Screen;
  readonly done: Screen & {
    /** Instead of the explanation, when the signature is a file beside the document. */
    readonly detached: string;
    readonly labels: Readonly<Record<"holder" | "seal" | "time" | "hash" | "key", string>>;
    /** AD-RB has no proof of time, so its source is named. */
    readonly timeSource: string;
    readonly personalData: string;
  };
  readonly cancelled: Readonly<Record<"user" | "caller" | "time" | "client" | "service", Screen>> & { readonly abandoned: string };
  readonly failed: { readonly code: string; readonly next: Readonly<Record<NextStep, string>> };
  readonly newTab: string;
}

/** Writes a date in the language of the texts. */
export type DateText = (rfc3339: string) => string;

/** The language of most pages is there at once; another one is a file of its own, fetched when it is wanted. */
const loaders: Readonly<Record<Exclude<Locale, "pt-BR">, () => Promise<Texts>>> = {
  en: async () => (await import("./texts.en.js")).en,
  es: async () => (await import("./texts.es.js")).es,
};

const loaded = new Map<Locale, Texts>([["pt-BR", ptBR]]);

/** The texts of a language, if they are here. */
export function textsOf(locale: Locale): Texts | undefined {
  return loaded.get(locale);
}

/** Fetches the texts of a language. When that fails, the page speaks Portuguese: a screen in it is better than none. */
export async function loadTexts(locale: Locale): Promise<Texts> {
  const texts = locale === "pt-BR" ? ptBR : await loaders[locale]().catch(() => ptBR);
  loaded.set(locale, texts);
  return texts;
}
