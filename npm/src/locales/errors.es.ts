import type { ErrorText, ErrorTexts } from "./errors.js";

/** A fault of the page or of the bank's systems: the person can only report it. */
const notYours: ErrorText = {
  title: "No se puede continuar",
  message: "Hay un problema en la configuración de esta página. Informe el código de abajo al banco.",
};

/** Codes of the command line, which never reach a browser. */
const elsewhere: ErrorText = { title: "No se puede continuar", message: "Informe el código de abajo al banco." };

/** The service, or one that it depends on, does not answer. */
const unavailable: ErrorText = {
  title: "El servicio no está disponible",
  message: "El servicio de firma no respondió a tiempo. Espere un momento e inténtelo de nuevo.",
};

export const es: ErrorTexts = {
  invalid_request: notYours,
  unauthorized: {
    title: "Inicie sesión de nuevo",
    message: "El banco no reconoció esta sesión de firma. Inicie sesión de nuevo y repita la operación.",
  },
  session_expired: {
    title: "Su sesión terminó",
    message: "Por protección, el tiempo para firmar es limitado. Continúe para abrir una sesión nueva.",
  },
  origin_not_allowed: notYours,
  forbidden: notYours,
  not_found: notYours,
  method_not_allowed: notYours,
  payload_too_large: { title: "El archivo es demasiado grande", message: "Elija un archivo menor o divida el documento." },
  unsupported_media_type: notYours,
  digest_mismatch: {
    title: "El archivo llegó dañado",
    message: "Los datos cambiaron en el camino. Inténtelo de nuevo; si se repite, use otra red.",
  },
  internal: {
    title: "Algo falló de nuestro lado",
    message: "El servicio no pudo terminar la operación. Inténtelo de nuevo en unos minutos.",
  },
  unavailable,
  too_many_requests: unavailable,
  idempotency_key_reused: notYours,
  idempotency_in_progress: unavailable,
  database_unavailable: unavailable,
  cpf_invalid: elsewhere,
  cnpj_invalid: elsewhere,
  not_a_pdf: { title: "Este archivo no es un PDF", message: "Elija un archivo PDF. Cambiar la extensión no basta." },
  pdf_damaged: {
    title: "El PDF está dañado",
    message: "El archivo está incompleto o corrupto. Genérelo de nuevo o elija otro.",
  },
  pdf_encrypted: {
    title: "El PDF tiene contraseña",
    message: "Un PDF protegido no puede firmarse. Guarde una copia sin contraseña y elíjala.",
  },
  pdf_unsupported: {
    title: "Este PDF no puede firmarse",
    message: "La estructura interna del archivo no se acepta. Imprímalo como PDF y elija el archivo nuevo.",
  },
  pdf_signing_forbidden: {
    title: "Este PDF no acepta más firmas",
    message: "Quien lo certificó prohibió cambios. Pida una versión que acepte firmas.",
  },
  contents_slot_too_small: notYours,
  pdf_password_wrong: {
    title: "La contraseña no abre el PDF",
    message: "Escriba de nuevo la contraseña del documento.",
  },
  signature_field_not_found: notYours,
  signature_field_unusable: notYours,
  appearance_invalid: notYours,
  limit_exceeded: {
    title: "El archivo es demasiado complejo",
    message: "Supera un límite de seguridad. Imprímalo como PDF y elija el archivo nuevo.",
  },
  certificate_malformed: {
    title: "No se pudo leer el certificado",
    message: "El certificado parece dañado. Elija otro.",
  },
  certificate_expired: {
    title: "El certificado está vencido",
    message: "Elija un certificado vigente o renueve el suyo.",
  },
  certificate_not_yet_valid: {
    title: "El certificado aún no es válido",
    message: "Su vigencia empieza más tarde. Revise la fecha del equipo o elija otro certificado.",
  },
  certificate_wrong_usage: {
    title: "Este certificado no sirve para firmar",
    message: "Fue emitido para otro fin. Elija un certificado de firma.",
  },
  certificate_untrusted: {
    title: "El emisor del certificado no se acepta",
    message: "El certificado no lleva a una autoridad en la que el banco confía. Elija otro.",
  },
  certificate_wrong_person: {
    title: "El certificado es de otra persona",
    message: "El CPF o CNPJ del certificado no es el de quien firma. Elija su propio certificado.",
  },
  key_unsupported: {
    title: "El tipo de clave no se acepta",
    message: "La clave de este certificado usa un algoritmo no aceptado. Elija otro certificado.",
  },
  key_state_conflict: elsewhere,
  key_not_found: {
    title: "No hay certificado disponible",
    message: "El banco no guarda un certificado suyo ni permite usar el de este dispositivo. Hable con el banco.",
  },
  p12_malformed: elsewhere,
  wrong_password: { title: "Contraseña incorrecta", message: "La contraseña no abre el certificado. Inténtelo de nuevo." },
  p12_weak_cipher: {
    title: "El archivo está mal protegido",
    message: "Usa un cifrado antiguo. Exporte de nuevo el certificado con protección AES-256 y elija el archivo nuevo.",
  },
  p12_several_keys: {
    title: "El archivo contiene varias claves",
    message: "Exporte solo el certificado con el que firma y elija el archivo nuevo.",
  },
  certificate_revoked: {
    title: "El certificado fue revocado",
    message: "La autoridad que lo emitió lo canceló. Elija otro certificado.",
  },
  revocation_unknown: unavailable,
  revocation_malformed: unavailable,
  certificate_key_mismatch: {
    title: "El certificado es de otra clave",
    message: "No se emitió a partir de la solicitud hecha aquí. Traiga el que corresponde.",
  },
  consent_required: {
    title: "Falta su consentimiento",
    message: "Lea y acepte los términos de custodia de su clave y continúe.",
  },
  accreditation_required: notYours,
  enrolment_state_conflict: notYours,
  enrolment_expired: {
    title: "Terminó el plazo",
    message: "El certificado no llegó a tiempo. Comience de nuevo.",
  },
  signature_state_conflict: {
    title: "La firma cambió de estado",
    message: "Ya se terminó o se cerró en otro lugar. Empiece de nuevo.",
  },
  signature_expired: {
    title: "Terminó el tiempo para firmar",
    message: "La solicitud valía pocos minutos. No se firmó nada; empiece de nuevo.",
  },
  signature_value_invalid: {
    title: "La firma no se verifica",
    message: "El dispositivo devolvió un valor que no corresponde al certificado. Inténtelo de nuevo o use otro.",
  },
  token_unavailable: {
    title: "La bóveda de claves no responde",
    message: "El equipo del banco que guarda la clave no está disponible. Inténtelo de nuevo en unos minutos.",
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
    title: "La firma fue cancelada",
    message: "El banco retiró esta firma antes de que se hiciera. No se firmó nada.",
  },
  token_agent_failed: unavailable,
  receipt_pending: unavailable,
  receipt_invalid: elsewhere,
  webhook_address_refused: elsewhere,
  authorization_invalid: {
    title: "El permiso ha terminado",
    message: "Confirme de nuevo en su servicio de certificado en la nube.",
  },
  provider_unavailable: unavailable,
  provider_refused: {
    title: "El servicio se negó",
    message: "Su servicio de certificado en la nube no dio el permiso. Inténtelo de nuevo.",
  },
  provider_answer_lost: {
    title: "El servicio no respondió",
    message: "La firma no se hizo, aunque su servicio de certificado en la nube pudo haber usado su clave. Confirme de nuevo.",
  },
  provider_answer_invalid: elsewhere,
  composer_unavailable: unavailable,
  composer_refused: notYours,
  composer_answer_invalid: unavailable,
  signature_not_extendable: notYours,
  not_signed: { title: "El archivo no tiene firma", message: "Elija un archivo firmado." },
  cms_malformed: {
    title: "No se pudo leer la firma",
    message: "El archivo parece dañado. Genérelo de nuevo o elija otro.",
  },
  content_required: { title: "Falta el documento firmado", message: "Elija también el archivo al que se refiere esta firma." },
  file_unreadable: {
    title: "No se pudo leer el archivo",
    message: "Fue movido, modificado o está en uso. Elíjalo de nuevo.",
  },
  file_unwritable: elsewhere,
  usage: elsewhere,
  config_invalid: elsewhere,
  port_in_use: elsewhere,
  data_folder_unwritable: elsewhere,
  data_folder_unknown: elsewhere,
  pkcs11_module_missing: elsewhere,
  client_native_missing: {
    title: "Falta una parte de Web PKI",
    message: "La extensión está en el navegador, pero su programa no está en el equipo. Instálelo y continúe.",
  },
  client_outdated: { title: "Web PKI está desactualizado", message: "Actualícelo para continuar." },
  client_no_response: {
    title: "Web PKI no respondió",
    message: "Cierre las ventanas de Web PKI que estén abiertas e inténtelo de nuevo. Si persiste, reinicie el navegador.",
  },
  client_protocol: {
    title: "Respuesta inesperada de Web PKI",
    message: "El componente respondió de un modo que no reconocemos. Actualícelo e inténtelo de nuevo.",
  },
  client_licence: {
    title: "Este sitio no puede usar Web PKI",
    message: "Al banco le falta la licencia del componente para esta dirección. Informe el código de abajo al banco.",
  },
  client_sign_failed: {
    title: "El dispositivo no pudo firmar",
    message: "El token, la tarjeta o su programa falló. Reconecte el dispositivo e inténtelo de nuevo.",
  },
  client_token_missing: {
    title: "Conecte su token o tarjeta",
    message: "El certificado elegido está en un dispositivo que no se encontró. Conéctelo e inténtelo de nuevo.",
  },
  user_cancelled: { title: "Firma cancelada", message: "No se entregó ningún archivo firmado." },
  to_sign_mismatch: {
    title: "Nos detuvimos para proteger su firma",
    message: "Lo que se iba a firmar no es el documento mostrado. Nos detuvimos antes de entregar el resultado. Avise al banco.",
  },
  network_unreachable: {
    title: "Sin conexión con el servicio",
    message: "Revise su conexión a internet e inténtelo de nuevo. Lo que ya hizo se conserva en esta página.",
  },
  platform_unsupported: {
    title: "Este dispositivo no permite firmar así",
    message: "El navegador o el sistema no acepta el componente necesario. Use un equipo con Chrome, Edge o Firefox.",
  },
  busy: { title: "Otra firma está en curso", message: "Termínela o cancélela antes de empezar otra." },
  step_refused: notYours,
};
