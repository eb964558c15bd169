/** The sixteen pawns: where they are shown, and how they get from one place to another. */

import { svg } from "./dom.js";
import { HOME, HOME_SCALE, fan, pointOf, seatOf, spotOf, stepsBetween } from "./geometry.js";
import { eased, still, tween } from "./motion.js";
import { placeName } from "./words.js";

/** A pawn's drawing is one cell high; on the board it stands out of its cell a little. */
const SIZE = 1.14;
const HOP = 0.3;
const FLIGHT = 1.6;
const NUDGE_MS = 140;

/**
 * One pawn as it is shown now; `position` is where it stands or to where it is on its way.
 * @typedef {{id: string, seat: number, number: number, position: number, node: SVGElement,
 *   title: Element, x: number, y: number, scale: number, travelling: boolean, stop: () => void}} Pawn
 */

export class Pieces {
  #layer;
  /** @type {Map<string, Pawn>} */
  #pawns = new Map();

  constructor(/** @type {SVGElement} */ layer) {
    this.#layer = layer;
  }

  /** Takes all pawns off the board. */
  clear() {
    for (const pawn of this.#pawns.values()) pawn.stop();
    this.#pawns.clear();
    this.#layer.replaceChildren();
  }

  /** Says where every piece is, for whoever reads the page: `data-position`, ahead of the movement. */
  tell(/** @type {{pieceId: string, position: number}[]} */ pieces) {
    for (const { pieceId, position } of pieces) {
      const pawn = this.#pawns.get(pieceId) ?? this.#enter(pieceId, position);
      pawn.node.dataset.position = String(position);
      pawn.title.textContent = `${pieceId}, ${placeName(pawn.seat, position)}`;
    }
  }

  /** Brings every pawn straight to where it belongs, breaking off whatever it was doing. */
  settle(pieces, ms = NUDGE_MS * 2) {
    this.tell(pieces);
    for (const { pieceId, position } of pieces) {
      const pawn = /** @type {Pawn} */ (this.#pawns.get(pieceId));
      pawn.stop();
      Object.assign(pawn, { position, travelling: false });
    }
    this.#arrange(ms);
  }

  /** Walks a pawn forward square by square; resolves to false when it was broken off. */
  async walk(id, to, ms) {
    const pawn = this.#pawns.get(id);
    const steps = pawn ? stepsBetween(pawn.position, to) : [];
    const shown = still() ? steps.slice(-1) : steps;
    for (const position of shown) {
      if (!(await this.#travel(pawn, position, ms / shown.length, HOP))) return false;
    }
    this.#arrive(pawn);
    return true;
  }

  /** Sends a captured pawn back through the air; resolves to false when it was broken off. */
  async fly(id, to, ms) {
    const pawn = this.#pawns.get(id);
    const landed = Boolean(pawn) && (await this.#travel(pawn, to, ms, FLIGHT));
    if (landed) this.#arrive(pawn);
    return landed;
  }

  /** Whether every pawn is, or is on its way to, where these pieces are. */
  agrees(pieces) {
    return pieces.every(({ pieceId, position }) => this.#pawns.get(pieceId)?.position === position);
  }

  /** The position that a pawn is shown at, or on its way to. */
  positionOf(id) {
    return this.#pawns.get(id)?.position ?? -1;
  }

  /** Where a pawn is drawn at this moment. */
  whereIs(id) {
    const pawn = this.#pawns.get(id);
    return pawn && { x: pawn.x, y: pawn.y };
  }

  /** @returns {Pawn} */
  #enter(id, position) {
    const [color, number] = id.split("-");
    const seat = seatOf(color);
    const title = svg("title");
    const node = svg("g", { class: `piece ${color}`, "data-piece": id }, title, ...pawnShape(color, number));
    const at = pointOf(seat, Number(number), position);
    const pawn = { id, seat, number: Number(number), position, node, title, ...at, scale: 1,
      travelling: false, stop: () => {} };
    this.#pawns.set(id, pawn);
    this.#layer.append(node);
    place(pawn, pawn);
    return pawn;
  }

  /** One leg of a way: the others close ranks behind the pawn while it goes. */
  #travel(pawn, position, ms, lift) {
    Object.assign(pawn, { position, travelling: true });
    this.#arrange(NUDGE_MS);
    return this.#glide(pawn, { ...pointOf(pawn.seat, pawn.number, position), scale: 1 }, ms, lift);
  }

  #arrive(pawn) {
    if (pawn) pawn.travelling = false;
    this.#arrange(NUDGE_MS);
  }

  /** Fans out the pawns that share a place, all but those that are on their way. */
  #arrange(ms) {
    for (const group of this.#groups()) {
      const offsets = fan(group.length);
      group.forEach((pawn, index) => {
        const { x, y } = pointOf(pawn.seat, pawn.number, pawn.position);
        const { dx, dy, scale } = offsets[index];
        const small = pawn.position >= HOME ? HOME_SCALE : scale;
        this.#glide(pawn, { x: x + dx, y: y + dy, scale: small }, ms, 0);
      });
    }
    this.#stack();
  }

  #groups() {
    const groups = new Map();
    for (const pawn of this.#pawns.values()) {
      if (pawn.travelling) continue;
      const spot = spotOf(pawn.seat, pawn.number, pawn.position);
      groups.set(spot, [...(groups.get(spot) ?? []), pawn]);
    }
    return groups.values();
  }

  /** Who stands further down is drawn later, so that heads overlap feet; travellers come on top. */
  #stack() {
    const height = (pawn) => (pawn.travelling ? 100 : 0) + pawn.y;
    const order = [...this.#pawns.values()].sort((one, other) => height(one) - height(other));
    order.forEach(({ node }, index) => {
      if (this.#layer.children[index] !== node) this.#layer.insertBefore(node, this.#layer.children[index]);
    });
  }

  #glide(pawn, target, ms, lift) {
    const from = { x: pawn.x, y: pawn.y, scale: pawn.scale };
    if (from.x === target.x && from.y === target.y && from.scale === target.scale) return Promise.resolve(true);
    pawn.stop();
    const { done, stop } = tween(ms, (part) => {
      const way = eased(part);
      const at = {
        x: from.x + (target.x - from.x) * way,
        y: from.y + (target.y - from.y) * way,
        scale: from.scale + (target.scale - from.scale) * way,
      };
      place(pawn, at, lift * 4 * part * (1 - part));
    });
    pawn.stop = stop;
    return done;
  }
}

function place(pawn, { x, y, scale }, lift = 0) {
  Object.assign(pawn, { x, y, scale });
  const rounded = [x, y - lift, scale * SIZE].map((value) => Number(value.toFixed(3)));
  pawn.node.setAttribute("transform", `translate(${rounded[0]} ${rounded[1]}) scale(${rounded[2]})`);
}

/** A pawn about one cell high whose foot stands a little below the middle. */
function pawnShape(color, number) {
  const body = "M-.3.27C-.24.05-.13.02-.1-.13H.1C.13.02.24.05.3.27A.3.13 0 0 1-.3.27Z";
  return [
    svg("ellipse", { class: "shadow", cx: 0.03, cy: 0.33, rx: 0.34, ry: 0.13 }),
    svg("path", { class: "halo", d: body }),
    svg("circle", { class: "halo", cy: -0.27, r: 0.215 }),
    svg("path", { class: "body", d: body, fill: `url(#body-${color})` }),
    svg("ellipse", { class: "collar", cy: -0.1, rx: 0.155, ry: 0.055, fill: `url(#body-${color})` }),
    svg("circle", { class: "head", cy: -0.27, r: 0.215, fill: `url(#head-${color})` }),
    svg("ellipse", { class: "shine", cx: -0.07, cy: -0.35, rx: 0.06, ry: 0.045 }),
    svg("text", { class: `number on-${color}`, y: 0.26, "text-anchor": "middle" }, number),
  ];
}
