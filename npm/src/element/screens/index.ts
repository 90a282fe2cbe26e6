import type { Snapshot } from "../../snapshot.js";
import type { Context, ScreenContent } from "../context.js";
import { choosing, listing, noCertificate } from "./certificate.js";
import { absent, blocked, outdated, unsupported, waiting } from "./client.js";
import { done, idle, resolving } from "./document.js";
import { redirecting, waitingApproval } from "./cloud.js";
import { consent, enrolling, offer, stored } from "./enrolment.js";
import { cancelled, failed } from "./ended.js";
import { authorizing, confirming, finishing, preparing, signing } from "./signing.js";

/** The screen of a snapshot. */
export function screenOf(snapshot: Snapshot, context: Context): ScreenContent {
  switch (snapshot.step) {
    case "idle":
      return idle(context);
    case "resolving":
      return resolving(snapshot, context);
    case "offer":
      return offer(snapshot, context);
    case "consent":
      return consent(snapshot, context);
    case "enrolling":
      return enrolling(snapshot, context);
    case "stored":
      return stored(snapshot, context);
    case "probing":
    case "lost":
      return waiting(snapshot, context);
    case "absent":
      return absent(snapshot, context);
    case "outdated":
      return outdated(snapshot, context);
    case "blocked":
      return blocked(snapshot, context);
    case "unsupported":
      return unsupported(snapshot, context);
    case "listing":
      return listing(snapshot, context);
    case "no_certificate":
      return noCertificate(snapshot, context);
    case "choosing":
      return choosing(snapshot, context);
    case "confirming":
      return confirming(snapshot, context);
    case "preparing":
      return preparing(snapshot, context);
    case "redirecting":
      return redirecting(snapshot, context);
    case "waiting_approval":
      return waitingApproval(snapshot, context);
    case "authorizing":
      return authorizing(snapshot, context);
    case "signing":
      return signing(snapshot, context);
    case "finishing":
      return finishing(snapshot, context);
    case "done":
      return done(snapshot, context);
    case "cancelled":
      return cancelled(snapshot, context);
    case "failed":
      return failed(snapshot, context);
  }
}

/** Which of the four phases a step belongs to; 4 is past all of them, -1 shows none. */
export function phaseOf(step: Snapshot["step"]): number {
  switch (step) {
    case "idle":
    case "resolving":
      return 0;
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
      return 1;
    case "confirming":
      return 2;
    case "preparing":
    case "redirecting":
    case "waiting_approval":
    case "authorizing":
    case "signing":
    case "finishing":
      return 3;
    case "done":
      return 4;
    case "cancelled":
    case "failed":
      return -1;
  }
}
