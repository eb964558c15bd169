/** Making elements: attributes are set as given, `null` and `false` leave one out. */

const SVG = "http://www.w3.org/2000/svg";

/** @type {(name: string, attributes?: object, ...children: (Node | string)[]) => SVGElement} */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** @type {(name: string, attributes?: object, ...children: (Node | string)[]) => HTMLElement} */
export function html(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A spot of the colour of the seat around it. */
export const dot = (more = "") => html("i", { class: `dot ${more}`, "aria-hidden": "true" });

/** The element of the page with that id. */
export const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** Sets a text only when it differs, so that a screen reader is not told twice. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
