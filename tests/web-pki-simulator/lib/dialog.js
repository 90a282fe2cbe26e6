// Web PKI simulator (TEST): stands in for the authorization window of the native component, so that a
// demonstration has the moment in which the person decides. Styles go through the CSSOM: a strict policy
// (`style-src 'self'`) blocks style elements and attributes.

const TEXTS = {
  pt: {
    badge: "SIMULADOR · TESTE",
    title: "Autorizar assinatura?",
    body: (/** @type {number} */ n) =>
      n === 1 ? "O site pede uma assinatura com o seu certificado." : `O site pede ${n} assinaturas com o seu certificado.`,
    site: "Site",
    holder: "Certificado",
    note: "No uso real, esta janela é do programa instalado no seu computador.",
    yes: "Autorizar",
    no: "Cancelar",
  },
  en: {
    badge: "SIMULATOR · TEST",
    title: "Authorise the signature?",
    body: (/** @type {number} */ n) =>
      n === 1 ? "The site asks for one signature with your certificate." : `The site asks for ${n} signatures with your certificate.`,
    site: "Site",
    holder: "Certificate",
    note: "In real use, this window belongs to the program installed on your computer.",
    yes: "Authorise",
    no: "Cancel",
  },
  es: {
    badge: "SIMULADOR · PRUEBA",
    title: "¿Autorizar la firma?",
    body: (/** @type {number} */ n) =>
      n === 1 ? "El sitio pide una firma con su certificado." : `El sitio pide ${n} firmas con su certificado.`,
    site: "Sitio",
    holder: "Certificado",
    note: "En el uso real, esta ventana es del programa instalado en su equipo.",
    yes: "Autorizar",
    no: "Cancelar",
  },
};

const STYLE = `
:host { all: initial; }
dialog { box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); padding: 0; border: 1px solid #5b6472; border-radius: 8px;
  background: #f4f5f7; color: #1b1f27; font: 15px/1.45 system-ui, sans-serif; box-shadow: 0 18px 50px #0007; }
dialog::backdrop { background: #0b101a80; }
.bar { display: flex; gap: .6rem; align-items: center; padding: .55rem .9rem; background: #2c333f; color: #fff; border-radius: 7px 7px 0 0; font-size: 13px; }
.bar b { margin-inline-start: auto; padding: .1rem .5rem; border-radius: 3px; background: #ffd54a; color: #1b1f27; font-size: 11px; letter-spacing: .04em; }
section { padding: 1rem .9rem .9rem; }
h2 { margin: 0 0 .4rem; font-size: 18px; }
p { margin: 0 0 .8rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem .8rem; margin: 0 0 .9rem; }
dt { color: #4a5262; } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
small { display: block; margin-bottom: 1rem; color: #4a5262; font-size: 13px; }
.actions { display: flex; flex-wrap: wrap; gap: .6rem; justify-content: flex-end; }
button { min-height: 44px; padding: 0 1.1rem; border: 1px solid #5b6472; border-radius: 6px; background: #fff; color: #1b1f27; font: inherit; cursor: pointer; }
button[value=yes] { background: #1d4f91; border-color: #1d4f91; color: #fff; }
button:focus-visible { outline: 3px solid #7aa7e0; outline-offset: 2px; }
`;

/** One window at a time, as with the real component. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Shows the window and waits for the person.
 * @param {import("./client.js").Authorization} request
 * @returns {Promise<boolean>}
 */
export function askInDialog(request) {
  const answer = last.then(() => show(request));
  last = answer;
  return answer;
}

/** @param {import("./client.js").Authorization} request @returns {Promise<boolean>} */
function show({ holder, host, count }) {
  const language = document.documentElement.lang.slice(0, 2);
  const texts = TEXTS[/** @type {keyof typeof TEXTS} */ (language)] ?? TEXTS.pt;
  const place = document.createElement("web-pki-simulator");
  place.lang = document.documentElement.lang;
  const root = place.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const dialog = element("dialog", { "aria-labelledby": "title" }, [
    element("div", { class: "bar" }, ["Web PKI", element("b", {}, [texts.badge])]),
    element("section", {}, [
      element("h2", { id: "title" }, [texts.title]),
      element("p", {}, [texts.body(count)]),
      element("dl", {}, [
        element("dt", {}, [texts.holder]), element("dd", {}, [holder.replace(/:[0-9A-Z]{11,14}$/, "")]),
        element("dt", {}, [texts.site]), element("dd", {}, [host]),
      ]),
      element("small", {}, [texts.note]),
      element("div", { class: "actions" }, [
        element("button", { value: "no", "data-simulator": "cancel" }, [texts.no]),
        element("button", { value: "yes", "data-simulator": "authorize" }, [texts.yes]),
      ]),
    ]),
  ]);
  root.append(dialog);
  document.body.append(place);
  return new Promise((resolve) => {
    dialog.addEventListener("click", (event) => {
      if (event.target instanceof HTMLButtonElement) /** @type {HTMLDialogElement} */ (dialog).close(event.target.value);
    });
    dialog.addEventListener("close", () => {
      place.remove();
      resolve(/** @type {HTMLDialogElement} */ (dialog).returnValue === "yes");
    });
    /** @type {HTMLDialogElement} */ (dialog).showModal();
  });
}

/** @param {string} name @param {Record<string, string>} attributes @param {(string | Node)[]} content */
function element(name, attributes, content) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...content);
  return node;
}
