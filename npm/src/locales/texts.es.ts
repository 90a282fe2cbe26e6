import type { Platform } from "../platform.js";
import type { Texts } from "./texts.js";

const browsers: Readonly<Record<Platform["browser"], string>> = {
  chrome: "Chrome",
  edge: "Edge",
  firefox: "Firefox",
  other: "navegador",
};

const installers: Readonly<Record<Platform["os"], string>> = {
  windows: "Abra el instalador descargado y autorícelo cuando Windows lo pida.",
  macos: "Abra el archivo descargado y siga el instalador de macOS.",
  linux: "Instale el paquete descargado (.deb o .rpm) con el gestor de paquetes.",
  other: "Abra el instalador descargado y siga las instrucciones.",
};

export const es: Texts = {
  phases: ["Documento", "Certificado", "Confirmación", "Firma"],
  phase: (current, of, name) => `Paso ${current} de ${of}: ${name}`,
  actions: {
    chooseFile: "Elegir archivo",
    start: "Continuar",
    cancel: "Cancelar",
    openInstaller: "Abrir página de instalación",
    refresh: "Comprobar de nuevo",
    continue: "Continuar",
    sign: "Firmar",
    applySeal: "Aplicar sello",
    refuse: "Rechazar",
    chooseAnother: "Usar otro certificado",
    useLocal: "Usar un certificado de este equipo",
    keepWaiting: "Necesito más tiempo",
    download: "Descargar",
    signAnother: "Firmar otro documento",
    retry: "Intentar de nuevo",
    otherDocument: "Elegir otro documento",
    otherWay: "Otras formas de firmar",
    back: "Volver",
    agree: "Acepto: crear mi clave",
    saveText: "Guardar una copia de este texto",
    openService: "Abrir la ventana del servicio",
  },
  idle: {
    title: "Firmar documento",
    lead: "Elija el archivo que va a firmar con su certificado digital.",
    given: { title: "Documento para firmar", lead: "Revise el archivo y continúe con su certificado digital." },
    drop: "Arrastre el archivo aquí",
    or: "o",
    hint: (format) => (format === "pades" ? "Archivo PDF" : "Cualquier tipo de archivo"),
    promise: "El documento solo se envía después de que usted confirme.",
  },
  resolving: {
    title: "Preparando",
    lead: "Es solo un instante.",
    tasks: ["Leyendo el documento en este navegador", "Buscando su certificado"],
  },
  offer: {
    title: "¿Cómo quiere firmar?",
    lead: "No encontramos una clave suya en el banco. Elija la forma que prefiera.",
    uncertain: {
      title: "No se pudo comprobar todo",
      lead: "Puede haber una clave suya que no vimos. Compruebe de nuevo antes de decidir: nadie necesita crear una segunda.",
    },
    group: "Formas de firmar",
    preferred: "Sugerencia de su banco",
    ways: {
      enrol: {
        title: () => "Una clave nueva, guardada por el banco",
        points: [
          "Qué se guarda: una clave creada para usted en el módulo de seguridad del banco, del que nunca sale, y su certificado.",
          "Quién la usa: solo usted, cada vez que confirma aquí. No hay nada que instalar.",
          "Cómo deshacerlo: retire su consentimiento en el banco cuando quiera; la clave no firma nada más.",
        ],
      },
      device: {
        title: () => "Mi propio certificado",
        points: [
          "Qué se guarda: nada en el banco. La clave sigue en esta computadora, token o tarjeta.",
          "Quién la usa: solo usted, con su PIN. El componente Web PKI se instala una sola vez.",
          "Cómo deshacerlo: no hay nada que deshacer.",
        ],
      },
      service: {
        title: (service) => `Mi certificado en la nube (${service})`,
        points: [
          "Qué se guarda: nada en el banco. La clave sigue en el servicio.",
          "Quién la usa: solo usted; el servicio pregunta cada vez, en su ventana o aplicación.",
          "Cómo deshacerlo: allí, en el propio servicio.",
        ],
      },
    },
    source: { hsm: "Módulo de seguridad del banco", lacuna: "Servicios en la nube", local: "Este dispositivo" },
    outcome: { yes: "Hay una clave", no: "Ninguna clave", unknown: "No se pudo saber" },
    doubt: {
      failed: "Respondió con un error.",
      slow: "No respondió a tiempo.",
      resting: "Falló varias veces y está en pausa por un momento.",
    },
  },
  consent: {
    title: "Lea antes de aceptar",
    lead: "La clave se crea solo si usted acepta. El texto leído queda registrado con su resumen criptográfico.",
    loading: "Buscando el texto",
    text: "Texto del consentimiento",
    version: (version) => `Versión ${version}`,
  },
  enrolling: {
    title: "Creando su clave",
    lead: "Esto se hace una sola vez. La próxima vez basta con confirmar.",
    stages: {
      agreeing: "Registrando su consentimiento",
      creating: "El módulo de seguridad está creando la clave",
      requesting: "Solicitando el certificado",
      storing: "Comparando el certificado con la clave",
      awaiting: "Esperando el certificado",
    },
    leave: "Está tardando más de lo normal. Puede salir de esta página: la clave estará aquí cuando vuelva.",
  },
  stored: {
    title: "Su clave está lista",
    lead: "Está guardada en el módulo de seguridad del banco. Aún no se firmó nada.",
    revoke: "Puede retirar su consentimiento en el banco cuando quiera. Desde entonces la clave no firma nada más; lo firmado sigue firmado.",
  },
  probing: { title: "Buscando Web PKI", lead: "Es el componente que da acceso a los certificados de este equipo." },
  lost: { title: "Reconectando con Web PKI", lead: "La comunicación se interrumpió. Estamos intentándolo de nuevo." },
  absent: {
    title: "Instale Web PKI para continuar",
    lead: "Permite que el navegador use el certificado de este equipo, token o tarjeta. Se instala una sola vez.",
    steps: ({ os, browser }) => [
      "Abra la página de instalación del proveedor (Lacuna Software). Se abre en otra pestaña.",
      `Agregue la extensión Web PKI a ${browsers[browser]}.`,
      installers[os],
      "Vuelva a esta pestaña. Continúa sola.",
    ],
    waiting: "Esperando la instalación",
    reload: "¿Ya la instaló y nada cambió? Recargue esta página: un navegador abierto puede no activar la extensión en la pestaña actual.",
  },
  outdated: {
    title: "Actualice Web PKI para continuar",
    lead: "A la versión de este equipo le falta algo necesario para firmar.",
    part: { extension: "Extensión del navegador", native: "Programa del equipo" },
    installed: "Instalada",
    required: "Necesaria",
    unknownVersion: "muy antigua",
    waiting: "Esperando la actualización",
  },
  blocked: {
    native_missing: {
      title: "Falta el programa de Web PKI",
      lead: "La extensión está en el navegador. Falta el programa que habla con el token, la tarjeta o los certificados del equipo.",
    },
    licence: {
      title: "Este sitio no puede usar Web PKI",
      lead: "El componente no tiene licencia para esta dirección. No hay nada que corregir en su equipo: avise al banco.",
    },
    no_response: {
      title: "Web PKI no responde",
      lead: "La extensión está en el navegador, pero no responde. Por lo general esto lo resuelve:",
    },
    nativeSteps: ({ os }) => ["Abra la página de instalación. Se abre en otra pestaña.", installers[os], "Vuelva a esta pestaña. Continúa sola."],
    silentSteps: [
      "Cierre las ventanas de Web PKI que estén abiertas.",
      "Recargue esta página.",
      "Si persiste, cierre y abra el navegador.",
    ],
    waiting: "Esperando a Web PKI",
  },
  unsupported: {
    title: "No se puede usar un certificado de este aparato",
    lead: "Los teléfonos y tabletas no dan acceso al certificado desde el navegador. Abra esta página en un equipo con Chrome, Edge o Firefox.",
  },
  listing: {
    title: "Leyendo sus certificados",
    lead: "Web PKI puede pedir su permiso en una ventana propia.",
    slow: "Tarda más de lo normal. Los tokens y tarjetas pueden necesitar un minuto; revise también si hay una ventana pidiendo permiso.",
  },
  noCertificate: {
    title: "No se encontró ningún certificado",
    lead: "Si su certificado está en un token o tarjeta, conéctelo ahora.",
    steps: [
      "Conecte el token o inserte la tarjeta en el lector.",
      "Espere a que se encienda la luz del dispositivo y se inicie su programa.",
      "¿Certificado en archivo (A1)? Impórtelo con el asistente del sistema.",
    ],
    waiting: "Comprobando cada pocos segundos",
  },
  choosing: {
    title: "Elija el certificado",
    lead: "Estos son los certificados que Web PKI encontró en este equipo.",
    noneUsable: {
      title: "Ningún certificado puede usarse",
      lead: "Encontramos certificados en este equipo, pero ninguno sirve para esta firma. Vea el motivo de cada uno.",
    },
    group: "Certificados disponibles",
    unusableGroup: (count) => (count === 1 ? "1 certificado que no puede usarse" : `${count} certificados que no pueden usarse`),
    unusable: {
      expired: (certificate, date) => `Venció el ${date(certificate.notAfter)}`,
      not_yet_valid: (certificate, date) => `Válido solo desde el ${date(certificate.notBefore)}`,
      wrong_person: () => "De otra persona o empresa",
      wrong_usage: () => "No fue emitido para firmar",
    },
    expiresSoon: (date) => `Vence el ${date}: renuévelo pronto`,
    notIcpBrasil: "No identificado como ICP-Brasil",
    remember: "Recordar esta elección en este navegador",
    rememberHint: "Guarda solo la huella del certificado. No lo marque en un equipo compartido.",
  },
  kind: { person: "Persona física", company: "Persona jurídica", seal: "Sello electrónico" },
  certificate: { issuer: (issuer) => `Emitido por ${issuer}`, validUntil: (date) => `Válido hasta ${date}` },
  confirming: {
    title: "Revise antes de firmar",
    lead: "Lea los datos de abajo y decida. El documento solo se firma si usted confirma.",
    labels: {
      document: "Documento",
      hash: "Resumen SHA-256",
      holder: "Titular",
      identifier: "CPF",
      certificate: "Certificado",
      validity: "Vigencia",
      key: "Clave",
    },
    key: {
      local: "En este equipo, token o tarjeta",
      hsm: "Guardada en el módulo de seguridad del banco",
      lacuna: "En un servicio en la nube",
    },
    identifierNames: { person: "CPF", company: "CNPJ" },
    effect: {
      person: (holder) =>
        `Al continuar, usted firma electrónicamente este documento con el certificado de ${holder}. La firma queda ligada al contenido exacto del archivo.`,
      company: (holder) =>
        `Al continuar, usted firma electrónicamente este documento con el certificado de la empresa ${holder}. La firma queda ligada al contenido exacto del archivo.`,
      seal: (holder) =>
        `Al continuar, el sello electrónico de ${holder} se aplica al documento. Indica origen e integridad y no expresa la voluntad de la empresa.`,
    },
    effectAtService:
      "Al continuar, usted firma este documento electrónicamente con su certificado en el servicio. Este pide su autorización en su propia ventana e informa de quién es el certificado.",
    refused: "Usted rechazó en la ventana de Web PKI. Para firmar, confirme de nuevo.",
  },
  preparing: {
    title: "Comprobando lo que se va a firmar",
    lead: "No se pide nada a su certificado antes de esta comprobación.",
    tasks: ["Enviando el documento", "Comparando con el archivo que usted eligió"],
  },
  redirecting: { title: "Consultando al servicio", lead: "Su ventana ya está abierta. La página del servicio aparece en ella en un momento." },
  waitingApproval: {
    title: (service) => `Autorice en ${service}`,
    window: {
      open: "Dé su autorización en la ventana del servicio, o en su aplicación si esta lo pide.",
      blocked: "El navegador no abrió la ventana del servicio. Ábrala con el botón.",
      closed: "La ventana del servicio está cerrada y el servicio no confirmó nada. Si usted autorizó, se notará sin otra acción; si no, ábrala de nuevo.",
      returned: "Usted volvió. Estamos consultando la respuesta del servicio.",
    },
    until: (time) => `El servicio espera hasta ${time}`,
    tip: "Escriba su contraseña o código solo en la ventana o aplicación del servicio. Esta página nunca los pide.",
    waiting: "Consultando al servicio",
  },
  authorizing: {
    title: "Autorice en la ventana de Web PKI",
    lead: "Una ventana de su equipo, fuera del navegador, pide la autorización o el PIN.",
    waitsForPrevious: "Aún hay una ventana de una solicitud anterior. Ciérrela para continuar: su resultado se descartará.",
    tips: ["Escriba el PIN solo en esa ventana. Esta página nunca lo pide.", "Después de autorizar, vuelva aquí."],
    helpTitle: "¿No ve la ventana?",
    help: [
      "Búsquela detrás del navegador o en la barra de tareas.",
      "Revise otros monitores y escritorios.",
      "Con token o tarjeta, compruebe que está conectado.",
    ],
    overdue: { title: "¿Sigue ahí?", lead: "La solicitud lleva dos minutos abierta. ¿Necesita más tiempo para autorizar?" },
    elapsed: (seconds) => `Esperando desde hace ${seconds} s`,
    cancelHint: "Cancelar aquí no cierra la ventana ya abierta. Lo que se haga en ella después se descartará.",
  },
  signing: {
    title: "Firmando",
    lead: "El módulo de seguridad del banco está firmando con su clave.",
    atService: "El servicio está firmando con su clave.",
  },
  finishing: { title: "Terminando", lead: "Se está verificando la firma y preparando el archivo." },
  done: {
    title: "Documento firmado",
    lead: "La firma se verificó. Descargue el archivo y guárdelo: es el documento firmado.",
    detached: "La firma se verificó. Guarde este archivo junto con el documento original: quien la revise necesita los dos.",
    labels: { holder: "Firmado con el certificado de", seal: "Sello electrónico de", time: "Hora", hash: "Resumen SHA-256", key: "Clave" },
    timeSource: "Hora informada por el sistema",
    personalData: "El archivo contiene el certificado y, con él, su CPF o CNPJ. Téngalo en cuenta al compartirlo.",
  },
  cancelled: {
    user: { title: "Usted canceló", lead: "No se entregó ningún archivo firmado." },
    caller: { title: "La operación se interrumpió", lead: "La página terminó la solicitud. No se entregó ningún archivo firmado." },
    time: { title: "El tiempo terminó", lead: "No hubo autorización a tiempo. No se entregó ningún archivo firmado." },
    client: { title: "Usted rechazó en Web PKI", lead: "Sin ese permiso no se pueden leer los certificados de este equipo." },
    service: { title: "Usted rechazó en el servicio", lead: "El servicio confirmó que no hay autorización. No se entregó ningún archivo firmado." },
    abandoned: "La ventana de Web PKI puede seguir abierta. Ciérrela; si aún autoriza en ella, el resultado se descartará.",
  },
  failed: {
    code: "Código",
    next: {
      try_again: "Intentar de nuevo",
      choose_another_certificate: "Elegir otro certificado",
      choose_another_document: "Elegir otro documento",
      insert_token: "Ya lo conecté, continuar",
      check_client: "Comprobar de nuevo",
      sign_in_again: "Continuar con una sesión nueva",
      contact_support: "Volver al inicio",
    },
  },
  newTab: "se abre en otra pestaña",
};
