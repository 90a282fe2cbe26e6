/**
 * Every stable error code. The list is that of the API and the command line; a test of the Rust crate compares them.
 * Codes are added, never renamed and never given another meaning.
 */
export const errorCodes = [
  "invalid_request",
  "unauthorized",
  "session_expired",
  "origin_not_allowed",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "payload_too_large",
  "unsupported_media_type",
  "digest_mismatch",
  "internal",
  "unavailable",
  "not_a_pdf",
  "pdf_damaged",
  "pdf_encrypted",
  "pdf_unsupported",
  "pdf_signing_forbidden",
  "contents_slot_too_small",
  "certificate_malformed",
  "certificate_expired",
  "certificate_not_yet_valid",
  "certificate_wrong_usage",
  "certificate_untrusted",
  "certificate_wrong_person",
  "key_unsupported",
  "key_not_found",
  "p12_malformed",
  "wrong_password",
  "signature_state_conflict",
  "signature_expired",
  "signature_value_invalid",
  "token_unavailable",
  "token_pin_rejected",
  "token_pin_locked",
  "not_signed",
  "cms_malformed",
  "content_required",
  "file_unreadable",
  "file_unwritable",
  "usage",
  "config_invalid",
  "port_in_use",
  "data_folder_unwritable",
  "data_folder_unknown",
  "pkcs11_module_missing",
  "client_native_missing",
  "client_outdated",
  "client_no_response",
  "client_protocol",
  "client_licence",
  "client_sign_failed",
  "client_token_missing",
  "user_cancelled",
  "to_sign_mismatch",
  "network_unreachable",
  "platform_unsupported",
  "busy",
  "step_refused",
] as const;

/** A stable error code. */
export type ErrorCode = (typeof errorCodes)[number];

/** The one thing that leads on after a failure. */
export const nextSteps = [
  "try_again",
  "choose_another_certificate",
  "choose_another_document",
  "insert_token",
  "check_client",
  "sign_in_again",
  "contact_support",
] as const;

/** See {@link nextSteps}. */
export type NextStep = (typeof nextSteps)[number];
