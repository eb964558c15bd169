/**
 * Follows Ludo games over a relay that speaks `ludorelay.v1`. Any page may use it, with
 * relay-*.js and patch.js beside it and nothing else:
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
 * `presence`, `said`, `ok`, `err`: the frame itself. A request whose link is lost before the
 * answer gets an `err` with the code `unanswered`: it may have been done.
 *
 * A state is never changed in place: every delta makes a new one, so it may be kept.
 */

import { Game } from "./relay-game.js";
import { Link } from "./relay-link.js";
import { Token, endOf } from "./relay-token.js";

/** @typedef {"idle" | "connecting" | "live" | "reconnecting" | "stopped"} Connection */
/** @typedef {import("./relay-link.js").Frame} Frame */
/**
 * `token` is sent in `hello`; a function is asked anew for every connection, and again before a
 * token ends. `WebSocket` and `random` are there for tests.
 * @typedef {{token?: string | (() => string | Promise<string>), WebSocket?: typeof WebSocket,
 *   random?: () => number}} Options
 */

const FRAMES_WAITING = 32;
const PROBE_MS = 3_000;
const ANSWER_MS = 5_000;
const SETTLED_MS = 5_000;
const MOVE_MS = 2_000;
const CONFUSED_S = 0.25;
const AGAIN_S = 2;
const TIP_MS = 1_000;
const GRACE_MS = 10_000;
const BACKOFF_MS = [250, 10_000];
/** Frames that count from a link that is only just coming, or going. */
const ANY_LINK = ["welcome", "d", "ping", "bye", "ok", "err"];

/** Follows games; start it with `open`. */
export class LudoRelay extends EventTarget {
  #url;
  #options;
  /** @type {Map<string, Game>} */
  #games = new Map();
  /** The link that serves. @type {Link | undefined} */
  #current;
  /** The one that is being dialled; both are there while moving (`bye`). @type {Link | undefined} */
  #dialled;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #redial;
  #token;
  #held = false;
  #opened = false;
  #attempt = 0;
  #ids = 0;
  /** @type {{id: number}[]} */
  #queue = [];
  /** @type {Connection} */
  #connection = "idle";
  /** The server's clock minus ours, in ms: what `asOf` has to be read with. */
  skew = 0;

  constructor(/** @type {string | URL} */ url, /** @type {Options} */ options = {}) {
    super();
    this.#url = url;
    this.#token = new Token(options.token, (token) =>
      this.#current?.post({ t: "auth", id: ++this.#ids, token }),
    );
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, ...options };
  }

  /** @returns {Connection} */
  get connection() {
    return this.#connection;
  }

  /** What is known of a game. @returns {Readonly<Game> | undefined} */
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
    const game = new Game(id);
    this.#games.set(id, game);
    if (this.#current) this.#ask(game);
    else if (this.#opened && !this.#dialled && !this.#redial) this.#dial();
  }

  unwatch(/** @type {string} */ id) {
    const game = this.#games.get(id);
    this.#games.delete(id);
    this.#current?.epochs.delete(id);
    if (game && !game.over) this.#current?.post({ t: "unsub", id: ++this.#ids, game: id });
  }

  /**
   * Sends a request of one's own (`say`) with a fresh `id`; while offline up to 32 wait.
   * Returns the id, which the `ok` or `err` will carry, or 0 when there is no more room.
   */
  send(/** @type {Frame} */ frame) {
    const numbered = { ...frame, id: ++this.#ids };
    if (!this.#current) {
      return this.#queue.length < FRAMES_WAITING && this.#queue.push(numbered) ? numbered.id : 0;
    }
    return this.#current.request(numbered) ? numbered.id : 0;
  }

  // Connecting

  #become(/** @type {Connection} */ connection, detail = {}) {
    this.#connection = connection;
    this.#emit("connection", { state: connection, attempt: this.#attempt, ...detail });
  }

  #emit(/** @type {string} */ type, /** @type {unknown} */ detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #dial() {
    clearTimeout(this.#redial);
    this.#redial = undefined;
    if (this.#dialled) return;
    if (!this.#current) this.#become(this.#attempt ? "reconnecting" : "connecting");
    const Socket = /** @type {typeof WebSocket} */ (this.#options.WebSocket);
    const socket = new Socket(this.#url);
    const link = new Link(socket, (code, reason) => this.#lost(link, code, reason));
    this.#dialled = link;
    socket.onopen = () => this.#greet(link);
    socket.onmessage = ({ data }) => this.#receive(link, data);
  }

  async #greet(/** @type {Link} */ link) {
    try {
      const token = await this.#token.fetch();
      link.ends = endOf(token);
      const games = this.#following();
      for (const { id, epoch } of games) link.epochs.set(id, epoch);
      link.named = new Set(link.epochs.keys());
      link.waiting = new Set(link.named);
      link.post({ t: "hello", v: 1, token, subs: games.map(({ place }) => place) });
    } catch {
      this.#lost(link, 0, "no token");
    }
  }

  #retire(/** @type {Link} */ link) {
    link.retire();
    for (const id of link.requests) this.#emit("err", { t: "err", id, code: "unanswered" });
    link.requests.clear();
  }

  #lost(/** @type {Link} */ link, /** @type {number} */ code, /** @type {string} */ reason) {
    this.#leave(link);
    this.#retire(link);
    const { bye } = link;
    const final = link.final(code);
    if (link === this.#dialled) {
      this.#dialled = undefined;
      // What refuses a second link may take us once the first is gone.
      if (final && this.#current) return;
    } else if (link === this.#current) {
      this.#current = undefined;
      this.#token.stop();
    } else return;
    if (final) {
      this.#stop("stopped", { code: bye?.code ?? code, reason: bye?.reason ?? reason });
    } else if (bye?.code === 4009 && this.#following().length === 0) this.#become("idle");
    else this.#later(bye?.after);
  }

  /** Dials again after the time that the server named, or full jitter if that is longer. */
  #later(after = 0) {
    if (!this.#redial && !this.#dialled) {
      const [first, most] = BACKOFF_MS;
      const random = /** @type {() => number} */ (this.#options.random)();
      const jittered = random * Math.min(most, first * 2 ** this.#attempt);
      this.#attempt += 1;
      this.#held = after > 0;
      this.#redial = setTimeout(() => this.#dial(), Math.max(after * 1000, jittered));
    }
    if (!this.#current) this.#become("reconnecting");
  }

  #stop(/** @type {Connection} */ connection, detail = {}) {
    this.#opened = false;
    globalThis.removeEventListener?.("online", this.#probe);
    globalThis.document?.removeEventListener("visibilitychange", this.#probe);
    clearTimeout(this.#redial);
    this.#token.stop();
    this.#redial = undefined;
    const links = [this.#current?.before, this.#current, this.#dialled];
    for (const link of links) if (link) this.#retire(link);
    this.#current = this.#dialled = undefined;
    this.#attempt = 0;
    this.#become(connection, detail);
  }

  /** A tab that wakes, or a network that returns, cannot trust a socket that looks open. */
  #probe = () => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (this.#current) {
      this.#current.post({ t: "ping", n: ++this.#ids });
      this.#current.heard(PROBE_MS);
    } else if (this.#redial && !this.#held) this.#dial();
  };

  // Following

  #following() {
    return [...this.#games.values()].filter((game) => !game.over);
  }

  /** Asks for what follows my place in a game, once until it is answered. */
  #ask(/** @type {Game} */ game, /** @type {Frame} */ frame = { t: "sub", ...game.place }) {
    const link = this.#current;
    if (game.asked || game.over || this.#games.get(game.id) !== game) return;
    const id = ++this.#ids;
    if (!link || !link.post({ ...frame, id })) return;
    if (!link.epochs.has(game.id)) link.epochs.set(game.id, game.epoch);
    this.#await(game, id);
  }

  #await(/** @type {Game} */ game, /** @type {number} */ id) {
    game.asked = id;
    setTimeout(() => {
      if (game.asked !== id) return;
      game.asked = 0;
      this.#ask(game);
    }, ANSWER_MS);
  }

  #again(/** @type {Game} */ game, after = AGAIN_S) {
    game.asked = 0;
    setTimeout(() => this.#ask(game), after * 1000);
  }

  /** A frame; one that cannot be read is ignored, and missed at the next delta. */
  #receive(/** @type {Link} */ link, /** @type {string} */ text) {
    link.heard();
    try {
      /** @type {Frame} */
      const frame = JSON.parse(text);
      const game = this.#games.get(frame.game);
      if (frame.t === "snap" || frame.t === "live") link.epochs.set(frame.game, frame.epoch);
      const forMe = game || frame.game === undefined || frame.t === "err";
      if (forMe && (link === this.#current || ANY_LINK.includes(frame.t))) {
        this.#handlers[frame.t]?.(frame, /** @type {Game} */ (game), link, text.length);
      }
    } catch {
      return;
    }
    this.#leaveIfMoved(link);
  }

  /** @type {{[t: string]: (frame: any, game: Game, link: Link, size: number) => void}} */
  #handlers = {
    // @ts-expect-error: no name but ours leads to a function
    __proto__: null,
    welcome: (frame, _, link) => {
      if (link !== this.#dialled) return;
      this.skew = frame.now - Date.now();
      link.patience = frame.ping * 1000 + GRACE_MS;
      link.before = this.#current;
      if (link.before) this.#leave(link.before);
      this.#current = link;
      this.#dialled = undefined;
      link.settling = setTimeout(() => (this.#attempt = 0), SETTLED_MS);
      link.moving = setTimeout(() => this.#leave(link), MOVE_MS);
      this.#token.renewBefore(frame.exp ? Date.now() + frame.exp - frame.now : link.ends);
      this.#become("live");
      for (const game of this.#games.values()) {
        game.asked = 0;
        if (link.named.has(game.id)) this.#await(game, ++this.#ids);
        else this.#ask(game);
      }
      for (const waiting of this.#queue.splice(0)) link.request(waiting);
    },
    snap: (frame, game) => {
      game.snap(frame);
      const { epoch, seq, state, why } = frame;
      this.#emit("snap", { game: game.id, epoch, seq, state, why });
    },
    d: (frame, game, link, size) => {
      const before = game.state;
      const outcome = game.delta(frame, link.epochs.get(game.id), size);
      if (outcome === "applied") {
        const { seq, at, ev: event } = frame;
        this.#emit("delta", { game: game.id, seq, at, event, before, state: game.state });
      } else if (outcome === "wrong") {
        // My copy is not what the relay has: without a place, whatever answers is a snapshot.
        game.epoch = undefined;
        this.#ask(game, { t: "resync", game: game.id, why: "patch" });
      } else if (outcome === "missing" && link === this.#current) this.#ask(game);
    },
    live: (frame, game, link) => {
      link.waiting.delete(game.id);
      game.asked = 0;
      // The answer has passed what another link brought meanwhile, or a part of it was lost.
      if (!game.reached(frame)) this.#again(game, CONFUSED_S);
      const { recovered, replayed } = frame;
      this.#emit("live", { game: game.id, recovered, replayed });
    },
    mirror: ({ asOf, stale }, game) => {
      Object.assign(game, { asOf, stale });
      this.#emit("mirror", { game: game.id, asOf, stale });
    },
    ended: (frame, game, link) => {
      link.waiting.delete(game.id);
      // Who has not seen everything before the end has not seen the end.
      if (!game.reached(frame)) return this.#again(game, CONFUSED_S);
      game.over = true;
      this.#emit("ended", { game: game.id, result: frame.result });
    },
    ping: ({ n, tips = {} }, _, link) => {
      const at = Object.fromEntries(this.#following().map(({ id, seq }) => [id, seq]));
      link.post({ t: "pong", n, at });
      for (const [id, tip] of Object.entries(tips)) {
        const game = this.#games.get(id);
        if (game && tip > game.seq) setTimeout(() => tip > game.seq && this.#ask(game), TIP_MS);
      }
    },
    ok: (frame, _, link) => link.requests.delete(frame.id) && this.#emit("ok", frame),
    err: (frame, _, link) => {
      link.requests.delete(frame.id);
      this.#emit("err", frame);
      const asking = this.#following().filter(({ asked }) => asked);
      const named = asking.filter(({ id, asked }) =>
        frame.id ? asked === frame.id : id === frame.game,
      );
      // An answer to `hello` need not name whom it refuses: then each one asks again by itself.
      const meant = frame.id || frame.game ? named : asking;
      const retry = frame.retry || meant.length > 1;
      for (const game of meant) this.#refused(game, link, frame.code, retry, frame.after);
    },
    unsub: ({ code, retry }, game, link) => this.#refused(game, link, code, retry),
    bye: (frame, _, link) => {
      link.bye = frame;
      // Make before break: this link goes on delivering until the next one is live.
      if (frame.code !== 4000) link.patience = ANSWER_MS;
      else if (frame.reconnect && link === this.#current) this.#later(frame.after);
      link.heard();
    },
    presence: (frame) => this.#emit("presence", frame),
    said: (frame) => this.#emit("said", frame),
  };

  /** A game that is not given: for now, or for good. */
  #refused(
    /** @type {Game} */ game,
    /** @type {Link} */ link,
    /** @type {string} */ code,
    /** @type {boolean} */ retry,
    after = AGAIN_S,
  ) {
    link.waiting.delete(game.id);
    if (retry) this.#again(game, after);
    else this.#games.delete(game.id);
    this.#emit("gone", { game: game.id, code, retry });
  }

  /** Leaves the link before this one once every game of the hello has its answer. */
  #leaveIfMoved(/** @type {Link} */ link) {
    if (!link.before || link !== this.#current) return;
    if (![...link.waiting].some((id) => this.#games.has(id))) this.#leave(link);
  }

  #leave(/** @type {Link} */ link) {
    if (link.before) this.#retire(link.before);
    link.before = undefined;
  }
}
