import { svg } from "./dom.js";

// One family: 24 units, strokes of 1.6, round ends, the colour of the text around them.
const paths = {
  document: ["M7 3h7l5 5v11a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2Z", "M14 3v5h5", "M9 13h6", "M9 16.5h4"],
  upload: ["M12 15.5V4.5", "M8 8.2l4-4 4 4", "M4.5 14.5v3a2.5 2.5 0 0 0 2.5 2.5h10a2.5 2.5 0 0 0 2.5-2.5v-3"],
  download: ["M12 4.5v11", "M8 11.8l4 4 4-4", "M4.5 16.5v1A2.5 2.5 0 0 0 7 20h10a2.5 2.5 0 0 0 2.5-2.5v-1"],
  external: ["M13.5 4.5h6v6", "M19.2 4.8 11 13", "M17 13.5v4a2 2 0 0 1-2 2H6.5a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2h4"],
  token: ["M8 10.5V5a1.5 1.5 0 0 1 1.5-1.5h5A1.5 1.5 0 0 1 16 5v5.5", "M6.5 10.5h11v7a3 3 0 0 1-3 3h-5a3 3 0 0 1-3-3v-7Z", "M10.7 6.5v1.2", "M13.3 6.5v1.2", "M12 14.3v2.4"],
  alert: ["M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17Z", "M12 8v4.8", "M12 15.9v.1"],
  stop: ["M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17Z", "M8.5 12h7"],
  update: ["M19.5 12a7.5 7.5 0 0 1-13.3 4.7L4.5 15", "M4.5 12a7.5 7.5 0 0 1 13.3-4.7L19.5 9", "M19.5 4.8V9h-4.2", "M4.5 19.2V15h4.2"],
  puzzle: ["M9.5 5.3a2 2 0 1 1 4 0V6H17a1.5 1.5 0 0 1 1.5 1.5V11h-.700a2 2 0 1 0 0 4h.700v3.5A1.5 1.5 0 0 1 17 20H6.5A1.5 1.5 0 0 1 5 18.5V15h.700a2 2 0 1 0 0-4H5V7.5A1.5 1.5 0 0 1 6.5 6h3v-.7Z"],
  phone: ["M8.5 3.5h7A1.5 1.5 0 0 1 17 5v14a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 7 19V5a1.5 1.5 0 0 1 1.5-1.5Z", "M10.8 17.5h2.4"],
  search: ["M10.8 17.3a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z", "m15.6 15.6 4.4 4.4"],
  lock: ["M7 10.5h10a1.5 1.5 0 0 1 1.5 1.5v6.5A1.5 1.5 0 0 1 17 20H7a1.5 1.5 0 0 1-1.5-1.5V12A1.5 1.5 0 0 1 7 10.5Z", "M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5"],
  check: ["m5.5 12.5 4.3 4.3L18.5 8"],
} as const;

/** Name of an icon. */
export type IconName = keyof typeof paths;

/** An icon in the colour of the text. */
export function icon(name: IconName, className = "icon"): SVGSVGElement {
  return svg("0 0 24 24", paths[name].map((d) => ["path", { d }] as const), className);
}

/** Ring that turns while something is awaited. */
export function spinner(): SVGSVGElement {
  return svg(
    "0 0 48 48",
    [
      ["circle", { cx: 24, cy: 24, r: 20, class: "track" }],
      ["circle", { cx: 24, cy: 24, r: 20, class: "arc", pathLength: 100 }],
    ],
    "spinner",
  );
}

/** Circle with a tick that draws itself once. */
export function success(): SVGSVGElement {
  return svg(
    "0 0 64 64",
    [
      ["circle", { cx: 32, cy: 32, r: 30, class: "disc" }],
      ["path", { d: "m20 33.5 8.3 8.3L45 25", class: "tick", pathLength: 100 }],
    ],
    "success",
  );
}

/** A browser with the client's own window before it: where to look for the PIN. */
export function pinWindow(): SVGSVGElement {
  return svg(
    "0 0 280 132",
    [
      ["rect", { x: 8, y: 8, width: 196, height: 112, rx: 10, class: "back" }],
      ["path", { d: "M8 32h196", class: "line" }],
      ["circle", { cx: 22, cy: 20, r: 3, class: "dot" }],
      ["circle", { cx: 33, cy: 20, r: 3, class: "dot" }],
      ["circle", { cx: 44, cy: 20, r: 3, class: "dot" }],
      ["path", { d: "M26 52h70M26 66h92M26 80h54", class: "text" }],
      ["rect", { x: 120, y: 44, width: 152, height: 80, rx: 10, class: "front" }],
      ["path", { d: "M136 62h58", class: "title" }],
      ["rect", { x: 136, y: 74, width: 120, height: 18, rx: 5, class: "field" }],
      ["circle", { cx: 147, cy: 83, r: 2.4, class: "pin" }],
      ["circle", { cx: 156, cy: 83, r: 2.4, class: "pin" }],
      ["circle", { cx: 165, cy: 83, r: 2.4, class: "pin" }],
      ["circle", { cx: 174, cy: 83, r: 2.4, class: "pin" }],
      ["rect", { x: 216, y: 101, width: 40, height: 13, rx: 4, class: "button" }],
    ],
    "pin-window",
  );
}
