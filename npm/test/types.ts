// Compiled, never run: what must be possible, and what must not compile.

import type { ErrorCode, Signer, Snapshot, SnapshotOf, Step } from "@rubrica/web";
import { createSigner } from "@rubrica/web";
import type { RubricaSigner } from "@rubrica/web/element";

const signer: Signer = createSigner({ api: "https://api.bank.example", session: async () => "token", locale: "es" });

// @ts-expect-error a signer needs a session
createSigner({ api: "" });
// @ts-expect-error there is no such language
createSigner({ session: "token", locale: "fr" });

const result = await signer.sign({ name: "a.pdf", file: new Uint8Array() }, { format: "pades" });
// @ts-expect-error data may be null until the error was looked at
result.data.blob;
if (result.error) {
  const code: ErrorCode = result.error.code;
  // @ts-expect-error no result beside an error
  result.data.blob;
  void code;
} else {
  const name: string = result.data.name;
  const bytes: Uint8Array = await result.data.bytes();
  void [name, bytes];
}

// @ts-expect-error SHA-1 and other formats do not exist
await signer.sign({ name: "a.pdf", file: new Blob() }, { format: "xades" });
// @ts-expect-error bytes need a name
await signer.sign(new Uint8Array());

const { subscribe, getSnapshot, confirm } = signer;
const stop: () => void = subscribe(() => undefined);
const accepted: boolean = confirm();
void [stop, accepted];

const snapshot = getSnapshot();
// @ts-expect-error only one step has a list
snapshot.certificates;
if (snapshot.step === "choosing") signer.choose(snapshot.certificates[0]!.id, { remember: true });
// @ts-expect-error snapshots are frozen
snapshot.step = "done";
// @ts-expect-error there is no such step
if (snapshot.step === "finished") void 0;

/** Exhaustive: a new step does not compile unnoticed. */
function title(step: Step): string {
  switch (step) {
    case "idle":
    case "resolving":
    case "offer":
    case "consent":
    case "enrolling":
    case "stored":
    case "probing":
    case "absent":
    case "outdated":
    case "blocked":
    case "unsupported":
    case "lost":
    case "listing":
    case "no_certificate":
    case "choosing":
    case "confirming":
    case "preparing":
    case "redirecting":
    case "waiting_approval":
    case "authorizing":
    case "signing":
    case "finishing":
    case "done":
    case "cancelled":
    case "failed":
      return step;
    default: {
      const never: never = step;
      return never;
    }
  }
}
void title;

const done: SnapshotOf<"done">["result"]["signatureId"] = "sig_1";
void (done satisfies string);
void (snapshot satisfies Snapshot);

const element: RubricaSigner = document.createElement("rubrica-signer");
element.session = { token: "token", signer: { name: "ANA TEST", identifier_masked: null } };
element.addEventListener("rubrica-signed", (event) => event.detail.documents[0]?.blob);
element.addEventListener("rubrica-step", (event) => {
  const step: Step = event.detail.step;
  // @ts-expect-error a step event has no documents
  event.detail.documents;
  void step;
});
// @ts-expect-error a number is no session
element.session = 7;
