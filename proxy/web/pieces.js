/** The pieces as they are drawn: where they are shown, and how they get elsewhere. */

import { svg } from "./dom.js";
import { HOME, HOME_SCALE, fan, pointOf, seatOf, spotOf, stepsBetween } from "./geometry.js";
import { eased, still, tween } from "./motion.js";
import { placeName } from "./words.js";

/** A figure is drawn one unit high; on the board it stands out of its square a little. */
const SIZE = 1.14;
const HOP = 0.3;
const FLIGHT = 1.6;
const NUDGE_MS = 140;
/** Steps that would take less than this are not shown one by one: the eye could not follow. */
const SHORTEST_STEP_MS = 40;

/**
 * One piece as it is shown now; `position` is where it stands or to where it is on its way.
 * @typedef {{id: string, seat: number, number: number, position: number, node: SVGElement,
 *   title: Element, x: number, y: number, scale: number, travelling: boolean,
 *   stop: () => void}} Figure
 */

export class Pieces {
  #layer;
  /** @type {Map<string, Figure>} */
  #figures = new Map();

  constructor(/** @type {SVGElement} */ layer) {
    this.#layer = layer;
  }

  /** Takes all pieces off the board. */
  clear() {
    for (const figure of this.#figures.values()) figure.stop();
    this.#figures.clear();
    this.#layer.replaceChildren();
  }

  /** Says where every piece is, for whoever reads the page: ahead of what is shown. */
  tell(/** @type {{pieceId: string, position: number}[]} */ pieces) {
    for (const { pieceId, position } of pieces) {
      const figure = this.#figures.get(pieceId) ?? this.#enter(pieceId, position);
      figure.node.dataset.position = String(position);
      figure.title.textContent = `${pieceId}, ${placeName(figure.seat, position)}`;
    }
  }

  /** Brings every figure straight to where it belongs, breaking off whatever it was doing. */
  settle(pieces, ms = NUDGE_MS * 2) {
    this.#keepOnly(pieces);
    this.tell(pieces);
    for (const { pieceId, position } of pieces) {
      const figure = /** @type {Figure} */ (this.#figures.get(pieceId));
      figure.stop();
      Object.assign(figure, { position, travelling: false });
    }
    this.#arrange(ms);
  }

  /** Walks a figure forward square by square; resolves to false when it was broken off. */
  async walk(id, to, ms) {
    const figure = this.#figures.get(id);
    const steps = figure ? stepsBetween(figure.position, to) : [];
    const shown = still() || ms < SHORTEST_STEP_MS * steps.length ? steps.slice(-1) : steps;
    for (const position of shown) {
      if (!(await this.#travel(figure, position, ms / shown.length, HOP))) return false;
    }
    this.#arrive(figure);
    return true;
  }

  /** Sends a captured figure back through the air; resolves to false when it was broken off. */
  async fly(id, to, ms) {
    const figure = this.#figures.get(id);
    const landed = Boolean(figure) && (await this.#travel(figure, to, ms, FLIGHT));
    if (landed) this.#arrive(figure);
    return landed;
  }

  /** Whether every figure is, or is on its way to, where these pieces are. */
  agrees(pieces) {
    return pieces.every(
      ({ pieceId, position }) => this.#figures.get(pieceId)?.position === position,
    );
  }

  /** The position that a figure is shown at, or on its way to. */
  positionOf(id) {
    return this.#figures.get(id)?.position ?? -1;
  }

  /** Where a figure is drawn at this moment. */
  whereIs(id) {
    const figure = this.#figures.get(id);
    return figure && { x: figure.x, y: figure.y };
  }

  #keepOnly(pieces) {
    const here = new Set(pieces.map(({ pieceId }) => pieceId));
    for (const [id, { node, stop }] of this.#figures) {
      if (here.has(id)) continue;
      stop();
      node.remove();
      this.#figures.delete(id);
    }
  }

  /** @returns {Figure} */
  #enter(id, position) {
    const [color, number] = id.split("-");
    const seat = seatOf(color);
    const title = svg("title");
    const node = svg(
      "g",
      { class: `piece ${color}`, "data-piece": id },
      title,
      ...shape(color, number),
    );
    const at = pointOf(seat, Number(number), position);
    const figure = {
      id,
      seat,
      number: Number(number),
      position,
      node,
      title,
      ...at,
      scale: 1,
      travelling: false,
      stop: () => {},
    };
    this.#figures.set(id, figure);
    this.#layer.append(node);
    place(figure, figure);
    return figure;
  }

  /** One leg of a way: the others close ranks behind the figure while it goes. */
  #travel(figure, position, ms, lift) {
    Object.assign(figure, { position, travelling: true });
    this.#arrange(NUDGE_MS);
    return this.#glide(
      figure,
      { ...pointOf(figure.seat, figure.number, position), scale: 1 },
      ms,
      lift,
    );
  }

  #arrive(figure) {
    if (figure) figure.travelling = false;
    this.#arrange(NUDGE_MS);
  }

  /** Fans out the figures that share a place, all but those that are on their way. */
  #arrange(ms) {
    for (const group of this.#groups()) {
      const offsets = fan(group.length);
      group.forEach((figure, index) => {
        const { x, y } = pointOf(figure.seat, figure.number, figure.position);
        const { dx, dy, scale } = offsets[index];
        const small = figure.position >= HOME ? HOME_SCALE : scale;
        this.#glide(figure, { x: x + dx, y: y + dy, scale: small }, ms, 0);
      });
    }
    this.#stack();
  }

  #groups() {
    const groups = new Map();
    for (const figure of this.#figures.values()) {
      if (figure.travelling) continue;
      const spot = spotOf(figure.seat, figure.number, figure.position);
      groups.set(spot, [...(groups.get(spot) ?? []), figure]);
    }
    return groups.values();
  }

  /** Who stands further down is drawn later, so that heads overlap feet; travellers come on top. */
  #stack() {
    const height = (figure) => (figure.travelling ? 100 : 0) + figure.y;
    const order = [...this.#figures.values()].sort((one, other) => height(one) - height(other));
    order.forEach(({ node }, index) => {
      const there = this.#layer.children[index];
      if (there !== node) this.#layer.insertBefore(node, there);
    });
  }

  #glide(figure, target, ms, lift) {
    const from = { x: figure.x, y: figure.y, scale: figure.scale };
    figure.stop();
    const there = from.x === target.x && from.y === target.y && from.scale === target.scale;
    if (there) return Promise.resolve(true);
    const { done, stop } = tween(ms, (part) => {
      const way = eased(part);
      const at = {
        x: from.x + (target.x - from.x) * way,
        y: from.y + (target.y - from.y) * way,
        scale: from.scale + (target.scale - from.scale) * way,
      };
      place(figure, at, lift * 4 * part * (1 - part));
    });
    figure.stop = stop;
    return done;
  }
}

function place(figure, { x, y, scale }, lift = 0) {
  Object.assign(figure, { x, y, scale });
  const rounded = [x, y - lift, scale * SIZE].map((value) => Number(value.toFixed(3)));
  figure.node.setAttribute(
    "transform",
    `translate(${rounded[0]} ${rounded[1]}) scale(${rounded[2]})`,
  );
}

/** A figure about one unit high whose foot stands a little below the middle. */
function shape(color, number) {
  const body = "M-.3.27C-.24.05-.13.02-.1-.13H.1C.13.02.24.05.3.27A.3.13 0 0 1-.3.27Z";
  return [
    svg("ellipse", { class: "shadow", cx: 0.03, cy: 0.33, rx: 0.34, ry: 0.13 }),
    svg("path", { class: "halo", d: body }),
    svg("circle", { class: "halo", cy: -0.27, r: 0.215 }),
    svg("path", { class: "body", d: body, fill: `url(#body-${color})` }),
    svg("ellipse", {
      class: "collar",
      cy: -0.1,
      rx: 0.155,
      ry: 0.055,
      fill: `url(#body-${color})`,
    }),
    svg("circle", { class: "head", cy: -0.27, r: 0.215, fill: `url(#head-${color})` }),
    svg("ellipse", { class: "shine", cx: -0.07, cy: -0.35, rx: 0.06, ry: 0.045 }),
    svg("text", { class: `number on-${color}`, y: 0.26, "text-anchor": "middle" }, number),
  ];
}
