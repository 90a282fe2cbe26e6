/** Brand and symbols, drawn here: the portal fetches nothing from elsewhere. */

import { svg } from "./dom.ts";

/** The sun over its horizon. */
export function mark(): SVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 40 40", class: "mark", "aria-hidden": "true" },
    svg("path", { d: "M6 27a14 14 0 0 1 28 0z", class: "mark-sun" }),
    svg("path", { d: "M2 30h36M7 34.5h26", class: "mark-line" }),
  );
}

/** The large drawing of the entrance: first light over water. */
export function dawn(): SVGElement {
  const line = (y: number, from: number, to: number) => svg("path", { d: `M${from} ${y}H${to}`, class: "dawn-water" });
  return svg(
    "svg",
    { viewBox: "0 0 600 260", class: "dawn", "aria-hidden": "true", preserveAspectRatio: "xMidYMax slice" },
    svg("circle", { cx: 420, cy: 150, r: 150, class: "dawn-halo" }),
    svg("circle", { cx: 420, cy: 150, r: 104, class: "dawn-halo" }),
    svg("path", { d: "M356 150a64 64 0 0 1 128 0z", class: "dawn-sun" }),
    svg("path", { d: "M0 150H600V260H0z", class: "dawn-sea" }),
    line(150, 0, 600),
    line(168, 330, 510),
    line(186, 356, 560),
    line(204, 300, 470),
    line(222, 380, 520),
    line(240, 340, 440),
  );
}

/** Line symbols on a 24 grid. */
const PATHS = {
  back: "M15 5l-7 7 7 7",
  forward: "M9 5l7 7-7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  download: "M12 4v11m0 0l-4.5-4.5M12 15l4.5-4.5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  upload: "M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M5 20h14",
  open: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  leave: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
} as const;

export function symbol(name: keyof typeof PATHS): SVGElement {
  return svg("svg", { viewBox: "0 0 24 24", class: "symbol", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
