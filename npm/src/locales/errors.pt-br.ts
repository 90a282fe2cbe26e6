import type { ErrorText, ErrorTexts } from "./errors.js";

/** A fault of the page or of the bank's systems: the person can only report it. */
const notYours: ErrorText = {
  title: "Não foi possível continuar",
  message: "Há um problema na configuração desta página. Informe o código abaixo ao banco.",
};

/** Codes of the command line, which never reach a browser. */
const elsewhere: ErrorText = { title: "Não foi possível continuar", message: "Informe o código abaixo ao banco." };

/** The service, or one that it depends on, does not answer. */
const unavailable: ErrorText = {
  title: "O serviço está indisponível",
  message: "O serviço de assinatura não respondeu a tempo. Aguarde um pouco e tente novamente.",
};

export const ptBR: ErrorTexts = {
  invalid_request: notYours,
  unauthorized: {
    title: "Entre novamente",
    message: "O banco não reconheceu esta sessão de assinatura. Entre novamente e repita a operação.",
  },
  session_expired: {
    title: "Sua sessão terminou",
    message: "Por proteção, o tempo para assinar é limitado. Continue para abrir uma nova sessão.",
  },
  origin_not_allowed: notYours,
  forbidden: notYours,
  not_found: notYours,
  method_not_allowed: notYours,
  payload_too_large: { title: "O arquivo é grande demais", message: "Escolha um arquivo menor ou divida o documento." },
  unsupported_media_type: notYours,
  digest_mismatch: {
    title: "O arquivo chegou danificado",
    message: "Os dados se alteraram no caminho. Tente novamente; se acontecer de novo, use outra rede.",
  },
  internal: {
    title: "Algo falhou do nosso lado",
    message: "O serviço não conseguiu concluir a operação. Tente novamente em alguns minutos.",
  },
  unavailable,
  too_many_requests: unavailable,
  idempotency_key_reused: notYours,
  idempotency_in_progress: unavailable,
  database_unavailable: unavailable,
  cpf_invalid: elsewhere,
  cnpj_invalid: elsewhere,
  not_a_pdf: { title: "Este arquivo não é um PDF", message: "Escolha um arquivo PDF. Mudar a extensão do nome não basta." },
  pdf_damaged: { title: "O PDF está danificado", message: "O arquivo está incompleto ou corrompido. Gere-o novamente ou escolha outro." },
  pdf_encrypted: {
    title: "O PDF tem senha",
    message: "Um PDF protegido por senha não pode ser assinado. Salve uma cópia sem senha e escolha-a.",
  },
  pdf_unsupported: {
    title: "Este PDF não pode ser assinado",
    message: "A estrutura interna do arquivo não é aceita. Imprima-o como PDF e escolha o novo arquivo.",
  },
  pdf_signing_forbidden: {
    title: "Este PDF não aceita novas assinaturas",
    message: "Quem o certificou proibiu alterações. Peça uma versão que aceite assinaturas.",
  },
  contents_slot_too_small: notYours,
  pdf_password_wrong: {
    title: "A senha não abre o PDF",
    message: "Digite novamente a senha do documento.",
  },
  signature_field_not_found: notYours,
  signature_field_unusable: notYours,
  appearance_invalid: notYours,
  limit_exceeded: {
    title: "O arquivo é complexo demais",
    message: "Ele ultrapassa um limite de segurança. Imprima-o em PDF e escolha o novo arquivo.",
  },
  certificate_malformed: {
    title: "O certificado não pôde ser lido",
    message: "O arquivo do certificado parece danificado. Escolha outro certificado.",
  },
  certificate_expired: {
    title: "O certificado está vencido",
    message: "Escolha um certificado dentro da validade ou renove o seu.",
  },
  certificate_not_yet_valid: {
    title: "O certificado ainda não é válido",
    message: "A validade dele começa mais tarde. Confira a data do computador ou escolha outro certificado.",
  },
  certificate_wrong_usage: {
    title: "Este certificado não serve para assinar",
    message: "Ele foi emitido para outro fim. Escolha um certificado de assinatura.",
  },
  certificate_untrusted: {
    title: "O emissor do certificado não é aceito",
    message: "O certificado não leva a uma autoridade em que o banco confia. Escolha outro certificado.",
  },
  certificate_wrong_person: {
    title: "O certificado é de outra pessoa",
    message: "O CPF ou CNPJ do certificado não é o de quem está assinando. Escolha o seu certificado.",
  },
  key_unsupported: {
    title: "O tipo de chave não é aceito",
    message: "A chave deste certificado usa um algoritmo não aceito. Escolha outro certificado.",
  },
  key_state_conflict: elsewhere,
  key_not_found: {
    title: "Nenhum certificado disponível",
    message: "O banco não guarda um certificado seu e não permite usar o deste dispositivo. Fale com o banco.",
  },
  p12_malformed: elsewhere,
  wrong_password: { title: "Senha incorreta", message: "A senha não abre o certificado. Tente novamente." },
  p12_weak_cipher: {
    title: "O arquivo está mal protegido",
    message: "Ele usa uma cifra antiga. Exporte o certificado novamente com proteção AES-256 e escolha o novo arquivo.",
  },
  p12_several_keys: {
    title: "O arquivo contém várias chaves",
    message: "Exporte somente o certificado com que você assina e escolha o novo arquivo.",
  },
  certificate_revoked: {
    title: "O certificado foi revogado",
    message: "A autoridade que o emitiu o cancelou. Escolha outro certificado.",
  },
  revocation_unknown: unavailable,
  revocation_malformed: unavailable,
  certificate_key_mismatch: {
    title: "O certificado é de outra chave",
    message: "Ele não foi emitido a partir do pedido feito aqui. Traga o certificado correspondente.",
  },
  consent_required: {
    title: "Falta o seu consentimento",
    message: "Leia e aceite os termos de guarda da sua chave e continue.",
  },
  accreditation_required: notYours,
  enrolment_state_conflict: notYours,
  enrolment_expired: {
    title: "O prazo terminou",
    message: "O certificado não chegou a tempo. Comece novamente.",
  },
  signature_state_conflict: {
    title: "A assinatura mudou de situação",
    message: "Ela já foi concluída ou encerrada em outro lugar. Comece de novo.",
  },
  signature_expired: {
    title: "O tempo para assinar terminou",
    message: "O pedido valia por poucos minutos. Nada foi assinado; comece de novo.",
  },
  signature_value_invalid: {
    title: "A assinatura não conferiu",
    message: "O dispositivo devolveu um valor que não corresponde ao certificado. Tente novamente ou use outro certificado.",
  },
  token_unavailable: {
    title: "O cofre de chaves não responde",
    message: "O equipamento do banco que guarda a chave está indisponível. Tente novamente em alguns minutos.",
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
    title: "A assinatura foi cancelada",
    message: "O banco cancelou esta assinatura antes de ela ser feita. Nada foi assinado.",
  },
  token_agent_failed: unavailable,
  receipt_pending: unavailable,
  receipt_invalid: elsewhere,
  webhook_address_refused: elsewhere,
  authorization_invalid: {
    title: "A permissão terminou",
    message: "Confirme de novo no seu serviço de certificado em nuvem.",
  },
  provider_unavailable: unavailable,
  provider_refused: {
    title: "O serviço recusou",
    message: "Seu serviço de certificado em nuvem não deu a permissão. Tente de novo.",
  },
  provider_answer_lost: {
    title: "O serviço não respondeu",
    message: "A assinatura não foi feita, embora o seu serviço de certificado em nuvem possa ter usado a sua chave. Confirme de novo.",
  },
  provider_answer_invalid: elsewhere,
  composer_unavailable: unavailable,
  composer_refused: notYours,
  composer_answer_invalid: unavailable,
  signature_not_extendable: notYours,
  not_signed: { title: "O arquivo não tem assinatura", message: "Escolha um arquivo assinado." },
  cms_malformed: { title: "A assinatura não pôde ser lida", message: "O arquivo parece danificado. Gere-o novamente ou escolha outro." },
  content_required: { title: "Falta o documento assinado", message: "Escolha também o arquivo a que esta assinatura se refere." },
  file_unreadable: {
    title: "O arquivo não pôde ser lido",
    message: "Ele foi movido, alterado ou está em uso. Escolha-o novamente.",
  },
  file_unwritable: elsewhere,
  usage: elsewhere,
  config_invalid: elsewhere,
  port_in_use: elsewhere,
  data_folder_unwritable: elsewhere,
  data_folder_unknown: elsewhere,
  pkcs11_module_missing: elsewhere,
  client_native_missing: {
    title: "Falta uma parte do Web PKI",
    message: "A extensão está no navegador, mas o programa dela não está no computador. Instale-o e continue.",
  },
  client_outdated: { title: "O Web PKI está desatualizado", message: "Atualize-o para continuar." },
  client_no_response: {
    title: "O Web PKI não respondeu",
    message: "Feche janelas do Web PKI que estejam abertas e tente novamente. Se persistir, reinicie o navegador.",
  },
  client_protocol: {
    title: "Resposta inesperada do Web PKI",
    message: "O componente respondeu de um modo que não reconhecemos. Atualize-o e tente novamente.",
  },
  client_licence: {
    title: "Este site não pode usar o Web PKI",
    message: "Falta ao banco a licença do componente para este endereço. Informe o código abaixo ao banco.",
  },
  client_sign_failed: {
    title: "O dispositivo não conseguiu assinar",
    message: "O token, o cartão ou o programa dele falhou. Reconecte o dispositivo e tente novamente.",
  },
  client_token_missing: {
    title: "Conecte o seu token ou cartão",
    message: "O certificado escolhido está em um dispositivo que não foi encontrado. Conecte-o e tente novamente.",
  },
  user_cancelled: { title: "Assinatura cancelada", message: "Nenhum arquivo assinado foi entregue." },
  to_sign_mismatch: {
    title: "Interrompemos para proteger a sua assinatura",
    message: "O que seria assinado não é o documento mostrado. Paramos antes de entregar o resultado. Avise o banco.",
  },
  network_unreachable: {
    title: "Sem conexão com o serviço",
    message: "Verifique a internet e tente novamente. O que você já fez continua guardado nesta página.",
  },
  platform_unsupported: {
    title: "Este dispositivo não permite assinar assim",
    message: "O navegador ou o sistema não aceita o componente necessário. Use um computador com Chrome, Edge ou Firefox.",
  },
  busy: { title: "Outra assinatura está em andamento", message: "Conclua-a ou cancele-a antes de começar outra." },
  step_refused: notYours,
};
