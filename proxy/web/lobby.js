/** The list of live games, fetched again and again, and which of them to watch. */

import { byId, html, say } from "./dom.js";
import { ago, playerOf } from "./words.js";

const EVERY_MS = 5_000;
const AT_MOST_MS = 40_000;
const DEADLINE_MS = 4_000;

/**
 * As the facade lists a game.
 * @typedef {{gameId: string, roomCode: string | null, status: string, sequence: number, updatedAt: string,
 *   currentPlayerId: string | null, players: {playerId: string, playerName: string, color: string}[]}} Listed
 */

/**
 * Which game to watch: the one that somebody picked, else the one being watched until it is over,
 * else the newest; without any, the one that is over stays.
 * @type {(games: Listed[], watching: string | null, over: string | null, picked: string | null) => string | null}
 */
export function choose(games, watching, over, picked) {
  if (picked) return picked;
  if (watching && watching !== over) return watching;
  return games.find(({ gameId }) => gameId !== over)?.gameId ?? watching;
}

/** Fetches the list every 5 s, seldom while it fails; `listed` and `failed` events tell the result. */
export class Lobby extends EventTarget {
  /** @type {Listed[]} */
  games = [];
  #token;
  #timer = 0;
  #failures = 0;

  constructor(/** @type {() => string} */ token) {
    super();
    this.#token = token;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.poll();
    });
  }

  async poll() {
    clearTimeout(this.#timer);
    try {
      this.games = await fetchGames(this.#token());
      this.#failures = 0;
      this.dispatchEvent(new CustomEvent("listed", { detail: this.games }));
    } catch (problem) {
      this.#failures += 1;
      this.dispatchEvent(new CustomEvent("failed", { detail: problem }));
    }
    const wait = Math.min(AT_MOST_MS, EVERY_MS * 2 ** this.#failures) * (0.9 + 0.2 * Math.random());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.poll(), this.#failures ? wait : EVERY_MS);
  }
}

/** The proxy wants to know who asks. */
export class TokenWanted extends Error {}

async function fetchGames(token) {
  const answer = await fetch("v1/games?status=playing&limit=30", {
    headers: { Accept: "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (answer.status === 401 || answer.status === 403) throw new TokenWanted();
  if (!answer.ok) throw new Error(`expected a list of games, found status ${answer.status}`);
  const { data } = await answer.json();
  return data.filter(({ status }) => status === "playing");
}

/** Draws the list; the game being watched is marked. */
export function drawGames(/** @type {Listed[]} */ games, /** @type {string | null} */ watching, now = Date.now()) {
  const rows = games.map((game) => gameRow(game, game.gameId === watching, now));
  const focused = byId("games").contains(document.activeElement) && document.activeElement?.getAttribute("href");
  byId("games").replaceChildren(...rows);
  if (focused) rows.map((row) => row.querySelector("a")).find((link) => link?.getAttribute("href") === focused)?.focus();
  say(byId("games-count"), games.length ? String(games.length) : "");
}

function gameRow(game, watched, now) {
  const current = playerOf(game, game.currentPlayerId);
  const dots = game.players.map(({ color, playerId }) =>
    html("i", { class: `dot ${color}${playerId === current.playerId ? " in-turn" : ""}` }),
  );
  const names = game.players.map(({ playerName }) => playerName).join(", ");
  const link = html("a", { href: `#${game.gameId}`, "aria-current": watched ? "true" : null, title: names },
    html("span", { class: "dots", "aria-hidden": "true" }, ...dots),
    html("span", { class: "game-name" }, html("b", {}, game.roomCode ?? game.gameId), html("span", {}, names)),
    html("span", { class: "game-age" }, html("b", {}, `#${game.sequence}`), html("span", {}, ago(now - Date.parse(game.updatedAt)))),
  );
  return html("li", {}, link);
}
