/**
 * Registers `<rubrica-signer>`. The one module of the package that does something when it is imported; on a server
 * it does nothing.
 *
 * @module
 */

import { RubricaSigner } from "./element.js";

if (typeof customElements !== "undefined" && !customElements.get("rubrica-signer")) {
  customElements.define("rubrica-signer", RubricaSigner);
}

export { RubricaSigner };
