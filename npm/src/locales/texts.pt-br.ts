import type { Platform } from "../platform.js";
import type { Texts } from "./texts.js";

const browsers: Readonly<Record<Platform["browser"], string>> = {
  chrome: "Chrome",
  edge: "Edge",
  firefox: "Firefox",
  other: "navegador",
};

const installers: Readonly<Record<Platform["os"], string>> = {
  windows: "Abra o instalador baixado e autorize-o quando o Windows perguntar.",
  macos: "Abra o arquivo baixado e siga o instalador do macOS.",
  linux: "Instale o pacote baixado (.deb ou .rpm) com o gerenciador de pacotes.",
  other: "Abra o instalador baixado e siga as instruções.",
};

export const ptBR: Texts = {
  phases: ["Documento", "Certificado", "Confirmação", "Assinatura"],
  phase: (current, of, name) => `Etapa ${current} de ${of}: ${name}`,
  actions: {
    chooseFile: "Escolher arquivo",
    start: "Continuar",
    cancel: "Cancelar",
    openInstaller: "Abrir página de instalação",
    refresh: "Verificar de novo",
    continue: "Continuar",
    sign: "Assinar",
    applySeal: "Aplicar selo",
    refuse: "Recusar",
    chooseAnother: "Usar outro certificado",
    useLocal: "Usar um certificado deste computador",
    keepWaiting: "Preciso de mais tempo",
    download: "Baixar",
    signAnother: "Assinar outro documento",
    retry: "Tentar novamente",
    otherDocument: "Escolher outro documento",
    otherWay: "Outras formas de assinar",
    back: "Voltar",
    agree: "Concordo: criar minha chave",
    saveText: "Salvar uma cópia deste texto",
    openService: "Abrir a janela do serviço",
  },
  idle: {
    title: "Assinar documento",
    lead: "Escolha o arquivo que você vai assinar com o seu certificado digital.",
    given: { title: "Documento para assinar", lead: "Confira o arquivo e continue com o seu certificado digital." },
    drop: "Arraste o arquivo para cá",
    or: "ou",
    hint: (format) => (format === "pades" ? "Arquivo PDF" : "Qualquer tipo de arquivo"),
    promise: "O documento só é enviado depois que você confirmar.",
  },
  resolving: {
    title: "Preparando",
    lead: "Leva só um instante.",
    tasks: ["Lendo o documento neste navegador", "Procurando o seu certificado"],
  },
  offer: {
    title: "Como você quer assinar?",
    lead: "Não encontramos uma chave sua no banco. Escolha a forma que preferir.",
    uncertain: {
      title: "Não foi possível verificar tudo",
      lead: "Pode haver uma chave sua que não vimos. Verifique de novo antes de decidir: ninguém precisa criar uma segunda.",
    },
    group: "Formas de assinar",
    preferred: "Sugestão do seu banco",
    ways: {
      enrol: {
        title: () => "Uma nova chave, guardada pelo banco",
        points: [
          "O que fica guardado: uma chave criada para você no módulo de segurança do banco, de onde nunca sai, e o certificado dela.",
          "Quem usa: só você, cada vez que confirma aqui. Não há nada para instalar.",
          "Como desfazer: retire o consentimento no banco quando quiser; a chave não assina mais nada.",
        ],
      },
      device: {
        title: () => "Meu próprio certificado",
        points: [
          "O que fica guardado: nada no banco. A chave continua neste computador, token ou cartão.",
          "Quem usa: só você, com o seu PIN. O componente Web PKI é instalado uma única vez.",
          "Como desfazer: não há nada a desfazer.",
        ],
      },
      service: {
        title: (service) => `Meu certificado em nuvem (${service})`,
        points: [
          "O que fica guardado: nada no banco. A chave continua no serviço.",
          "Quem usa: só você; o serviço pergunta a cada vez, na janela ou no aplicativo dele.",
          "Como desfazer: lá, no próprio serviço.",
        ],
      },
    },
    source: { hsm: "Módulo de segurança do banco", lacuna: "Serviços em nuvem", local: "Este dispositivo" },
    outcome: { yes: "Há uma chave", no: "Nenhuma chave", unknown: "Não foi possível saber" },
    doubt: {
      failed: "Respondeu com um erro.",
      slow: "Não respondeu a tempo.",
      resting: "Falhou várias vezes e está em pausa por um momento.",
    },
  },
  consent: {
    title: "Leia antes de concordar",
    lead: "A chave só é criada se você concordar. O texto lido fica registrado com o seu resumo criptográfico.",
    loading: "Buscando o texto",
    text: "Texto do consentimento",
    version: (version) => `Versão ${version}`,
  },
  enrolling: {
    title: "Criando a sua chave",
    lead: "Isto é feito uma única vez. Na próxima, basta confirmar.",
    stages: {
      agreeing: "Registrando o seu consentimento",
      creating: "O módulo de segurança está criando a chave",
      requesting: "Pedindo o certificado",
      storing: "Comparando o certificado com a chave",
      awaiting: "Aguardando o certificado",
    },
    leave: "Está demorando mais que o normal. Você pode sair desta página: a chave estará aqui quando voltar.",
  },
  stored: {
    title: "Sua chave está pronta",
    lead: "Ela está guardada no módulo de segurança do banco. Nada foi assinado ainda.",
    revoke: "Você pode retirar o consentimento no banco quando quiser. A partir daí a chave não assina mais nada; o que foi assinado continua assinado.",
  },
  probing: { title: "Procurando o Web PKI", lead: "É o componente que dá acesso aos certificados deste computador." },
  lost: { title: "Reconectando ao Web PKI", lead: "A comunicação foi interrompida. Estamos tentando de novo." },
  absent: {
    title: "Instale o Web PKI para continuar",
    lead: "Ele permite que o navegador use o certificado deste computador, token ou cartão. A instalação é feita uma única vez.",
    steps: ({ os, browser }) => [
      "Abra a página de instalação do fornecedor (Lacuna Software). Ela abre em outra aba.",
      `Adicione a extensão Web PKI ao ${browsers[browser]}.`,
      installers[os],
      "Volte para esta aba. Ela continua sozinha.",
    ],
    waiting: "Aguardando a instalação",
    reload: "Já instalou e nada mudou? Recarregue esta página: um navegador aberto pode não ativar a extensão na aba atual.",
  },
  outdated: {
    title: "Atualize o Web PKI para continuar",
    lead: "A versão deste computador não tem um recurso necessário para assinar.",
    part: { extension: "Extensão do navegador", native: "Programa do computador" },
    installed: "Instalada",
    required: "Necessária",
    unknownVersion: "muito antiga",
    waiting: "Aguardando a atualização",
  },
  blocked: {
    native_missing: {
      title: "Falta o programa do Web PKI",
      lead: "A extensão está no navegador. Falta o programa que conversa com o token, o cartão ou os certificados do computador.",
    },
    licence: {
      title: "Este site não pode usar o Web PKI",
      lead: "O componente não está licenciado para este endereço. Não há nada a corrigir no seu computador: avise o banco.",
    },
    no_response: {
      title: "O Web PKI não está respondendo",
      lead: "A extensão está no navegador, mas não responde. Em geral isto resolve:",
    },
    nativeSteps: ({ os }) => ["Abra a página de instalação. Ela abre em outra aba.", installers[os], "Volte para esta aba. Ela continua sozinha."],
    silentSteps: [
      "Feche as janelas do Web PKI que estejam abertas.",
      "Recarregue esta página.",
      "Se continuar, feche e abra o navegador.",
    ],
    waiting: "Aguardando o Web PKI",
  },
  unsupported: {
    title: "Não é possível usar um certificado deste aparelho",
    lead: "Celulares e tablets não dão acesso ao certificado pelo navegador. Abra esta página em um computador com Chrome, Edge ou Firefox.",
  },
  listing: {
    title: "Lendo os seus certificados",
    lead: "O Web PKI pode pedir a sua permissão em uma janela própria.",
    slow: "Está demorando mais que o normal. Tokens e cartões podem levar até um minuto; verifique também se há uma janela pedindo permissão.",
  },
  noCertificate: {
    title: "Nenhum certificado encontrado",
    lead: "Se o seu certificado está em um token ou cartão, conecte-o agora.",
    steps: [
      "Conecte o token ou insira o cartão na leitora.",
      "Espere a luz do dispositivo acender e o programa dele iniciar.",
      "Certificado em arquivo (A1)? Importe-o no computador com o assistente do sistema.",
    ],
    waiting: "Verificando a cada poucos segundos",
  },
  choosing: {
    title: "Escolha o certificado",
    lead: "Estes são os certificados que o Web PKI encontrou neste computador.",
    noneUsable: {
      title: "Nenhum certificado pode ser usado",
      lead: "Encontramos certificados neste computador, mas nenhum serve para esta assinatura. Veja o motivo de cada um.",
    },
    group: "Certificados disponíveis",
    unusableGroup: (count) => (count === 1 ? "1 certificado que não pode ser usado" : `${count} certificados que não podem ser usados`),
    unusable: {
      expired: (certificate, date) => `Venceu em ${date(certificate.notAfter)}`,
      not_yet_valid: (certificate, date) => `Válido só a partir de ${date(certificate.notBefore)}`,
      wrong_person: () => "De outra pessoa ou empresa",
      wrong_usage: () => "Não foi emitido para assinar",
    },
    expiresSoon: (date) => `Vence em ${date}: renove em breve`,
    notIcpBrasil: "Não identificado como ICP-Brasil",
    remember: "Lembrar esta escolha neste navegador",
    rememberHint: "Guarda só a impressão digital do certificado. Não marque em computador compartilhado.",
  },
  kind: { person: "Pessoa física", company: "Pessoa jurídica", seal: "Selo eletrônico" },
  certificate: { issuer: (issuer) => `Emitido por ${issuer}`, validUntil: (date) => `Válido até ${date}` },
  confirming: {
    title: "Confira antes de assinar",
    lead: "Leia os dados abaixo e decida. O documento só é assinado se você confirmar.",
    labels: {
      document: "Documento",
      hash: "Resumo SHA-256",
      holder: "Titular",
      identifier: "CPF",
      certificate: "Certificado",
      validity: "Validade",
      key: "Chave",
    },
    key: {
      local: "Neste computador, token ou cartão",
      hsm: "Guardada no módulo de segurança do banco",
      lacuna: "Em um serviço na nuvem",
    },
    identifierNames: { person: "CPF", company: "CNPJ" },
    effect: {
      person: (holder) =>
        `Ao continuar, você assina eletronicamente este documento com o certificado de ${holder}. A assinatura fica ligada ao conteúdo exato do arquivo.`,
      company: (holder) =>
        `Ao continuar, você assina eletronicamente este documento com o certificado da empresa ${holder}. A assinatura fica ligada ao conteúdo exato do arquivo.`,
      seal: (holder) =>
        `Ao continuar, o selo eletrônico de ${holder} é aplicado ao documento. Ele indica origem e integridade e não é manifestação de vontade da empresa.`,
    },
    effectAtService:
      "Ao continuar, você assina este documento eletronicamente com o seu certificado no serviço. Ele pede a sua autorização em janela própria e informa de quem é o certificado.",
    refused: "Você recusou na janela do Web PKI. Para assinar, confirme novamente.",
  },
  preparing: {
    title: "Conferindo o que será assinado",
    lead: "Nada é pedido ao seu certificado antes desta conferência.",
    tasks: ["Enviando o documento", "Comparando com o arquivo que você escolheu"],
  },
  redirecting: { title: "Consultando o serviço", lead: "A janela dele já está aberta. A página do serviço aparece nela em instantes." },
  waitingApproval: {
    title: (service) => `Autorize em ${service}`,
    window: {
      open: "Dê a sua autorização na janela do serviço, ou no aplicativo, se ele pedir.",
      blocked: "O navegador não abriu a janela do serviço. Abra pelo botão.",
      closed: "A janela do serviço foi fechada e o serviço não confirmou nada. Se você autorizou, isso será percebido sem outra ação; se não, abra de novo.",
      returned: "Você voltou. Estamos consultando a resposta do serviço.",
    },
    until: (time) => `O serviço espera até ${time}`,
    tip: "Digite senha ou código só na janela ou no aplicativo do serviço. Esta página nunca os pede.",
    waiting: "Consultando o serviço",
  },
  authorizing: {
    title: "Autorize na janela do Web PKI",
    lead: "Uma janela do seu computador, fora do navegador, pede a autorização ou o PIN.",
    waitsForPrevious: "Ainda há uma janela de um pedido anterior. Feche-a para continuar: o resultado dela será descartado.",
    tips: ["Digite o PIN só nessa janela. Esta página nunca pede o seu PIN.", "Depois de autorizar, volte para cá."],
    helpTitle: "Não vê a janela?",
    help: [
      "Procure atrás do navegador ou na barra de tarefas.",
      "Verifique outros monitores e áreas de trabalho.",
      "Com token ou cartão, confira se ele está conectado.",
    ],
    overdue: { title: "Ainda está aí?", lead: "O pedido está aberto há dois minutos. Quer mais tempo para autorizar?" },
    elapsed: (seconds) => `Aguardando há ${seconds} s`,
    cancelHint: "Cancelar aqui não fecha a janela já aberta. O que for feito nela depois será descartado.",
  },
  signing: {
    title: "Assinando",
    lead: "O módulo de segurança do banco está assinando com a sua chave.",
    atService: "O serviço está assinando com a sua chave.",
  },
  finishing: { title: "Concluindo", lead: "A assinatura está sendo verificada e o arquivo preparado." },
  done: {
    title: "Documento assinado",
    lead: "A assinatura foi verificada. Baixe o arquivo e guarde-o: ele é o documento assinado.",
    detached: "A assinatura foi verificada. Guarde este arquivo junto com o documento original: quem conferir precisa dos dois.",
    labels: { holder: "Assinado com o certificado de", seal: "Selo eletrônico de", time: "Horário", hash: "Resumo SHA-256", key: "Chave" },
    timeSource: "Horário informado pelo sistema",
    personalData: "O arquivo contém o certificado e, com ele, o seu CPF ou CNPJ. Leve isso em conta ao compartilhar.",
  },
  cancelled: {
    user: { title: "Você cancelou", lead: "Nenhum arquivo assinado foi entregue." },
    caller: { title: "A operação foi interrompida", lead: "A página encerrou o pedido. Nenhum arquivo assinado foi entregue." },
    time: { title: "O tempo terminou", lead: "Não houve autorização a tempo. Nenhum arquivo assinado foi entregue." },
    client: { title: "Você recusou no Web PKI", lead: "Sem essa permissão não é possível ler os certificados deste computador." },
    service: { title: "Você recusou no serviço", lead: "O serviço confirmou que não há autorização. Nenhum arquivo assinado foi entregue." },
    abandoned: "A janela do Web PKI pode continuar aberta. Feche-a; se ainda autorizar nela, o resultado será descartado.",
  },
  failed: {
    code: "Código",
    next: {
      try_again: "Tentar novamente",
      choose_another_certificate: "Escolher outro certificado",
      choose_another_document: "Escolher outro documento",
      insert_token: "Já conectei, continuar",
      check_client: "Verificar de novo",
      sign_in_again: "Continuar com nova sessão",
      contact_support: "Voltar ao início",
    },
  },
  newTab: "abre em outra aba",
};
