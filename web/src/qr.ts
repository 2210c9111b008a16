// Draws a PL1 text: QR 7-M, alphanumeric, no boost, four modules of margin, black on white in every theme.

import { encodeQR } from "qr";

const margin = 4;
const ns = "http://www.w3.org/2000/svg";

/** Returns the drawing of `text`; `label` says to a screen reader what it is. */
export function drawCode(text: string, label: string): SVGSVGElement {
  const rows = encodeQR(text, "raw", { ecc: "medium", encoding: "alphanumeric", version: 7, border: margin });
  const size = rows.length;
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  svg.append(path("#fff", `M0 0h${size}v${size}H0z`), path("#11161D", rows.map(runs).join("")));
  return svg;
}

function runs(row: boolean[], y: number): string {
  let drawn = "";
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    const from = x;
    while (row[x + 1]) x += 1;
    drawn += `M${from} ${y}h${x + 1 - from}v1h-${x + 1 - from}z`;
  }
  return drawn;
}

function path(fill: string, d: string): SVGPathElement {
  const made = document.createElementNS(ns, "path");
  made.setAttribute("fill", fill);
  made.setAttribute("d", d);
  return made;
}
