/** One game as a client has it: the client rule of `ludorelay.v1`, and nothing else. */

import { patched } from "./patch.js";

/** @typedef {import("./patch.js").Operation} Operation */
/** @typedef {{game: string, epoch?: string, seq?: number}} Place */
/**
 * @typedef {{game: string, epoch: string, seq: number, state: any, asOf: number, stale: boolean,
 *   why: string}} Snap
 */
/** @typedef {{game: string, seq: number, at: number, ev: any, patch: Operation[]}} Delta */

/** Characters of deltas on one snapshot: a game takes a tenth; more only a hostile relay sends. */
const MOST_GROWTH = 8 * 1024 * 1024;

/** `asked` is the number of the request that waits for an answer, 0 if none does. */
export class Game {
  /** @type {string | undefined} */
  epoch = undefined;
  seq = 0;
  /** The state at `seq`; never changed in place. @type {any} */
  state = null;
  asOf = 0;
  stale = false;
  over = false;
  asked = 0;
  #grown = 0;

  constructor(/** @type {string} */ id) {
    this.id = id;
  }

  /** My place, as `hello` and `sub` tell it: none before the first snapshot. @returns {Place} */
  get place() {
    const { id, epoch, seq } = this;
    return epoch === undefined ? { game: id } : { game: id, epoch, seq };
  }

  /** A snapshot replaces everything. */
  snap(/** @type {Snap} */ { epoch, seq, state, asOf, stale }) {
    Object.assign(this, { epoch, seq, state, asOf, stale, asked: 0 });
    this.#grown = 0;
  }

  /**
   * What becomes of a delta. It does not say its epoch, so `epoch` is that of the link which
   * brought it: one that I am leaving may be in another than my copy.
   * @returns {"applied" | "dropped" | "missing" | "wrong"}
   */
  delta(/** @type {Delta} */ { seq, patch }, /** @type {string | undefined} */ epoch, size = 0) {
    if (this.over || !this.state || epoch === undefined || epoch !== this.epoch) return "dropped";
    if (seq <= this.seq) return "dropped";
    if (seq !== this.seq + 1) return "missing";
    try {
      this.state = patched(this.state, patch);
    } catch {
      return "wrong";
    }
    this.seq = seq;
    this.#grown += size;
    return this.#grown > MOST_GROWTH ? "wrong" : "applied";
  }

  /** Whether I am where a `live` or an `ended` says that I should be. */
  reached(/** @type {{epoch: string, seq: number}} */ { epoch, seq }) {
    return this.state && this.epoch === epoch && this.seq >= seq;
  }
}
