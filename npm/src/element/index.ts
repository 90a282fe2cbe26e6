/**
 * The class of the element, without registering it.
 *
 * @module
 */

export { RubricaSigner } from "./element.js";
export type { RubricaSignerEventMap } from "./element.js";
