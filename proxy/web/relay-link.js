/** One socket of a client. Two are there while it moves from one relay to the next. */

/** @typedef {{[name: string]: any}} Frame */
/** @typedef {ReturnType<typeof setTimeout>} Timer */

const DIAL_MS = 10_000;
const BYTES_WAITING = 65536;
const UNANSWERED = 256;
/** Close codes below 4000 after which the same connection would only be refused again. */
const FINAL_CODES = [1000, 1002, 1003, 1007];

/**
 * `epochs` has the epoch in which it brings each game, `named` the games of its hello, `waiting`
 * those of them that have no answer yet, `requests` the numbers of what was asked besides.
 */
export class Link {
  /** @type {Map<string, string | undefined>} */
  epochs = new Map();
  /** @type {Set<string>} */
  named = new Set();
  /** @type {Set<string>} */
  waiting = new Set();
  /** @type {Set<number>} */
  requests = new Set();
  /** How long it may be silent, in ms. */
  patience = DIAL_MS;
  /** When its token ends, in Unix ms. @type {number | undefined} */
  ends;
  /** The link that it takes over from. @type {Link | undefined} */
  before;
  /** What the relay said before closing. @type {Frame | undefined} */
  bye;
  /** @type {Timer | undefined} */
  settling;
  /** @type {Timer | undefined} */
  moving;
  /** @type {Timer | undefined} */
  #silence;
  #lost;

  constructor(
    /** @type {WebSocket} */ socket,
    /** @type {(code: number, reason: string) => void} */ lost,
  ) {
    this.socket = socket;
    this.#lost = lost;
    socket.onclose = ({ code, reason }) => lost(code, reason);
    this.heard();
  }

  /** Something came: the next thing may take as long again. */
  heard(ms = this.patience) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(0, "no answer"), ms);
  }

  /** Writes a frame; false if the socket takes none. */
  post(/** @type {Frame} */ frame) {
    const { socket } = this;
    if (socket.readyState !== 1 || socket.bufferedAmount > BYTES_WAITING) return false;
    socket.send(JSON.stringify(frame));
    return true;
  }

  /** Writes a frame that has an answer; false if there is no room for it. */
  request(/** @type {{id: number}} */ frame) {
    if (this.requests.size >= UNANSWERED || !this.post(frame)) return false;
    this.requests.add(frame.id);
    return true;
  }

  /** Whether one does not come back; `bye` counts more than the code, which proxies lose. */
  final(/** @type {number} */ code) {
    return this.bye ? !this.bye.reconnect : FINAL_CODES.includes(code) || code >= 4500;
  }

  /** Closes the socket; nothing of it is heard any more. */
  retire() {
    const { socket } = this;
    socket.onopen = socket.onmessage = socket.onclose = null;
    for (const timer of [this.#silence, this.settling, this.moving]) clearTimeout(timer);
    socket.close();
  }
}
