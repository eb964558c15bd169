/**
 * Follows Ludo games over a relay that speaks `ludorelay.v1`. No dependencies; any page may use it:
 *
 *     const relay = new LudoRelay("wss://proxy.example/ws", { token: () => fetchToken() });
 *     relay.addEventListener("snap", ({ detail }) => draw(detail.state));
 *     relay.addEventListener("delta", ({ detail }) => animate(detail.event, detail.state));
 *     relay.watch("gm_1");
 *     relay.open();
 *
 * Events, each with a `detail`:
 * `connection` {state: Connection, attempt, code?, reason?} · `snap` {game, epoch, seq, state, why} ·
 * `delta` {game, seq, at, event, before, state} · `live` {game, recovered, replayed} ·
 * `mirror` {game, asOf, stale} · `ended` {game, result} · `gone` {game, code, retry} ·
 * `presence`, `said`, `ok`, `err`: the frame itself.
 *
 * A state is never changed in place: every delta makes a new one, so it may be kept.
 */

/** @typedef {"idle" | "connecting" | "live" | "reconnecting" | "stopped"} Connection */
/**
 * One game as this client knows it. `epoch` and `seq` are its place in the feed.
 * @typedef {{id: string, epoch?: string, seq: number, state: any, asOf: number, stale: boolean}} Followed
 */
/** @typedef {{op: string, path: string, from?: string, value?: unknown}} Operation */
/**
 * `token` is sent in `hello`, asked anew for every connection. `WebSocket` and `random` are for tests.
 * @typedef {{token?: string | (() => string | Promise<string>), WebSocket?: typeof WebSocket,
 *   random?: () => number}} Options
 */

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
  /** @type {Map<string, Followed & {asked: number, over: boolean}>} */
  #games = new Map();
  /** The link that serves, and the one that is being dialled; both at once while moving (`bye`). */
  #current = null;
  #dialled = null;
  #redial = 0;
  #held = false;
  #opened = false;
  #attempt = 0;
  #ids = 0;
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
    const link = { socket: new this.#options.WebSocket(this.#url), told: new Set(), patience: DIAL_MS };
    this.#dialled = link;
    this.#expect(link, DIAL_MS);
    link.socket.onopen = () => this.#greet(link);
    link.socket.onmessage = ({ data }) => this.#receive(link, data);
    link.socket.onclose = ({ code, reason }) => this.#lost(link, code, reason);
  }

  async #greet(link) {
    try {
      const { token } = this.#options;
      const credentials = { token: (typeof token === "function" ? await token() : token) || undefined };
      const games = [...this.#games.values()].filter((game) => !game.over);
      for (const { id } of games) link.told.add(id);
      this.#post(link, { t: "hello", v: 1, ...credentials, subs: games.map(place) });
    } catch {
      this.#drop(link);
    }
  }

  #expect(link, ms) {
    clearTimeout(link.timer);
    link.timer = setTimeout(() => this.#drop(link), ms);
  }

  #drop(link) {
    this.#lost(link, 0, "no answer");
    this.#retire(link);
  }

  #retire(link) {
    link.over = true;
    link.socket.onopen = link.socket.onmessage = link.socket.onclose = null;
    clearTimeout(link.timer);
    clearTimeout(link.settling);
    link.socket.close();
  }

  #lost(link, code, reason) {
    if (link.over) return;
    link.over = true;
    clearTimeout(link.timer);
    clearTimeout(link.settling);
    if (link.before) this.#retire(link.before);
    if (link === this.#dialled) this.#dialled = null;
    else if (link === this.#current) this.#current = null;
    else return;
    const { bye } = link;
    if (bye ? !bye.reconnect : FINAL_CODES.includes(code) || code >= 4500) {
      this.#stop("stopped", { code: bye?.code ?? code, reason: bye?.reason ?? reason });
    } else if (bye?.code === 4009 && this.#games.size === 0) this.#become("idle");
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

  /** Asks for what follows my place in a game, once until it is answered. */
  #ask(game, frame = { t: "sub", ...place(game) }) {
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
    if (link.over) return;
    this.#expect(link, link.patience);
    const frame = JSON.parse(text);
    const handler = this.#handlers[frame.t];
    if (handler && (link === this.#current || ANY_LINK.includes(frame.t))) {
      handler(frame, this.#games.get(frame.game), link);
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
      if (!game) return;
      Object.assign(game, { epoch, seq, state, asOf, stale, asked: 0 });
      this.#emit("snap", { game: id, epoch, seq, state, why });
    },
    d: ({ game: id, seq, at, ev, patch }, game) => {
      if (!game?.state || seq <= game.seq) return;
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
      if (!game) return;
      game.asked = 0;
      this.#emit("live", { game: id, recovered, replayed });
    },
    mirror: ({ game: id, asOf, stale }, game) => {
      if (!game) return;
      Object.assign(game, { asOf, stale });
      this.#emit("mirror", { game: id, asOf, stale });
    },
    ended: ({ game: id, result }, game) => {
      if (!game) return;
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
      const asked = [...this.#games.values()].filter(({ asked }) => asked);
      const named = asked.filter(({ id, asked }) => asked === frame.id || (!frame.id && id === frame.game));
      // An answer to `hello` names no request: whom it does not name for certain asks again by itself.
      const meant = named.length || frame.id || frame.game ? named : asked;
      for (const game of meant) {
        if (frame.retry || meant.length > 1) this.#again(game, frame.after);
        else this.#games.delete(game.id);
        this.#emit("gone", { game: game.id, code: frame.code, retry: this.#games.has(game.id) });
      }
    },
    unsub: ({ game: id, code, retry }, game) => {
      if (!game) return;
      if (retry) this.#again(game);
      else this.#games.delete(id);
      this.#emit("gone", { game: id, code, retry });
    },
    bye: (frame, _, link) => {
      link.bye = frame;
      // Make before break: this link goes on delivering until the next one is live.
      if (frame.reconnect && link === this.#current && frame.code === 4000) this.#later(frame.after);
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
function place({ id, epoch, seq }) {
  return epoch === undefined ? { game: id } : { game: id, epoch, seq };
}

/** The document that an RFC 6902 patch makes of `document`, which stays as it is; throws if it does not fit. */
export function patched(document, /** @type {Operation[]} */ patch) {
  const root = { "": structuredClone(document) };
  for (const { op, path, from = "", value } of patch) {
    if (op === "add" || op === "replace") put(root, path, value, op === "add");
    else if (op === "remove") take(root, path, true);
    else if (op === "move") put(root, path, take(root, from, true), true);
    else if (op === "copy") put(root, path, structuredClone(take(root, from, false)), true);
    else if (op !== "test" || !same(take(root, path, false), value)) {
      throw new Error(`expected ${path} to take ${op} ${JSON.stringify(value)}`);
    }
  }
  return root[""];
}

/** The container that a JSON pointer leads into, and the last key in it. */
function lead(root, pointer) {
  const keys = pointer.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop();
  return [keys.reduce((at, key) => at[known(at, key)], root), last];
}

function known(container, key) {
  if (Object.hasOwn(container, key) && !(Array.isArray(container) && key === "length")) return key;
  throw new Error(`expected a member ${key}`);
}

function take(root, pointer, removing) {
  const [at, key] = lead(root, pointer);
  const value = at[known(at, key)];
  if (removing && Array.isArray(at)) at.splice(Number(key), 1);
  else if (removing) delete at[key];
  return value;
}

function put(root, pointer, value, adding) {
  const [at, key] = lead(root, pointer);
  if (!adding) at[known(at, key)] = value;
  else if (!Array.isArray(at)) at[key] = value;
  else if (key === "-") at.push(value);
  else if (/^\d+$/.test(key) && Number(key) <= at.length) at.splice(Number(key), 0, value);
  else throw new Error(`expected an index up to ${at.length}, found ${key}`);
}

function same(one, other) {
  if (one === other || !one || !other || typeof one !== "object") return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}
