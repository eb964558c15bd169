/** What stands beside the board: whose turn it is, the players, and what happened. */

import { byId, dot, html, say } from "./dom.js";
import { headline, ordinal, playerOf, subline, wayMade } from "./words.js";

const LINES = 80;

/** The headline, and the sixes in a row. */
export class TurnCard {
  show(state) {
    const { color } = playerOf(state, state.winnerId ?? state.currentPlayerId);
    byId("turn").dataset.color = color;
    say(byId("headline"), headline(state));
    say(byId("subline"), subline(state));
    const sixes = state.status === "playing" ? (state.consecutiveSixes ?? 0) : 0;
    say(byId("sixes"), sixes === 0 ? "" : sixes === 1 ? "one six" : `${sixes} sixes in a row`);
  }

  clear() {
    byId("turn").dataset.color = "";
    say(byId("headline"), "Ludo, live");
    say(byId("subline"), "No game on the board yet");
    say(byId("sixes"), "");
  }
}

/** A row for each player: name, way made, pieces home, place. */
export class PlayerList {
  /** @type {Map<string, {row: HTMLElement, parts: Record<string, HTMLElement>}>} */
  #rows = new Map();

  /** `placements` is given once the game has ended. */
  show(state, placements = state.finishOrder ?? []) {
    const ids = state.players.map(({ playerId }) => playerId);
    if (ids.join() !== [...this.#rows.keys()].join()) this.#seat(state.players);
    for (const player of state.players)
      this.#update(player, state, placements.indexOf(player.playerId));
  }

  clear() {
    this.#rows.clear();
    byId("players").replaceChildren();
  }

  #seat(players) {
    this.clear();
    for (const player of players) {
      const parts = {
        name: html("span", { class: "player-name" }, player.playerName),
        tag: html("span", { class: "tag" }),
        bar: html("progress", { max: 1, value: 0, "aria-label": `way of ${player.playerName}` }),
        home: html("span", { class: "home-count" }),
      };
      const row = html("li", { class: player.color }, dot(), ...Object.values(parts));
      this.#rows.set(player.playerId, { row, parts });
      byId("players").append(row);
    }
  }

  #update(player, state, place) {
    const { row, parts } = /** @type {any} */ (this.#rows.get(player.playerId));
    const inTurn = state.status === "playing" && state.currentPlayerId === player.playerId;
    row.classList.toggle("in-turn", inTurn);
    row.classList.toggle("placed", place >= 0);
    if (inTurn) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    parts.bar.value = wayMade(state, player.color);
    const away = player.connected === false ? "away" : "";
    say(parts.tag, place >= 0 ? ordinal(place) : inTurn ? "in turn" : away);
    say(parts.home, `${player.finishedPieces} of ${state.gameMode === "quick" ? 1 : 4} home`);
  }
}

/** The newest events first. */
export class EventLog {
  add(seq, { text, color, tone }) {
    const number = html("span", { class: "seq" }, `#${seq}`);
    const line = html(
      "li",
      { class: tone || null, "data-color": color },
      number,
      html("span", {}, text),
    );
    byId("log").prepend(line);
    while (byId("log").childElementCount > LINES) byId("log").lastElementChild?.remove();
    if (tone === "loud") say(byId("announcer"), text);
  }

  clear() {
    byId("log").replaceChildren();
  }
}
