/** The die: it lies in the yard of whoever is in turn, and tumbles when it is rolled. */

import { svg } from "./dom.js";
import { yardCorner } from "./geometry.js";
import { eased, tween } from "./motion.js";

const SIDE = 1.16;
const PIP = 0.3;
/** The spots that show, for each face: columns and rows from the middle. */
// prettier-ignore
const FACES = [
  [],
  [[0, 0]],
  [[-1, -1], [1, 1]],
  [[-1, -1], [0, 0], [1, 1]],
  [[-1, -1], [1, -1], [-1, 1], [1, 1]],
  [[-1, -1], [1, -1], [0, 0], [-1, 1], [1, 1]],
  [[-1, -1], [1, -1], [-1, 0], [1, 0], [-1, 1], [1, 1]],
];
const GLIDE_MS = 180;

export class Die {
  #node;
  #pips = svg("g");
  #at = { x: 7.5, y: 7.5 };
  #stop = () => {};

  constructor(/** @type {SVGElement} */ layer) {
    const side = { x: -SIDE / 2, y: -SIDE / 2, width: SIDE, height: SIDE, rx: 0.28 };
    this.#node = svg(
      "g",
      { class: "die", visibility: "hidden" },
      svg("rect", { ...side, class: "die-shadow", transform: "translate(.05 .1)" }),
      svg("rect", { ...side, class: "die-face" }),
      this.#pips,
    );
    layer.append(this.#node);
  }

  /** Shows a value that counts, or with null the die that waits for a roll; no seat, no die. */
  show(seat, value) {
    const wasShown = this.#node.getAttribute("visibility") === "visible";
    this.#node.setAttribute("visibility", seat < 0 ? "hidden" : "visible");
    if (seat < 0) return;
    this.#node.classList.toggle("waiting", value === null);
    if (value !== null || !this.#pips.childElementCount) this.#face(value ?? 1);
    this.#glide(seat, wasShown ? GLIDE_MS : 0);
  }

  /** Tumbles over a few faces and comes to lie on `value`. */
  async roll(seat, value, ms) {
    this.#glide(seat, 0);
    this.#node.classList.remove("waiting");
    let shown = 0;
    const { done, stop } = tween(ms, (part) => {
      const turns = Math.floor(part * 6);
      if (turns !== shown) this.#face(((value + turns) % 6) + 1);
      shown = turns;
      const size = 1 + 0.25 * Math.sin(Math.PI * part);
      this.#place(360 * (1 - (1 - part) ** 2), size);
    });
    this.#stop = stop;
    const landed = await done;
    this.#face(value);
    this.#place(0, 1);
    return landed;
  }

  #face(value) {
    const pips = FACES[value].map(([x, y]) =>
      svg("circle", { cx: x * PIP, cy: y * PIP, r: 0.125 }),
    );
    this.#pips.replaceChildren(...pips);
  }

  #glide(seat, ms) {
    const corner = yardCorner(seat);
    const [from, to] = [this.#at, { x: corner.x + 3, y: corner.y + 3 }];
    this.#stop();
    if (from.x === to.x && from.y === to.y) return;
    this.#stop = tween(ms, (part) => {
      const way = eased(part);
      this.#at = { x: from.x + (to.x - from.x) * way, y: from.y + (to.y - from.y) * way };
      this.#place(0, 1);
    }).stop;
  }

  #place(angle, size) {
    const { x, y } = this.#at;
    this.#node.setAttribute(
      "transform",
      `translate(${x} ${y}) rotate(${angle.toFixed(1)}) scale(${size.toFixed(3)})`,
    );
  }
}
