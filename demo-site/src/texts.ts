/** Every text of the portal. A missing one does not compile. */

export const LOCALES = ["pt-BR", "en", "es"] as const;
export type Locale = (typeof LOCALES)[number];

interface Texts {
  language: string;
  languageName: string;
  demoNotice: string;
  enterTitle: string;
  enterLead: string;
  enterChoose: string;
  person: string;
  company: string;
  keyAtBank: string;
  keyOnDevice: string;
  keyInCloud: string;
  leave: string;
  hello: (name: string) => string;
  waiting: string;
  waitingLead: string;
  readAndSign: string;
  signed: string;
  pages: (count: number) => string;
  proposal: string;
  proposalAbout: string;
  contract: string;
  contractAbout: string;
  card: string;
  cardAbout: string;
  ownTitle: string;
  ownLead: string;
  ownPick: string;
  ownNote: string;
  back: string;
  document: string;
  openDocument: string;
  firstPage: (name: string) => string;
  noPreview: string;
  format: string;
  formatPades: string;
  formatCades: string;
  signHeading: string;
  help: string;
  simulatorTitle: string;
  simulatorLead: string;
  simulatorSwitch: string;
  simulatorOn: string;
  doneTitle: string;
  doneLead: (name: string) => string;
  download: string;
  anotherDocument: string;
  checkedTitle: string;
  checkedRequest: string;
  checkedValue: string;
  checkedCertificate: string;
  checkedFile: string;
  checkedDigest: string;
  notChecked: string;
  details: string;
  holder: string;
  issuer: string;
  validUntil: string;
  signedAt: string;
  signedAtNote: string;
  custody: string;
  custodyHsm: string;
  custodyLocal: string;
  custodyCloud: string;
  digest: string;
  number: string;
  ownCheckTitle: string;
  ownCheckLead: string;
  trustFile: string;
  personalData: string;
  problemTitle: string;
  problemLead: string;
  tryAgain: string;
}

export const TEXTS: Record<Locale, Texts> = {
  "pt-BR": {
    language: "Idioma",
    languageName: "Português",
    demoNotice: "Demonstração com pessoas e documentos inventados. Nada do que se assina aqui tem valor.",
    enterTitle: "Assine de onde estiver, com o certificado que você já tem.",
    enterLead: "Contratos e propostas do Banco Aurora, lidos e assinados em poucos minutos.",
    enterChoose: "Entrar como",
    person: "Pessoa física",
    company: "Empresa",
    keyAtBank: "Chave guardada no banco",
    keyOnDevice: "Certificado neste computador",
    keyInCloud: "Certificado em nuvem",
    leave: "Sair",
    hello: (name) => `Olá, ${name}`,
    waiting: "À espera da sua assinatura",
    waitingLead: "Leia antes de assinar. Você recebe o arquivo assinado no final.",
    readAndSign: "Ler e assinar",
    signed: "Assinado",
    pages: (count) => (count === 1 ? "1 página" : `${count} páginas`),
    proposal: "Proposta de crédito pessoal",
    proposalAbout: "Número 2026/00417, vale por dez dias",
    contract: "Contrato de abertura de conta",
    contractAbout: "Contrato 2026/01193, versão 4",
    card: "Termo de adesão ao cartão",
    cardAbout: "Termo 2026/00088",
    ownTitle: "Assinar outro arquivo",
    ownLead: "Arraste um arquivo para cá ou escolha no seu computador.",
    ownPick: "Escolher arquivo",
    ownNote: "PDF recebe a assinatura dentro dele. Outros tipos recebem um arquivo de assinatura ao lado.",
    back: "Documentos",
    document: "Documento",
    openDocument: "Abrir o documento inteiro",
    firstPage: (name) => `Primeira página de ${name}`,
    noPreview: "Este arquivo não tem imagem para mostrar.",
    format: "Como entregar a assinatura",
    formatPades: "Dentro do PDF",
    formatCades: "Em arquivo separado (.p7s)",
    signHeading: "Assinatura",
    help: "Precisa de ajuda? Central do Banco Aurora, 0800 000 0000 (TESTE), todos os dias.",
    simulatorTitle: "Sem o Web PKI neste computador?",
    simulatorLead: "Para esta demonstração existe um simulador com certificados de TESTE. Ele não é o programa real e não serve para documentos de verdade.",
    simulatorSwitch: "Usar o simulador de Web PKI (TESTE)",
    simulatorOn: "Simulador de Web PKI ligado (TESTE)",
    doneTitle: "Documento assinado",
    doneLead: (name) => `${name} está pronto. Guarde o arquivo: ele é o original assinado.`,
    download: "Baixar o arquivo assinado",
    anotherDocument: "Voltar aos documentos",
    checkedTitle: "O que foi conferido",
    checkedRequest: "Antes de usar o certificado, este navegador recalculou o pedido de assinatura a partir do arquivo que você escolheu.",
    checkedValue: "O resultado foi verificado com a chave pública do certificado antes de ser entregue.",
    checkedCertificate: "O certificado está na validade, serve para assinar e leva à autoridade raiz desta demonstração.",
    checkedFile: "O arquivo final foi lido de novo e validado por inteiro.",
    checkedDigest: "Os bytes recebidos têm o resumo SHA-256 que o serviço registrou.",
    notChecked: "Não foi consultado se o certificado foi revogado, e não há carimbo do tempo.",
    details: "Dados da assinatura",
    holder: "Titular",
    issuer: "Emitido por",
    validUntil: "Certificado válido até",
    signedAt: "Horário",
    signedAtNote: "informado pelo sistema, sem carimbo do tempo",
    custody: "Chave",
    custodyHsm: "guardada no banco (HSM)",
    custodyLocal: "no computador do titular",
    custodyCloud: "em um serviço de nuvem",
    digest: "SHA-256",
    number: "Número",
    ownCheckTitle: "Conferir por conta própria",
    ownCheckLead: "Qualquer programa que leia PAdES ou CAdES serve. Com o Rubrica, na linha de comando:",
    trustFile: "Baixar a raiz de confiança da demonstração",
    personalData: "O arquivo contém o certificado do titular e, com ele, o CPF ou o CNPJ. Quem publica o arquivo publica esses dados.",
    problemTitle: "O portal não conseguiu continuar",
    problemLead: "O serviço de demonstração não respondeu. Confira se ele está no ar e tente de novo.",
    tryAgain: "Tentar de novo",
  },
  en: {
    language: "Language",
    languageName: "English",
    demoNotice: "Demonstration with invented people and documents. Nothing signed here has any value.",
    enterTitle: "Sign wherever you are, with the certificate you already have.",
    enterLead: "Contracts and proposals of Banco Aurora, read and signed in a few minutes.",
    enterChoose: "Enter as",
    person: "Person",
    company: "Company",
    keyAtBank: "Key kept at the bank",
    keyOnDevice: "Certificate on this computer",
    keyInCloud: "Cloud certificate",
    leave: "Leave",
    hello: (name) => `Hello, ${name}`,
    waiting: "Waiting for your signature",
    waitingLead: "Read before you sign. You get the signed file at the end.",
    readAndSign: "Read and sign",
    signed: "Signed",
    pages: (count) => (count === 1 ? "1 page" : `${count} pages`),
    proposal: "Personal loan proposal",
    proposalAbout: "Number 2026/00417, valid for ten days",
    contract: "Account opening contract",
    contractAbout: "Contract 2026/01193, version 4",
    card: "Card enrolment terms",
    cardAbout: "Terms 2026/00088",
    ownTitle: "Sign another file",
    ownLead: "Drop a file here or choose one from your computer.",
    ownPick: "Choose file",
    ownNote: "A PDF carries the signature inside. Other types get a signature file beside them.",
    back: "Documents",
    document: "Document",
    openDocument: "Open the whole document",
    firstPage: (name) => `First page of ${name}`,
    noPreview: "There is no picture of this file to show.",
    format: "How to deliver the signature",
    formatPades: "Inside the PDF",
    formatCades: "In a separate file (.p7s)",
    signHeading: "Signature",
    help: "Need help? Banco Aurora line, 0800 000 0000 (TEST), every day.",
    simulatorTitle: "No Web PKI on this computer?",
    simulatorLead: "This demonstration has a simulator with TEST certificates. It is not the real program and is of no use for real documents.",
    simulatorSwitch: "Use the Web PKI simulator (TEST)",
    simulatorOn: "Web PKI simulator switched on (TEST)",
    doneTitle: "Document signed",
    doneLead: (name) => `${name} is ready. Keep the file: it is the signed original.`,
    download: "Download the signed file",
    anotherDocument: "Back to the documents",
    checkedTitle: "What was checked",
    checkedRequest: "Before the certificate was used, this browser recomputed the signing request from the file you chose.",
    checkedValue: "The result was verified with the public key of the certificate before it was delivered.",
    checkedCertificate: "The certificate is within its validity, is meant for signing and leads to the root authority of this demonstration.",
    checkedFile: "The final file was read again and validated as a whole.",
    checkedDigest: "The bytes received have the SHA-256 digest that the service recorded.",
    notChecked: "Whether the certificate was revoked was not asked, and there is no time stamp.",
    details: "Details of the signature",
    holder: "Holder",
    issuer: "Issued by",
    validUntil: "Certificate valid until",
    signedAt: "Time",
    signedAtNote: "stated by the system, without a time stamp",
    custody: "Key",
    custodyHsm: "kept at the bank (HSM)",
    custodyLocal: "on the holder's computer",
    custodyCloud: "at a cloud service",
    digest: "SHA-256",
    number: "Number",
    ownCheckTitle: "Check it yourself",
    ownCheckLead: "Any program that reads PAdES or CAdES will do. With Rubrica, on the command line:",
    trustFile: "Download the trust root of the demonstration",
    personalData: "The file contains the holder's certificate and with it the CPF or CNPJ. Publishing the file publishes them.",
    problemTitle: "The portal could not go on",
    problemLead: "The demonstration service did not answer. See that it is running and try again.",
    tryAgain: "Try again",
  },
  es: {
    language: "Idioma",
    languageName: "Español",
    demoNotice: "Demostración con personas y documentos inventados. Nada de lo que se firma aquí tiene valor.",
    enterTitle: "Firme desde donde esté, con el certificado que ya tiene.",
    enterLead: "Contratos y propuestas de Banco Aurora, leídos y firmados en pocos minutos.",
    enterChoose: "Entrar como",
    person: "Persona física",
    company: "Empresa",
    keyAtBank: "Clave guardada en el banco",
    keyOnDevice: "Certificado en este equipo",
    keyInCloud: "Certificado en la nube",
    leave: "Salir",
    hello: (name) => `Hola, ${name}`,
    waiting: "A la espera de su firma",
    waitingLead: "Lea antes de firmar. Al final recibe el archivo firmado.",
    readAndSign: "Leer y firmar",
    signed: "Firmado",
    pages: (count) => (count === 1 ? "1 página" : `${count} páginas`),
    proposal: "Propuesta de crédito personal",
    proposalAbout: "Número 2026/00417, válida por diez días",
    contract: "Contrato de apertura de cuenta",
    contractAbout: "Contrato 2026/01193, versión 4",
    card: "Condiciones de la tarjeta",
    cardAbout: "Documento 2026/00088",
    ownTitle: "Firmar otro archivo",
    ownLead: "Arrastre un archivo aquí o elija uno de su equipo.",
    ownPick: "Elegir archivo",
    ownNote: "Un PDF lleva la firma dentro. Los demás tipos reciben un archivo de firma al lado.",
    back: "Documentos",
    document: "Documento",
    openDocument: "Abrir el documento completo",
    firstPage: (name) => `Primera página de ${name}`,
    noPreview: "No hay imagen de este archivo.",
    format: "Cómo entregar la firma",
    formatPades: "Dentro del PDF",
    formatCades: "En un archivo aparte (.p7s)",
    signHeading: "Firma",
    help: "¿Necesita ayuda? Central de Banco Aurora, 0800 000 0000 (TEST), todos los días.",
    simulatorTitle: "¿Sin Web PKI en este equipo?",
    simulatorLead: "Esta demostración tiene un simulador con certificados de PRUEBA. No es el programa real y no sirve para documentos de verdad.",
    simulatorSwitch: "Usar el simulador de Web PKI (TEST)",
    simulatorOn: "Simulador de Web PKI activado (TEST)",
    doneTitle: "Documento firmado",
    doneLead: (name) => `${name} está listo. Guarde el archivo: es el original firmado.`,
    download: "Descargar el archivo firmado",
    anotherDocument: "Volver a los documentos",
    checkedTitle: "Qué se comprobó",
    checkedRequest: "Antes de usar el certificado, este navegador recalculó la solicitud de firma a partir del archivo que usted eligió.",
    checkedValue: "El resultado se verificó con la clave pública del certificado antes de entregarlo.",
    checkedCertificate: "El certificado está vigente, sirve para firmar y lleva a la autoridad raíz de esta demostración.",
    checkedFile: "El archivo final se leyó de nuevo y se validó por completo.",
    checkedDigest: "Los bytes recibidos tienen el resumen SHA-256 que registró el servicio.",
    notChecked: "No se consultó si el certificado fue revocado, y no hay sello de tiempo.",
    details: "Datos de la firma",
    holder: "Titular",
    issuer: "Emitido por",
    validUntil: "Certificado válido hasta",
    signedAt: "Hora",
    signedAtNote: "indicada por el sistema, sin sello de tiempo",
    custody: "Clave",
    custodyHsm: "guardada en el banco (HSM)",
    custodyLocal: "en el equipo del titular",
    custodyCloud: "en un servicio en la nube",
    digest: "SHA-256",
    number: "Número",
    ownCheckTitle: "Compruébelo usted mismo",
    ownCheckLead: "Sirve cualquier programa que lea PAdES o CAdES. Con Rubrica, en la línea de comandos:",
    trustFile: "Descargar la raíz de confianza de la demostración",
    personalData: "El archivo contiene el certificado del titular y, con él, el CPF o el CNPJ. Quien publica el archivo publica esos datos.",
    problemTitle: "El portal no pudo continuar",
    problemLead: "El servicio de demostración no respondió. Compruebe que está en marcha e intente de nuevo.",
    tryAgain: "Intentar de nuevo",
  },
};
