import type { ErrorText, ErrorTexts } from "./errors.js";

/** A fault of the page or of the bank's systems: the person can only report it. */
const notYours: ErrorText = {
  title: "We cannot continue",
  message: "Something on this page is set up wrongly. Tell the bank the code below.",
};

/** Codes of the command line, which never reach a browser. */
const elsewhere: ErrorText = { title: "We cannot continue", message: "Tell the bank the code below." };

/** The service, or one that it depends on, does not answer. */
const unavailable: ErrorText = {
  title: "The service is not available",
  message: "The signing service did not answer in time. Wait a moment and try again.",
};

export const en: ErrorTexts = {
  invalid_request: notYours,
  unauthorized: {
    title: "Sign in again",
    message: "The bank did not recognise this signing session. Sign in again and repeat what you were doing.",
  },
  session_expired: {
    title: "Your session has ended",
    message: "The time to sign is limited for your protection. Continue to open a new session.",
  },
  origin_not_allowed: notYours,
  forbidden: notYours,
  not_found: notYours,
  method_not_allowed: notYours,
  payload_too_large: { title: "The file is too large", message: "Choose a smaller file or split the document." },
  unsupported_media_type: notYours,
  digest_mismatch: {
    title: "The file arrived damaged",
    message: "The data changed on the way. Try again; if it happens again, use another network.",
  },
  internal: {
    title: "Something failed on our side",
    message: "The service could not finish. Try again in a few minutes.",
  },
  unavailable,
  too_many_requests: unavailable,
  idempotency_key_reused: notYours,
  idempotency_in_progress: unavailable,
  database_unavailable: unavailable,
  cpf_invalid: elsewhere,
  cnpj_invalid: elsewhere,
  not_a_pdf: { title: "This file is not a PDF", message: "Choose a PDF file. Renaming the file is not enough." },
  pdf_damaged: {
    title: "The PDF is damaged",
    message: "The file is incomplete or corrupted. Create it again or choose another.",
  },
  pdf_encrypted: {
    title: "The PDF has a password",
    message: "A password-protected PDF cannot be signed. Save a copy without password and choose that.",
  },
  pdf_unsupported: {
    title: "This PDF cannot be signed",
    message: "The inner structure of the file is not accepted. Print it to PDF and choose the new file.",
  },
  pdf_signing_forbidden: {
    title: "This PDF takes no more signatures",
    message: "Whoever certified it forbade changes. Ask for a version that can be signed.",
  },
  contents_slot_too_small: notYours,
  pdf_password_wrong: {
    title: "The password does not open the PDF",
    message: "Type the password of the document again.",
  },
  signature_field_not_found: notYours,
  signature_field_unusable: notYours,
  appearance_invalid: notYours,
  limit_exceeded: {
    title: "The file is too complex",
    message: "It exceeds a safety limit. Print it to PDF and choose the new file.",
  },
  certificate_malformed: {
    title: "The certificate could not be read",
    message: "The certificate seems to be damaged. Choose another one.",
  },
  certificate_expired: {
    title: "The certificate has expired",
    message: "Choose a certificate that is still valid, or renew yours.",
  },
  certificate_not_yet_valid: {
    title: "The certificate is not valid yet",
    message: "Its validity starts later. Check the date of your computer or choose another certificate.",
  },
  certificate_wrong_usage: {
    title: "This certificate is not for signing",
    message: "It was issued for another purpose. Choose a signing certificate.",
  },
  certificate_untrusted: {
    title: "The issuer of the certificate is not accepted",
    message: "The certificate does not lead to an authority that the bank trusts. Choose another one.",
  },
  certificate_wrong_person: {
    title: "The certificate belongs to someone else",
    message: "Its CPF or CNPJ is not that of the person signing. Choose your own certificate.",
  },
  key_unsupported: {
    title: "The type of key is not accepted",
    message: "The key of this certificate uses an algorithm that is not accepted. Choose another certificate.",
  },
  key_state_conflict: elsewhere,
  key_not_found: {
    title: "No certificate available",
    message: "The bank keeps no certificate of yours and does not allow that of this device. Contact the bank.",
  },
  p12_malformed: elsewhere,
  wrong_password: { title: "Wrong password", message: "The password does not open the certificate. Try again." },
  p12_weak_cipher: {
    title: "The file is weakly protected",
    message: "It uses an old cipher. Export the certificate again with AES-256 protection, then choose the new file.",
  },
  p12_several_keys: {
    title: "The file holds several keys",
    message: "Export only the certificate that you sign with, then choose the new file.",
  },
  certificate_revoked: {
    title: "The certificate was revoked",
    message: "The authority that issued it has cancelled it. Choose another certificate.",
  },
  revocation_unknown: unavailable,
  revocation_malformed: unavailable,
  certificate_key_mismatch: {
    title: "The certificate is for another key",
    message: "It was not issued from the request that was made here. Bring the one that was.",
  },
  consent_required: {
    title: "Your consent is needed",
    message: "Read and accept the terms of keeping your key, then continue.",
  },
  accreditation_required: notYours,
  enrolment_state_conflict: notYours,
  enrolment_expired: {
    title: "The time to complete is over",
    message: "The certificate did not arrive in time. Begin again.",
  },
  signature_state_conflict: {
    title: "The signature is no longer open",
    message: "It was finished or closed elsewhere. Start again.",
  },
  signature_expired: {
    title: "The time to sign is over",
    message: "The request was valid for a few minutes. Nothing was signed; start again.",
  },
  signature_value_invalid: {
    title: "The signature does not verify",
    message: "The device returned a value that does not match the certificate. Try again or use another certificate.",
  },
  token_unavailable: {
    title: "The key vault does not answer",
    message: "The bank's device that keeps the key is not available. Try again in a few minutes.",
  },
  token_pin_rejected: notYours,
  token_pin_locked: notYours,
  policy_not_applicable: notYours,
  time_stamp_unavailable: unavailable,
  time_stamp_invalid: unavailable,
  order_state_conflict: notYours,
  batch_state_conflict: elsewhere,
  manifest_invalid: elsewhere,
  cancelled: {
    title: "The signature was cancelled",
    message: "The bank took this signature back before it was made. Nothing was signed.",
  },
  token_agent_failed: unavailable,
  receipt_pending: unavailable,
  receipt_invalid: elsewhere,
  webhook_address_refused: elsewhere,
  authorization_invalid: {
    title: "The permission is over",
    message: "Confirm once more at your cloud certificate service.",
  },
  provider_unavailable: unavailable,
  provider_refused: {
    title: "The service refused",
    message: "Your cloud certificate service did not give the permission. Try again.",
  },
  provider_answer_lost: {
    title: "No answer from the service",
    message: "The signature was not made, although your cloud certificate service may have used your key. Confirm once more.",
  },
  provider_answer_invalid: elsewhere,
  composer_unavailable: unavailable,
  composer_refused: notYours,
  composer_answer_invalid: unavailable,
  signature_not_extendable: notYours,
  not_signed: { title: "The file carries no signature", message: "Choose a signed file." },
  cms_malformed: {
    title: "The signature could not be read",
    message: "The file seems to be damaged. Create it again or choose another.",
  },
  content_required: { title: "The signed document is missing", message: "Choose the file that this signature belongs to." },
  file_unreadable: {
    title: "The file could not be read",
    message: "It was moved, changed or is in use. Choose it again.",
  },
  file_unwritable: elsewhere,
  usage: elsewhere,
  config_invalid: elsewhere,
  port_in_use: elsewhere,
  data_folder_unwritable: elsewhere,
  data_folder_unknown: elsewhere,
  pkcs11_module_missing: elsewhere,
  client_native_missing: {
    title: "A part of Web PKI is missing",
    message: "The extension is in the browser, its program is not on the computer. Install it and continue.",
  },
  client_outdated: { title: "Web PKI is out of date", message: "Update it to continue." },
  client_no_response: {
    title: "Web PKI did not answer",
    message: "Close any open Web PKI window and try again. If it persists, restart the browser.",
  },
  client_protocol: {
    title: "Unexpected answer from Web PKI",
    message: "The component answered in a way we do not recognise. Update it and try again.",
  },
  client_licence: {
    title: "This site may not use Web PKI",
    message: "The bank lacks the component's licence for this address. Tell the bank the code below.",
  },
  client_sign_failed: {
    title: "The device could not sign",
    message: "The token, the card or its program failed. Reconnect the device and try again.",
  },
  client_token_missing: {
    title: "Connect your token or card",
    message: "The chosen certificate is on a device that was not found. Connect it and try again.",
  },
  user_cancelled: { title: "Signature cancelled", message: "No signed file was delivered." },
  to_sign_mismatch: {
    title: "We stopped to protect your signature",
    message: "What was to be signed is not the document shown. We stopped before delivering the result. Tell the bank.",
  },
  network_unreachable: {
    title: "The service cannot be reached",
    message: "Check your internet connection and try again. What you did so far is kept on this page.",
  },
  platform_unsupported: {
    title: "This device cannot sign this way",
    message: "The browser or system does not take the component needed. Use a computer with Chrome, Edge or Firefox.",
  },
  busy: { title: "Another signature is under way", message: "Finish or cancel it before starting another." },
  step_refused: notYours,
};
