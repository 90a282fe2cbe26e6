import type { Locale } from "../locales/index.js";
import type { Texts } from "../locales/texts.js";
import type { Platform } from "../platform.js";
import type { SignatureFormat } from "../snapshot.js";
import type { Child } from "./dom.js";

/** What a person can do on a screen: the value of `data-action`. */
export type ActionName =
  | "choose-file"
  | "start"
  | "cancel"
  | "refresh"
  | "select"
  | "continue"
  | "confirm"
  | "refuse"
  | "back"
  | "use-local"
  | "take"
  | "other-way"
  | "agree"
  | "save-text"
  | "proceed"
  | "open-again"
  | "keep-waiting"
  | "download"
  | "retry"
  | "reset"
  | "install";

/** What the screens need from the element. They hold no state of their own. */
export interface Context {
  readonly texts: Texts;
  readonly locale: Locale;
  readonly platform: Platform;
  readonly format: SignatureFormat;
  /** The document that the page gave, if it did. */
  readonly given: File | undefined;
  /** Certificate or way selected in the list, not yet taken. */
  readonly selected: string | undefined;
  readonly remember: boolean;
  /** Address of the signed bytes. */
  readonly resultUrl: string | undefined;
  readonly act: (action: ActionName, value?: string) => void;
  readonly take: (file: File) => void;
  readonly setRemember: (remember: boolean) => void;
}

/** A screen, laid out by the element. */
export interface ScreenContent {
  readonly emblem?: Child;
  readonly title: string;
  readonly lead: string;
  /** Announced at once, as an error. */
  readonly isAlert?: boolean;
  /** Something is being done: heading and explanation are announced as a status. */
  readonly isBusy?: boolean;
  readonly body: readonly Child[];
}
