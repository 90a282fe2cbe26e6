// Builds nodes. Text only ever becomes text nodes, so nothing that a file or certificate is called can become markup.

/** What an element may hold. */
export type Child = Node | string | null | undefined | false;

/** Attributes; `on…` members are listeners, `true` is a bare attribute, `false`, `null` and `undefined` none. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>>;

/** Makes an element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter(isThere));
  return element;
}

function isThere(child: Child): child is Node | string {
  return child !== null && child !== undefined && child !== false;
}

const SVG = "http://www.w3.org/2000/svg";

/** Makes an SVG from paths and shapes: `[tag, attributes]`. It is decoration, so it is hidden from readers. */
export function svg(
  viewBox: string,
  shapes: readonly (readonly [string, Readonly<Record<string, string | number>>])[],
  className: string,
): SVGSVGElement {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", viewBox);
  root.setAttribute("class", className);
  root.setAttribute("aria-hidden", "true");
  root.setAttribute("focusable", "false");
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, String(value));
    root.append(shape);
  }
  return root;
}
