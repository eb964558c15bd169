/** The token that a client shows: fetched for every connection, and again before it ends. */

/** @typedef {string | (() => string | Promise<string>) | undefined} Source */

const AGAIN_MS = 5_000;
const EARLY_MS = 30_000;
const LONGEST_MS = 2 ** 31 - 1;

export class Token {
  #source;
  #renewed;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** `renewed` is given each token that replaces one which is about to end. */
  constructor(/** @type {Source} */ source, /** @type {(token?: string) => void} */ renewed) {
    this.#source = source;
    this.#renewed = renewed;
  }

  async fetch() {
    const source = this.#source;
    return (typeof source === "function" ? await source() : source) || undefined;
  }

  /** Fetches the next one a while before `ends` (Unix ms), if there can be a next one. */
  renewBefore(/** @type {number | undefined} */ ends) {
    this.stop();
    if (!ends || typeof this.#source !== "function") return;
    const left = ends - Date.now();
    const wait = Math.max(1_000, left - Math.min(EARLY_MS, left / 5));
    this.#timer = setTimeout(() => this.#renew(left), Math.min(wait, LONGEST_MS));
  }

  stop() {
    clearTimeout(this.#timer);
  }

  async #renew(/** @type {number} */ lifetime) {
    try {
      const token = await this.fetch();
      this.#renewed(token);
      this.renewBefore(endOf(token) ?? Date.now() + lifetime);
    } catch {
      this.renewBefore(Date.now() + AGAIN_MS);
    }
  }
}

/** When a JWT says that it ends, in Unix ms; nothing is verified. */
export function endOf(/** @type {string | undefined} */ token) {
  try {
    const [, claims] = /** @type {string} */ (token).split(".");
    const { exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/")));
    return Number.isFinite(exp) ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
