/**
 * The board page: picks a game, follows it over the relay, and shows it.
 *
 * Tests and tools read the page's state from the DOM. The root element carries `data-connection`
 * (connecting, live, stale, reconnecting, stopped), `data-game`, `data-epoch`, `data-seq`,
 * `data-status`, `data-phase`, `data-dice` (empty when null) and `data-turn` (the colour in turn);
 * every `.piece` carries `data-piece` and `data-position`. All of these change together, with each
 * frame; what the eye sees follows, and `#board[data-playing]` is "false" when it has caught up.
 */

import { ConnectionSign } from "./connection.js";
import { Curtain, tokenForm } from "./curtain.js";
import { byId, html, say } from "./dom.js";
import { Lobby, TokenWanted, choose, drawGames } from "./lobby.js";
import { LudoRelay } from "./ludo-relay.js";
import { Table } from "./table.js";
import { playerOf } from "./words.js";

const MOVE_ON_MS = 8_000;
const TOKEN = "ludo.token";

/** The game on the board, and the one of which the end has been seen. @type {string | null} */
let watching = null;
/** @type {string | null} */
let over = null;
let moveOn = 0;

const token = () => sessionStorage.getItem(TOKEN) ?? "";
const relay = new LudoRelay(relayAddress(), { token });
const curtain = new Curtain();
const lobby = new Lobby(token, listed, unlisted);
const table = new Table(/** @type {any} */ (byId("board")), gameOver);
const sign = new ConnectionSign(relay, () => watching);

function relayAddress() {
  const address = new URL("ws", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}

/** The game that somebody picked by its link. */
const picked = () => location.hash.slice(1) || null;

function reconsider(current = watching) {
  const next = choose(lobby.games, current, over, picked());
  if (next !== watching && (picked() || !moveOn)) follow(next);
  drawGames(lobby.games, lobby.over, watching);
}

function follow(/** @type {string | null} */ id) {
  clearTimeout(moveOn);
  moveOn = 0;
  if (watching) relay.unwatch(watching);
  watching = id;
  if (over === id) over = null;
  table.clear();
  curtain.hide();
  if (id) relay.watch(id);
  expose();
  sign.show();
}

/** Writes the state of the game into the page, for whoever reads it there. */
function expose() {
  const game = relay.game(watching ?? "");
  const state = game?.state;
  Object.assign(document.documentElement.dataset, {
    game: watching ?? "",
    epoch: game?.epoch ?? "",
    seq: state ? String(game.seq) : "",
    status: state?.status ?? "",
    phase: state?.phase ?? "",
    dice: String(state?.diceValue ?? ""),
    turn: state ? playerOf(state, state.currentPlayerId).color : "",
  });
  say(byId("sequence"), state ? `#${game.seq}` : "");
  const room = state?.roomCode ? `Room ${state.roomCode} · ` : "";
  say(byId("match"), state ? room + state.gameMode : "");
}

// The game

relay.on("snap", (detail) => {
  if (detail.game !== watching) return;
  curtain.hide();
  if (over === watching) over = null;
  table.replace(detail.state, detail.why);
  expose();
  sign.show();
});

relay.on("delta", (detail) => {
  if (detail.game !== watching) return;
  table.play(detail);
  expose();
});

relay.on("ended", (detail) => {
  const state = relay.game(detail.game)?.state;
  if (detail.game === watching && state) table.end(state, detail.result?.placements);
});

relay.on("gone", (detail) => {
  if (detail.game !== watching || relay.game(detail.game)?.state) return;
  over = detail.game;
  const hint = detail.retry ? "It is looked for again every few seconds." : "It cannot be shown.";
  const link = latestLink("Follow the latest game");
  curtain.word(`No game ${detail.game}`, html("p", {}, hint), link);
});

function gameOver(state, placements) {
  if (over === state.gameId) return;
  over = state.gameId;
  const aside = html("p", { class: "aside" });
  curtain.winner(state, placements, aside);
  if (picked()) aside.append(latestLink("Watch another game"));
  else waitForNext(aside, Date.now() + MOVE_ON_MS);
  lobby.ended();
}

/** Leaves time to look at the end of a game before the next one comes up. */
function waitForNext(aside, until) {
  const left = Math.ceil((until - Date.now()) / 1_000);
  say(aside, left > 0 ? `Next game in ${left} s` : "Waiting for the next game …");
  moveOn = left > 0 ? setTimeout(() => waitForNext(aside, until), 1_000) : 0;
  if (!moveOn) reconsider();
}

const latestLink = (text) => html("a", { class: "button", href: "#" }, text);

// The list of games

function listed() {
  say(byId("games-note"), lobby.games.length ? "" : "None at the moment.");
  reconsider();
  if (!watching) curtain.word("No game is being played", ...HOW_TO_START.map((line) => line()));
}

const code = (text) => html("code", {}, text);
const HOW_TO_START = [
  () => html("p", {}, "Games appear here by themselves as soon as they start."),
  () =>
    html(
      "p",
      {},
      ...[
        "Start some with ",
        code("make demo"),
        ", or create a room with ",
        code("POST /v1/rooms"),
      ],
      ".",
    ),
];

function unlisted(problem) {
  if (problem instanceof TokenWanted) return askForToken();
  say(byId("games-note"), "The list cannot be fetched just now; trying again.");
  const hope = "This page keeps trying and goes on by itself.";
  if (!watching) curtain.word("The proxy does not answer", html("p", {}, hope));
  return undefined;
}

function askForToken() {
  say(byId("games-note"), "This proxy shows games to known callers.");
  if (picked() && watching !== picked()) follow(picked());
  if (relay.game(watching ?? "")?.state) return;
  const why = "This proxy shows games to known callers. The token stays in this tab.";
  curtain.word("A token, please", html("p", {}, why), tokenForm(useToken));
}

function useToken(given) {
  sessionStorage.setItem(TOKEN, given);
  curtain.hide();
  relay.close();
  relay.open();
  lobby.poll();
}

globalThis.addEventListener("hashchange", () => {
  clearTimeout(moveOn);
  moveOn = 0;
  reconsider(null);
});

if (picked()) follow(picked());
relay.open();
lobby.poll();
