// Web PKI simulator (TEST): names of the wire protocol between a page and the Web PKI extension.

/** Ids of the presence element, by build of the real extension. The simulator shows the first. */
export const PRESENCE_IDS = Object.freeze([
  "dcngeagmmhegagicpcmpinaoklddcgon", // Chrome
  "webpki_beta_lacunasoftware_com", // Firefox
  "nedeegdmhlnmboboahchfpkmdnnemapd", // Edge
]);

/** Type of the CustomEvent, and `port` of the window message, from page to extension. */
export const REQUEST_EVENT = "com.lacunasoftware.WebPKI.RequestEvent";

/** The same, from extension to page. */
export const RESPONSE_EVENT = "com.lacunasoftware.WebPKI.ResponseEvent";

/** `status` of the answer to `initialize` when the native component is missing. */
export const STATUS_NATIVE_MISSING = 3;

/** Every command that the real client knows and this simulator does not perform. */
export const COMMANDS_NOT_SIMULATED = Object.freeze([
  "keySignHash", "keySignData", "signWithRestPki", "listTokens", "generateTokenRsaKeyPair",
  "generateSoftwareRsaKeyPair", "importTokenCertificate", "importCertificate", "encrypt", "decrypt",
  "sendAuthenticatedRequest", "showFileBrowser", "showFolderBrowser", "openFile", "openFolder",
  "downloadToFolder", "signPdf", "signCades", "signXml", "openPades", "openCades", "openXmlSignature",
  "getGeolocation",
]);
