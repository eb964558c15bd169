/** The lists of live and of finished games, fetched again and again, and which game to watch. */

import { byId, dot, html, say } from "./dom.js";
import { ago } from "./words.js";

const EVERY_MS = 5_000;
const AT_MOST_MS = 40_000;
const DEADLINE_MS = 4_000;
const OVER_EVERY_MS = 30_000;

/**
 * As the facade lists a game.
 * @typedef {{gameId: string, roomCode: string | null, status: string, sequence: number,
 *   updatedAt: string, currentPlayerId: string | null,
 *   players: {playerId: string, playerName: string, color: string}[]}} Listed
 */

/**
 * Which game to watch: the one that somebody picked, else the one being watched until it is over,
 * else the newest; without any, the one that is over stays.
 * @param {Listed[]} games
 * @param {string | null} watching
 * @param {string | null} over
 * @param {string | null} picked
 * @returns {string | null}
 */
export function choose(games, watching, over, picked) {
  if (picked) return picked;
  if (watching && watching !== over) return watching;
  return games.find(({ gameId }) => gameId !== over)?.gameId ?? watching;
}

/**
 * The fresh list in the order of the one before, so that nothing moves away under a finger; what
 * is new comes first.
 * @type {(before: Listed[], fresh: Listed[]) => Listed[]}
 */
export function inOrder(before, fresh) {
  const rank = new Map(before.map(({ gameId }, index) => [gameId, index]));
  return [...fresh].sort((a, b) => (rank.get(a.gameId) ?? -1) - (rank.get(b.gameId) ?? -1));
}

/** Fetches the live games every 5 s, those that are over every 30 s; seldom while that fails. */
export class Lobby {
  /** @type {Listed[]} */
  games = [];
  /** The last finished games, from wherever they are kept. @type {Listed[]} */
  over = [];
  #overAt = -Infinity;
  #token;
  #onListed;
  #onFailed;
  #timer = 0;
  #failures = 0;

  /**
   * @param {() => string} token
   * @param {() => void} onListed is told when `games` is fresh.
   * @param {(problem: unknown) => void} onFailed is told why it is not; TokenWanted is one reason.
   */
  constructor(token, onListed, onFailed) {
    this.#token = token;
    this.#onListed = onListed;
    this.#onFailed = onFailed;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.poll();
    });
  }

  /** A game has ended: the lists are fetched now. */
  ended() {
    this.#overAt = -Infinity;
    return this.poll();
  }

  async poll() {
    clearTimeout(this.#timer);
    const problem = await this.#fetch();
    this.#failures = problem ? this.#failures + 1 : 0;
    if (problem) this.#onFailed(problem);
    else this.#onListed();
    const wait = Math.min(AT_MOST_MS, EVERY_MS * 2 ** this.#failures);
    const jittered = wait * (0.9 + 0.2 * Math.random());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.poll(), jittered);
  }

  async #fetch() {
    try {
      this.games = inOrder(this.games, await fetchGames(this.#token(), "playing", 30));
      if (performance.now() - this.#overAt > OVER_EVERY_MS) {
        this.over = await fetchGames(this.#token(), "finished", 10);
        this.#overAt = performance.now();
      }
      return null;
    } catch (problem) {
      return problem;
    }
  }
}

/** The proxy wants to know who asks. */
export class TokenWanted extends Error {}

async function fetchGames(token, wanted, limit) {
  const answer = await fetch(`v1/games?status=${wanted}&limit=${limit}`, {
    headers: { Accept: "application/json", ...(token && { Authorization: `Bearer ${token}` }) },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (answer.status === 401 || answer.status === 403) throw new TokenWanted();
  if (!answer.ok) throw new Error(`expected a list of games, found status ${answer.status}`);
  const { data } = await answer.json();
  return data.filter(({ status }) => status === wanted);
}

/** Draws the lists; the game being watched is marked, and what has the focus keeps it. */
export function drawGames(
  /** @type {Listed[]} */ games,
  /** @type {Listed[]} */ over,
  /** @type {string | null} */ watching,
) {
  draw(byId("games"), games, watching);
  draw(byId("over"), over, watching);
  say(byId("games-count"), games.length ? String(games.length) : "");
  byId("over-title").hidden = !over.length;
}

function draw(list, games, watching) {
  const focused = list.contains(document.activeElement) && document.activeElement;
  const links = games.map((game) => gameLink(game, game.gameId === watching));
  list.replaceChildren(...links.map((link) => html("li", {}, link)));
  const address = focused && focused.getAttribute("href");
  links.find((link) => link.getAttribute("href") === address)?.focus();
}

function gameLink(game, watched) {
  const playing = game.status === "playing";
  const names = game.players.map(({ playerName }) => playerName).join(", ");
  const dots = game.players.map(({ color, playerId }) =>
    dot(playing && playerId === game.currentPlayerId ? `${color} in-turn` : color),
  );
  const current = watched ? "true" : null;
  return html(
    "a",
    { href: `#${game.gameId}`, "aria-current": current, title: names },
    html("span", { class: "dots" }, ...dots),
    twoLines("game-name", game.roomCode || game.gameId, names),
    twoLines("game-age", `#${game.sequence}`, ago(Date.now() - Date.parse(game.updatedAt))),
  );
}

const twoLines = (name, upper, lower) =>
  html("span", { class: name }, html("b", {}, upper), html("span", {}, lower));
