/**
 * Plays events one after another at a pace that a person can follow, and faster when they come
 * faster: the screen is never much more than a second behind the mirror.
 */

import { still } from "./motion.js";

/** What waits is played within this time … */
const CATCH_UP_MS = 600;
/** … and what would be over in less than this is not played but put. */
const SHORTEST_MS = 60;

/** @typedef {{ms: number, play: (ms: number) => unknown}} Beat */

export class Playback {
  /** @type {Beat[]} */
  #waiting = [];
  #round = 0;
  #playing = false;
  #onBusy;

  /** @param {(busy: boolean) => void} onBusy is told when playing begins and when all is played. */
  constructor(onBusy) {
    this.#onBusy = onBusy;
    onBusy(false);
  }

  /** Adds a beat; `play` is given the time it may take, at most its own `ms`. */
  add(/** @type {Beat} */ beat) {
    this.#waiting.push(beat);
    if (!this.#playing) this.#run(this.#round);
  }

  /** Forgets what waits; the beat being played is for its owner to break off. */
  clear() {
    this.#round += 1;
    this.#waiting = [];
    this.#become(false);
  }

  #become(playing) {
    this.#playing = playing;
    this.#onBusy(playing);
  }

  async #run(round) {
    this.#become(true);
    while (this.#waiting.length && round === this.#round) {
      const pace = this.#pace();
      const beat = /** @type {Beat} */ (this.#waiting.shift());
      const allowed = beat.ms * pace;
      try {
        await beat.play(allowed < SHORTEST_MS ? 0 : allowed);
      } catch (problem) {
        reportError(problem); // one event that cannot be shown must not stop the game
      }
    }
    if (round === this.#round) this.#become(false);
  }

  #pace() {
    const total = this.#waiting.reduce((sum, { ms }) => sum + ms, 0);
    if (still()) return 0;
    return this.#waiting.length > 1 ? Math.min(1, CATCH_UP_MS / total) : 1;
  }
}
