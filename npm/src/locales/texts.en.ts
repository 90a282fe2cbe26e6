import type { Platform } from "../platform.js";
import type { Texts } from "./texts.js";

const browsers: Readonly<Record<Platform["browser"], string>> = {
  chrome: "Chrome",
  edge: "Edge",
  firefox: "Firefox",
  other: "your browser",
};

const installers: Readonly<Record<Platform["os"], string>> = {
  windows: "Open the downloaded installer and allow it when Windows asks.",
  macos: "Open the downloaded file and follow the macOS installer.",
  linux: "Install the downloaded package (.deb or .rpm) with your package manager.",
  other: "Open the downloaded installer and follow its instructions.",
};

export const en: Texts = {
  phases: ["Document", "Certificate", "Confirmation", "Signature"],
  phase: (current, of, name) => `Step ${current} of ${of}: ${name}`,
  actions: {
    chooseFile: "Choose file",
    start: "Continue",
    cancel: "Cancel",
    openInstaller: "Open installation page",
    refresh: "Check again",
    continue: "Continue",
    sign: "Sign",
    applySeal: "Apply seal",
    refuse: "Refuse",
    chooseAnother: "Use another certificate",
    useLocal: "Use a certificate of this computer",
    keepWaiting: "I need more time",
    download: "Download",
    signAnother: "Sign another document",
    retry: "Try again",
    otherDocument: "Choose another document",
    otherWay: "Other ways to sign",
    back: "Back",
    agree: "I agree: create my key",
    saveText: "Save a copy of this text",
    openService: "Open the window of the service",
  },
  idle: {
    title: "Sign a document",
    lead: "Choose the file that you will sign with your digital certificate.",
    given: { title: "Document to sign", lead: "Check the file and continue with your digital certificate." },
    drop: "Drag the file here",
    or: "or",
    hint: (format) => (format === "pades" ? "PDF file" : "Any kind of file"),
    promise: "The document is sent only after you confirm.",
  },
  resolving: {
    title: "Getting ready",
    lead: "This takes only a moment.",
    tasks: ["Reading the document in this browser", "Looking for your certificate"],
  },
  offer: {
    title: "How do you want to sign?",
    lead: "We found no key of yours at the bank. Choose the way you prefer.",
    uncertain: {
      title: "We could not check everything",
      lead: "You may have a key that we did not see. Check again before you decide: nobody is asked to create a second one.",
    },
    group: "Ways to sign",
    preferred: "Suggested by your bank",
    ways: {
      enrol: {
        title: () => "A new key, kept by the bank",
        points: [
          "What is kept: a key made for you in the bank's security module, which never leaves it, and its certificate.",
          "Who uses it: only you, each time you confirm here. There is nothing to install.",
          "How to take it back: withdraw your consent at the bank at any time; the key then signs nothing more.",
        ],
      },
      device: {
        title: () => "My own certificate",
        points: [
          "What is kept: nothing at the bank. The key stays on this computer, token or card.",
          "Who uses it: only you, with your PIN. The Web PKI component is installed once.",
          "How to take it back: there is nothing to take back.",
        ],
      },
      service: {
        title: (service) => `My cloud certificate (${service})`,
        points: [
          "What is kept: nothing at the bank. The key stays with the service.",
          "Who uses it: only you; the service asks you each time, in its window or app.",
          "How to take it back: there, at the service.",
        ],
      },
    },
    source: { hsm: "Security module of the bank", lacuna: "Cloud services", local: "This device" },
    outcome: { yes: "A key was found", no: "No key", unknown: "Could not tell" },
    doubt: {
      failed: "It answered with an error.",
      slow: "It did not answer in time.",
      resting: "It failed repeatedly and is being left alone for a moment.",
    },
  },
  consent: {
    title: "Read before you agree",
    lead: "A key is created only if you agree. Which text you read is recorded with its digest.",
    loading: "Fetching the text",
    text: "Text of the consent",
    version: (version) => `Version ${version}`,
  },
  enrolling: {
    title: "Creating your key",
    lead: "This is done once. The next time you only confirm.",
    stages: {
      agreeing: "Recording your consent",
      creating: "The security module is making the key",
      requesting: "Requesting the certificate",
      storing: "Comparing certificate and key",
      awaiting: "Waiting for the certificate",
    },
    leave: "This is taking longer than usual. You may leave this page: the key will be here when you come back.",
  },
  stored: {
    title: "Your key is ready",
    lead: "It is kept in the bank's security module. Nothing has been signed yet.",
    revoke: "You can withdraw your consent at the bank at any time. From then on the key signs nothing more; what was signed stays signed.",
  },
  probing: { title: "Looking for Web PKI", lead: "It is the component that reaches the certificates of this computer." },
  lost: { title: "Reconnecting to Web PKI", lead: "The connection was interrupted. We are trying again." },
  absent: {
    title: "Install Web PKI to continue",
    lead: "It lets the browser use the certificate of this computer, token or card. You install it only once.",
    steps: ({ os, browser }) => [
      "Open the installation page of the vendor (Lacuna Software). It opens in another tab.",
      `Add the Web PKI extension to ${browsers[browser]}.`,
      installers[os],
      "Come back to this tab. It continues by itself.",
    ],
    waiting: "Waiting for the installation",
    reload: "Installed and nothing changed? Reload this page: an open browser may not activate the extension in the present tab.",
  },
  outdated: {
    title: "Update Web PKI to continue",
    lead: "The version on this computer lacks something that signing needs.",
    part: { extension: "Browser extension", native: "Computer program" },
    installed: "Installed",
    required: "Needed",
    unknownVersion: "very old",
    waiting: "Waiting for the update",
  },
  blocked: {
    native_missing: {
      title: "The Web PKI program is missing",
      lead: "The extension is in the browser. What is missing is the program that talks to the token, the card or the computer's certificates.",
    },
    licence: {
      title: "This site may not use Web PKI",
      lead: "The component is not licensed for this address. There is nothing to fix on your computer: tell the bank.",
    },
    no_response: {
      title: "Web PKI does not answer",
      lead: "The extension is in the browser but does not answer. This usually helps:",
    },
    nativeSteps: ({ os }) => ["Open the installation page. It opens in another tab.", installers[os], "Come back to this tab. It continues by itself."],
    silentSteps: ["Close any open Web PKI window.", "Reload this page.", "If it persists, close and reopen the browser."],
    waiting: "Waiting for Web PKI",
  },
  unsupported: {
    title: "A certificate of this device cannot be used",
    lead: "Phones and tablets give browsers no access to certificates. Open this page on a computer with Chrome, Edge or Firefox.",
  },
  listing: {
    title: "Reading your certificates",
    lead: "Web PKI may ask for your permission in a window of its own.",
    slow: "This is taking longer than usual. Tokens and cards may need up to a minute; also check whether a window asks for permission.",
  },
  noCertificate: {
    title: "No certificate found",
    lead: "If your certificate is on a token or card, connect it now.",
    steps: [
      "Connect the token or insert the card into its reader.",
      "Wait until the light of the device is on and its program has started.",
      "A certificate in a file (A1)? Import it with the assistant of your system.",
    ],
    waiting: "Checking every few seconds",
  },
  choosing: {
    title: "Choose the certificate",
    lead: "These are the certificates that Web PKI found on this computer.",
    noneUsable: {
      title: "No certificate can be used",
      lead: "We found certificates on this computer, but none fits this signature. See the reason beside each one.",
    },
    group: "Available certificates",
    unusableGroup: (count) => (count === 1 ? "1 certificate that cannot be used" : `${count} certificates that cannot be used`),
    unusable: {
      expired: (certificate, date) => `Expired on ${date(certificate.notAfter)}`,
      not_yet_valid: (certificate, date) => `Valid only from ${date(certificate.notBefore)}`,
      wrong_person: () => "Belongs to another person or company",
      wrong_usage: () => "Not issued for signing",
    },
    expiresSoon: (date) => `Expires on ${date}: renew it soon`,
    notIcpBrasil: "Not identified as ICP-Brasil",
    remember: "Remember this choice in this browser",
    rememberHint: "Keeps only the fingerprint of the certificate. Leave it off on a shared computer.",
  },
  kind: { person: "Person", company: "Company", seal: "Electronic seal" },
  certificate: { issuer: (issuer) => `Issued by ${issuer}`, validUntil: (date) => `Valid until ${date}` },
  confirming: {
    title: "Check before you sign",
    lead: "Read the details below and decide. The document is signed only if you confirm.",
    labels: {
      document: "Document",
      hash: "SHA-256 digest",
      holder: "Holder",
      identifier: "CPF",
      certificate: "Certificate",
      validity: "Validity",
      key: "Key",
    },
    key: {
      local: "On this computer, token or card",
      hsm: "Kept in the bank's security module",
      lacuna: "With a cloud service",
    },
    identifierNames: { person: "CPF", company: "CNPJ" },
    effect: {
      person: (holder) =>
        `By continuing you sign this document electronically with the certificate of ${holder}. The signature is bound to the exact content of the file.`,
      company: (holder) =>
        `By continuing you sign this document electronically with the certificate of the company ${holder}. The signature is bound to the exact content of the file.`,
      seal: (holder) =>
        `By continuing the electronic seal of ${holder} is applied to the document. It shows origin and integrity and does not express the will of the company.`,
    },
    effectAtService:
      "By continuing you sign this document electronically with your certificate at the service. It asks for your permission in its own window and tells whose certificate it is.",
    refused: "You refused in the Web PKI window. To sign, confirm again.",
  },
  preparing: {
    title: "Checking what will be signed",
    lead: "Nothing is asked of your certificate before this check.",
    tasks: ["Sending the document", "Comparing with the file you chose"],
  },
  redirecting: { title: "Asking the service", lead: "Its window is already open. The page of the service appears there in a moment." },
  waitingApproval: {
    title: (service) => `Authorise at ${service}`,
    window: {
      open: "Give your permission in the window of the service, or in its app if it asks for that.",
      blocked: "The browser did not open the window of the service. Open it with the button.",
      closed: "The window of the service is closed and the service has not confirmed anything. If you authorised, it will be noticed by itself; otherwise open it again.",
      returned: "You are back. The service is being asked for its answer.",
    },
    until: (time) => `The service waits until ${time}`,
    tip: "Type your password or code only in the window or app of the service. This page never asks for it.",
    waiting: "Checking with the service",
  },
  authorizing: {
    title: "Authorise in the Web PKI window",
    lead: "A window of your computer, outside the browser, asks for your consent or PIN.",
    waitsForPrevious: "A window of an earlier request is still open. Close it to continue: its result will be thrown away.",
    tips: ["Type your PIN only in that window. This page never asks for it.", "After authorising, come back here."],
    helpTitle: "You do not see the window?",
    help: [
      "Look behind the browser or in the task bar.",
      "Check other screens and desktops.",
      "With a token or card, check that it is connected.",
    ],
    overdue: { title: "Are you still there?", lead: "The request has been open for two minutes. Do you need more time?" },
    elapsed: (seconds) => `Waiting for ${seconds} s`,
    cancelHint: "Cancelling here does not close a window that is open. What is done there later is thrown away.",
  },
  signing: {
    title: "Signing",
    lead: "The bank's security module is signing with your key.",
    atService: "The service is signing with your key.",
  },
  finishing: { title: "Finishing", lead: "The signature is being verified and the file prepared." },
  done: {
    title: "Document signed",
    lead: "The signature was verified. Download the file and keep it: it is the signed document.",
    detached: "The signature was verified. Keep this file together with the original document: whoever checks it needs both.",
    labels: { holder: "Signed with the certificate of", seal: "Electronic seal of", time: "Time", hash: "SHA-256 digest", key: "Key" },
    timeSource: "As told by the system",
    personalData: "The file contains the certificate and with it your CPF or CNPJ. Keep that in mind when you share it.",
  },
  cancelled: {
    user: { title: "You cancelled", lead: "No signed file was delivered." },
    caller: { title: "The operation was stopped", lead: "The page ended the request. No signed file was delivered." },
    time: { title: "Time is over", lead: "There was no authorisation in time. No signed file was delivered." },
    client: { title: "You refused in Web PKI", lead: "Without that permission the certificates of this computer cannot be read." },
    service: { title: "You refused at the service", lead: "The service confirmed that there is no permission. No signed file was delivered." },
    abandoned: "The Web PKI window may still be open. Close it; if you authorise there, the result is thrown away.",
  },
  failed: {
    code: "Code",
    next: {
      try_again: "Try again",
      choose_another_certificate: "Choose another certificate",
      choose_another_document: "Choose another document",
      insert_token: "Connected, continue",
      check_client: "Check again",
      sign_in_again: "Continue with a new session",
      contact_support: "Back to the start",
    },
  },
  newTab: "opens in another tab",
};
