/**
 * Follows Ludo games over a relay that speaks `ludorelay.v1`. Any page may use it, with patch.js
 * beside it and nothing else:
 *
 *     const relay = new LudoRelay("wss://proxy.example/ws", { token: () => fetchToken() });
 *     relay.on("snap", ({ state }) => draw(state));
 *     relay.on("delta", ({ event, state }) => animate(event, state));
 *     relay.watch("gm_1");
 *     relay.open();
 *
 * Events, and what they bring:
 * `connection` {state: Connection, attempt, code?, reason?} · `snap` {game, epoch, seq, state,
 * why} · `delta` {game, seq, at, event, before, state} · `live` {game, recovered, replayed} ·
 * `mirror` {game, asOf, stale} · `ended` {game, result} · `gone` {game, code, retry} ·
 * `presence`, `said`, `ok`, `err`: the frame itself.
 *
 * A state is never changed in place: every delta makes a new one, so it may be kept.
 */

/** @typedef {"idle" | "connecting" | "live" | "reconnecting" | "stopped"} Connection */
/**
 * One game as this client knows it. `epoch` and `seq` are its place in the feed.
 * @typedef {{id: string, epoch?: string, seq: number, state: any, asOf: number,
 *   stale: boolean}} Followed
 */
/** @typedef {Followed & {asked: number, over: boolean}} Game */
/**
 * One socket. `told` are the games that its hello named, `before` is the link that it takes over
 * from, `bye` what the server said before closing.
 * @typedef {{socket: WebSocket, told: Set<string>, patience: number, timer?: number,
 *   settling?: number, before?: Link | null, bye?: any}} Link
 */
/**
 * `token` is sent in `hello`, asked anew for every connection. `WebSocket` and `random` are there
 * for tests.
 * @typedef {{token?: string | (() => string | Promise<string>), WebSocket?: typeof WebSocket,
 *   random?: () => number}} Options
 */

import { patched } from "./patch.js";

const FRAMES_WAITING = 32;
const BYTES_WAITING = 65536;
const DIAL_MS = 10_000;
const PROBE_MS = 3_000;
const ANSWER_MS = 5_000;
const SETTLED_MS = 5_000;
const TIP_MS = 1_000;
const GRACE_MS = 10_000;
const BACKOFF_MS = [250, 10_000];
/** Close codes below 4000 after which the same connection would only be refused again. */
const FINAL_CODES = [1000, 1002, 1003, 1007];
/** Frames that count from a link that is only just coming, or going: deltas carry their number. */
const ANY_LINK = ["welcome", "d", "ping", "bye"];

/** Follows games; start it with `open`. */
export class LudoRelay extends EventTarget {
  #url;
  #options;
  /** @type {Map<string, Game>} */
  #games = new Map();
  /** The link that serves. @type {Link | null} */
  #current = null;
  /** The one that is being dialled; both are there while moving (`bye`). @type {Link | null} */
  #dialled = null;
  #redial = 0;
  #held = false;
  #opened = false;
  #attempt = 0;
  #ids = 0;
  /** @type {object[]} */
  #queue = [];
  /** @type {Connection} */
  #connection = "idle";
  /** The server's clock minus ours, in ms: what `asOf` has to be read with. */
  skew = 0;

  constructor(/** @type {string | URL} */ url, /** @type {Options} */ options = {}) {
    super();
    this.#url = url;
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, ...options };
  }

  /** @returns {Connection} */
  get connection() {
    return this.#connection;
  }

  /** What is known of a game, or undefined. @returns {Followed | undefined} */
  game(/** @type {string} */ id) {
    return this.#games.get(id);
  }

  /** Calls `take` for every event of a type; returns what ends that. */
  on(/** @type {string} */ type, /** @type {(detail: any) => void} */ take) {
    const heard = (/** @type {any} */ { detail }) => take(detail);
    this.addEventListener(type, heard);
    return () => this.removeEventListener(type, heard);
  }

  open() {
    if (this.#opened) return;
    this.#opened = true;
    globalThis.addEventListener?.("online", this.#probe);
    globalThis.document?.addEventListener("visibilitychange", this.#probe);
    this.#dial();
  }

  close() {
    this.#stop("idle");
  }

  /** Follows a game from now on, over every reconnect, until it ends or `unwatch`. */
  watch(/** @type {string} */ id) {
    if (this.#games.has(id)) return;
    const game = { id, seq: 0, state: null, asOf: 0, stale: false, asked: 0, over: false };
    this.#games.set(id, game);
    if (this.#current) this.#ask(game);
    else if (this.#opened && !this.#dialled && !this.#redial) this.#dial();
  }

  unwatch(/** @type {string} */ id) {
    const game = this.#games.get(id);
    this.#games.delete(id);
    if (game && !game.over) this.#post(this.#current, { t: "unsub", id: ++this.#ids, game: id });
  }

  /**
   * Sends a frame of one's own (`auth`, `say`) with a fresh `id`; while offline up to 32 wait.
   * Returns the id, which the `ok` or `err` will carry, or 0 when there is no more room.
   */
  send(/** @type {object} */ frame) {
    const numbered = { ...frame, id: ++this.#ids };
    if (this.#current) return this.#post(this.#current, numbered) ? numbered.id : 0;
    return this.#queue.length < FRAMES_WAITING && this.#queue.push(numbered) ? numbered.id : 0;
  }

  // Connecting

  #become(connection, detail = {}) {
    this.#connection = connection;
    this.#emit("connection", { state: connection, attempt: this.#attempt, ...detail });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #dial() {
    clearTimeout(this.#redial);
    this.#redial = 0;
    if (this.#dialled) return;
    if (!this.#current) this.#become(this.#attempt ? "reconnecting" : "connecting");
    /** @type {Link} */
    const link = {
      socket: new this.#options.WebSocket(this.#url),
      told: new Set(),
      patience: DIAL_MS,
    };
    this.#dialled = link;
    this.#expect(link, DIAL_MS);
    link.socket.onopen = () => this.#greet(link);
    link.socket.onmessage = ({ data }) => this.#receive(link, data);
    link.socket.onclose = ({ code, reason }) => this.#lost(link, code, reason);
  }

  async #greet(link) {
    try {
      const { token } = this.#options;
      const shown = typeof token === "function" ? await token() : token;
      const games = this.#following();
      for (const { id } of games) link.told.add(id);
      this.#post(link, { t: "hello", v: 1, token: shown || undefined, subs: games.map(place) });
    } catch {
      this.#lost(link, 0, "no token");
    }
  }

  #expect(link, ms) {
    clearTimeout(link.timer);
    link.timer = setTimeout(() => this.#lost(link, 0, "no answer"), ms);
  }

  #retire(link) {
    link.socket.onopen = link.socket.onmessage = link.socket.onclose = null;
    clearTimeout(link.timer);
    clearTimeout(link.settling);
    link.socket.close();
  }

  #lost(link, code, reason) {
    this.#leave(link);
    this.#retire(link);
    if (link === this.#dialled) this.#dialled = null;
    else if (link === this.#current) this.#current = null;
    else return;
    const { bye } = link;
    if (bye ? !bye.reconnect : FINAL_CODES.includes(code) || code >= 4500) {
      this.#stop("stopped", { code: bye?.code ?? code, reason: bye?.reason ?? reason });
    } else if (bye?.code === 4009 && this.#following().length === 0) this.#become("idle");
    else this.#later(bye?.after);
  }

  /** Dials again after the time that the server named, else after full jitter. */
  #later(after) {
    if (!this.#redial && !this.#dialled) {
      const [first, most] = BACKOFF_MS;
      const jittered = this.#options.random() * Math.min(most, first * 2 ** this.#attempt);
      this.#attempt += 1;
      this.#held = after > 0;
      this.#redial = setTimeout(() => this.#dial(), this.#held ? after * 1000 : jittered);
    }
    if (!this.#current) this.#become("reconnecting");
  }

  #stop(connection, detail) {
    this.#opened = false;
    globalThis.removeEventListener?.("online", this.#probe);
    globalThis.document?.removeEventListener("visibilitychange", this.#probe);
    clearTimeout(this.#redial);
    this.#redial = 0;
    for (const link of [this.#current?.before, this.#current, this.#dialled]) {
      if (link) this.#retire(link);
    }
    this.#current = this.#dialled = null;
    this.#attempt = 0;
    this.#become(connection, detail);
  }

  /** A tab that wakes, or a network that returns, cannot trust a socket that looks open. */
  #probe = () => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (this.#current) {
      this.#post(this.#current, { t: "ping", n: ++this.#ids });
      this.#expect(this.#current, PROBE_MS);
    } else if (this.#redial && !this.#held) this.#dial();
  };

  #post(link, frame) {
    if (link?.socket.readyState !== 1 || link.socket.bufferedAmount > BYTES_WAITING) return false;
    link.socket.send(JSON.stringify(frame));
    return true;
  }

  // Following

  #following() {
    return [...this.#games.values()].filter((game) => !game.over);
  }

  /** Asks for what follows my place in a game, once until it is answered. */
  #ask(game, /** @type {object} */ frame = { t: "sub", ...place(game) }) {
    if (game.asked || game.over || this.#games.get(game.id) !== game) return;
    const id = ++this.#ids;
    if (this.#post(this.#current, { ...frame, id })) this.#await(game, id);
  }

  #await(game, id) {
    game.asked = id;
    setTimeout(() => {
      if (game.asked !== id) return;
      game.asked = 0;
      this.#ask(game);
    }, ANSWER_MS);
  }

  #again(game, after = 2) {
    game.asked = 0;
    setTimeout(() => this.#ask(game), after * 1000);
  }

  #receive(link, text) {
    this.#expect(link, link.patience);
    const frame = JSON.parse(text);
    const game = this.#games.get(frame.game);
    const forMe = game || frame.game === undefined || frame.t === "err";
    if (forMe && (link === this.#current || ANY_LINK.includes(frame.t))) {
      this.#handlers[frame.t]?.(frame, game, link);
    }
  }

  #handlers = {
    __proto__: null,
    welcome: (frame, _, link) => {
      this.skew = frame.now - Date.now();
      link.patience = frame.ping * 1000 + GRACE_MS;
      link.before = this.#current;
      this.#current = link;
      this.#dialled = null;
      link.settling = setTimeout(() => (this.#attempt = 0), SETTLED_MS);
      this.#become("live");
      for (const game of this.#games.values()) {
        game.asked = 0;
        if (link.told.has(game.id)) this.#await(game, ++this.#ids);
        else this.#ask(game);
      }
      for (const waiting of this.#queue.splice(0)) this.#post(link, waiting);
      if (link.told.size === 0) this.#leave(link);
    },
    snap: ({ game: id, epoch, seq, state, asOf, stale, why }, game) => {
      Object.assign(game, { epoch, seq, state, asOf, stale, asked: 0 });
      this.#emit("snap", { game: id, epoch, seq, state, why });
    },
    d: ({ game: id, seq, at, ev, patch }, game) => {
      if (!game.state || seq <= game.seq) return;
      if (seq > game.seq + 1) return this.#ask(game);
      const before = game.state;
      try {
        game.state = patched(before, patch);
      } catch {
        // My copy is wrong: without a place, whatever answers is a snapshot.
        game.epoch = undefined;
        return this.#ask(game, { t: "resync", game: id, why: "patch" });
      }
      game.seq = seq;
      this.#emit("delta", { game: id, seq, at, event: ev, before, state: game.state });
    },
    live: ({ game: id, recovered, replayed }, game, link) => {
      this.#leave(link);
      game.asked = 0;
      this.#emit("live", { game: id, recovered, replayed });
    },
    mirror: ({ game: id, asOf, stale }, game) => {
      Object.assign(game, { asOf, stale });
      this.#emit("mirror", { game: id, asOf, stale });
    },
    ended: ({ game: id, result }, game) => {
      game.over = true;
      this.#emit("ended", { game: id, result });
    },
    ping: ({ n, tips = {} }, _, link) => {
      const at = Object.fromEntries([...this.#games.values()].map((game) => [game.id, game.seq]));
      this.#post(link, { t: "pong", n, at });
      for (const [id, tip] of Object.entries(tips)) {
        const game = this.#games.get(id);
        if (game && tip > game.seq) setTimeout(() => tip > game.seq && this.#ask(game), TIP_MS);
      }
    },
    err: (frame) => {
      this.#emit("err", frame);
      const asking = this.#following().filter(({ asked }) => asked);
      const named = asking.filter(({ id, asked }) =>
        frame.id ? asked === frame.id : id === frame.game,
      );
      // An answer to `hello` need not name whom it refuses: then each one asks again by itself.
      const meant = frame.id || frame.game ? named : asking;
      for (const game of meant) {
        if (frame.retry || meant.length > 1) this.#again(game, frame.after);
        else this.#games.delete(game.id);
        this.#emit("gone", { game: game.id, code: frame.code, retry: this.#games.has(game.id) });
      }
    },
    unsub: ({ game: id, code, retry }, game) => {
      if (retry) this.#again(game);
      else this.#games.delete(id);
      this.#emit("gone", { game: id, code, retry });
    },
    bye: (frame, _, link) => {
      link.bye = frame;
      // Make before break: this link goes on delivering until the next one is live.
      if (frame.reconnect && link === this.#current && frame.code === 4000)
        this.#later(frame.after);
    },
    presence: (frame) => this.#emit("presence", frame),
    said: (frame) => this.#emit("said", frame),
    ok: (frame) => this.#emit("ok", frame),
  };

  #leave(link) {
    if (link.before) this.#retire(link.before);
    link.before = null;
  }
}

/** My place in a game, as `hello` and `sub` tell it: none before the first snapshot. */
function place(/** @type {Followed} */ { id, epoch, seq }) {
  return epoch === undefined ? { game: id } : { game: id, epoch, seq };
}
