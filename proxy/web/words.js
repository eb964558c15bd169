/** What is said about a game: pure functions from states and events to sentences. */

import { HOME, LAST_ON_TRACK, YARD, seatOf, squareAt } from "./geometry.js";

const ORDINALS = ["1st", "2nd", "3rd", "4th"];

/** @type {(place: number) => string} */
export const ordinal = (place) => ORDINALS[place] ?? `${place + 1}th`;

/** The player with that id, or a nameless one. */
export function playerOf(state, playerId) {
  const nameless = { playerId, playerName: playerId, color: "" };
  return state.players.find((player) => player.playerId === playerId) ?? nameless;
}

/** The piece's colour, by its name. */
export const colorOf = (pieceId) => pieceId.split("-")[0];

/** A piece's place in words. */
export function placeName(seat, position) {
  if (position <= YARD) return "in the yard";
  if (position >= HOME) return "home";
  const square = squareAt(seat, position);
  return square === null ? `home column ${position - LAST_ON_TRACK} of 5` : `square ${square}`;
}

/** What a captured piece's fate is called, on the board and in the log. */
export const captureNote = (pieceId, captured) =>
  `${colorOf(pieceId)} captured ${captured.join(" and ")}`;

/** How long something is ago. @type {(ms: number) => string} */
export function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/** Who has to do what, as the headline beside the board. */
export function headline(state) {
  if (state.status === "finished") {
    return state.winnerId
      ? `${playerOf(state, state.winnerId).playerName} wins`
      : "The game is over";
  }
  if (state.status === "abandoned") return "This game was abandoned";
  if (state.status === "waiting") return "Waiting for the game to start";
  return `${playerOf(state, state.currentPlayerId).playerName}${duty(state)}`;
}

function duty({ phase, diceValue }) {
  if (phase === "move") return ` rolled ${diceValue}`;
  if (phase === "pass") return diceValue === null ? " is done" : ` rolled ${diceValue}`;
  return { roll: " to roll", end: " is home" }[phase] ?? " is in turn";
}

/** The line under the headline. */
export function subline(state) {
  if (state.status === "finished") return `after ${state.sequence} events`;
  if (state.status !== "playing") return "";
  return DUE[state.phase] ?? "";
}

const DUE = {
  roll: "the die is waiting",
  move: "choosing a piece",
  pass: "no move, the turn goes on",
  end: "all pieces home",
};

/**
 * One line of the log for an event, with the colour it belongs to; `tone` is `loud` for captures,
 * home and the end, `quiet` for a change of turn.
 * @type {(event: any, before: any, after: any) => {text: string, color: string, tone: string}}
 */
export function logLine(event, before, after) {
  const { color, playerName } = playerOf(
    after,
    event.playerId ?? event.currentPlayerId ?? event.winnerId,
  );
  const line = (text, tone = "") => ({ text, color, tone });
  switch (event.type) {
    case "game:started":
      return line(`The game starts, ${playerName} begins`, "loud");
    case "game:dice-rolled":
      return line(`${playerName} rolled ${event.value}`);
    case "game:piece-moved":
      return movedLine(event, line);
    case "game:turn-change":
      return line(`${playerName}’s turn`, "quiet");
    case "game:ended":
      return line(`${playerName} wins`, "loud");
    default:
      return line(event.type);
  }
}

function movedLine({ pieceId, position, captured = [] }, line) {
  if (captured.length) return line(captureNote(pieceId, captured), "loud");
  const seat = seatOf(colorOf(pieceId));
  if (position === 0) return line(`${pieceId} enters`);
  const name = placeName(seat, position);
  return name === "home" ? line(`${pieceId} is home`, "loud") : line(`${pieceId} to ${name}`);
}

/** How far a player is on the way to winning, 0…1; in a quick game one piece is enough (R15). */
export function wayMade(state, color) {
  const own = state.pieces.filter((piece) => piece.color === color);
  const parts = own.map(({ position }) => (position + 1) / (HOME + 1));
  if (state.gameMode === "quick") return Math.max(0, ...parts);
  return parts.reduce((sum, part) => sum + part, 0) / (parts.length || 1);
}

/** Players by place as the state alone tells it (R14): for a game whose end was not seen. */
export function standings(state) {
  const keyed = state.players.map((player) => ({ player, key: standing(state, player) }));
  keyed.sort((one, other) => compared(one.key, other.key));
  return keyed.map(({ player }) => player.playerId);
}

function standing(state, { playerId, color }) {
  const own = state.pieces.filter((piece) => piece.playerId === playerId);
  const finished = (state.finishOrder ?? []).indexOf(playerId);
  const home = own.filter((piece) => piece.finished).length;
  const far = own.reduce((sum, { position }) => sum + position, 0);
  return [finished < 0 ? Infinity : finished, -home, -far, seatOf(color)];
}

/** Lists by their first difference. */
function compared(one, other) {
  const index = one.findIndex((part, at) => part !== other[at]);
  return index < 0 ? 0 : one[index] - other[index];
}
