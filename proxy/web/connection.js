/** How fresh what one sees is: connecting, live, stale or cut off, and for how long. */

import { byId, say } from "./dom.js";
import { ago } from "./words.js";

/** @typedef {import("./ludo-relay.js").LudoRelay} LudoRelay */

export class ConnectionSign {
  #relay;
  #watching;
  #since = Date.now();
  #why = "";

  constructor(/** @type {LudoRelay} */ relay, /** @type {() => string | null} */ watching) {
    this.#relay = relay;
    this.#watching = watching;
    relay.on("connection", (detail) => this.#changed(detail));
    relay.on("mirror", () => this.show());
    setInterval(() => this.show(), 1_000);
    this.show();
  }

  /** Brings the sign up to date; the root element's `data-connection` carries the same word. */
  show() {
    const game = this.#relay.game(this.#watching() ?? "");
    const state = this.#relay.connection;
    const word = state === "live" && game?.stale ? "stale" : state;
    document.documentElement.dataset.connection = word;
    say(byId("connection"), this.#sentence(word, game));
    // Told once, without the seconds that go by.
    say(byId("connection-word"), `Connection: ${word}`);
  }

  #changed({ state, reason = "" }) {
    const cut = document.documentElement.dataset.connection;
    if (state !== cut) this.#since = Date.now();
    this.#why = reason;
    this.show();
  }

  #sentence(word, game) {
    const lasting = Date.now() - this.#since;
    switch (word) {
      case "live":
        return "Live";
      case "stale":
        return `Stale · ${ago(Date.now() + this.#relay.skew - game.asOf)} old`;
      case "reconnecting":
        return lasting < 2_000 ? "Reconnecting" : `Reconnecting · ${ago(lasting)}`;
      case "stopped":
        return `Stopped${this.#why && `: ${this.#why}`}`;
      default:
        return "Connecting";
    }
  }
}
