/** One game on the board: takes snapshots and deltas, shows them piece by piece. */

import { Die } from "./die.js";
import { byId, say, svg } from "./dom.js";
import { drawBoard } from "./drawing.js";
import { GRID, COLORS, seatOf } from "./geometry.js";
import { EventLog, PlayerList, TurnCard } from "./panels.js";
import { Pieces } from "./pieces.js";
import { Playback } from "./playback.js";
import { captureNote, logLine, placeName, playerOf, standings } from "./words.js";

const ROLL_MS = 420;
const STEP_MS = 120;
const FLY_MS = 480;
const TURN_MS = 160;
const NOTE_MS = 2_200;

export class Table {
  #root;
  #layers;
  #pieces;
  #die;
  #playback;
  #turn = new TurnCard();
  #players = new PlayerList();
  #log = new EventLog();
  #seated = "";

  /** @param {(state: any, placements: string[]) => void} onOver is told when the end is shown. */
  constructor(/** @type {SVGElement} */ root, onOver) {
    this.#root = root;
    this.#layers = drawBoard(root);
    this.#pieces = new Pieces(this.#layers.pieces);
    this.#die = new Die(this.#layers.die);
    this.#playback = new Playback((busy) => (root.dataset.playing = String(busy)));
    this.onOver = onOver;
  }

  /** An empty board. */
  clear() {
    this.#playback.clear();
    this.#pieces.clear();
    this.#die.show(-1, null);
    this.#log.clear();
    this.#players.clear();
    this.#turn.clear();
    this.#seat([]);
    this.#highlight("");
  }

  /** Shows a state at once: the first one, or one that replaces what was known. */
  replace(state, why) {
    this.#playback.clear();
    this.#pieces.settle(state.pieces);
    this.#show(state);
    const text = why === "initial" ? "watching from here on" : `caught up (${why})`;
    this.#log.add(state.sequence, { text, color: "", tone: "quiet" });
    if (state.status !== "playing") this.over(state, standings(state));
  }

  /** Plays what a delta brought; the page's data is ahead of what the eye sees. */
  play(/** @type {any} */ { seq, event = { type: "" }, before, state }) {
    this.#pieces.tell(state.pieces);
    const line = logLine(event, before, state);
    const [ms, act] = this.#act(event, state);
    const play = async (allowed) => {
      if ((await act(allowed)) === false) return;
      this.#log.add(seq, line);
      if (!this.#pieces.agrees(state.pieces)) this.#pieces.settle(state.pieces);
      this.#show(state);
      if (event.type === "game:ended") this.over(state, event.placements ?? standings(state));
    };
    this.#playback.add({ ms, play });
  }

  /** The relay says that the game has ended; shown after whatever is still being played. */
  end(state, placements) {
    this.#playback.add({ ms: 0, play: () => this.over(state, placements ?? standings(state)) });
  }

  over(state, placements) {
    this.#players.show(state, placements);
    this.onOver(state, placements);
  }

  /**
   * How long an event takes to play, and what plays it; `false` means broken off.
   * @returns {[number, (ms: number) => any]}
   */
  #act(event, state) {
    const seat = seatOf(playerOf(state, event.playerId).color);
    if (event.type === "game:dice-rolled" && seat >= 0)
      return [ROLL_MS, (ms) => this.#die.roll(seat, event.value, ms)];
    if (event.type === "game:turn-change") return [TURN_MS, (ms) => pause(ms)];
    if (event.type !== "game:piece-moved") return [0, () => true];
    const captured = event.captured ?? [];
    const [walking, flying] = [6 * STEP_MS, captured.length ? FLY_MS : 0];
    return [walking + flying, (ms) => this.#move(event, captured, ms / (walking + flying), state)];
  }

  async #move({ pieceId, position }, captured, pace, state) {
    const steps = Math.max(1, position - this.#pieces.positionOf(pieceId));
    if (!(await this.#pieces.walk(pieceId, position, steps * STEP_MS * pace))) return false;
    if (captured.length) this.#note(captureNote(pieceId, captured), this.#pieces.whereIs(pieceId));
    const yard = (id) => state.pieces.find((piece) => piece.pieceId === id)?.position ?? -1;
    const flights = captured.map((id) => this.#pieces.fly(id, yard(id), FLY_MS * pace));
    return (await Promise.all(flights)).every(Boolean);
  }

  #show(state) {
    const color = state.status === "playing" ? playerOf(state, state.currentPlayerId).color : "";
    this.#die.show(seatOf(color), state.diceValue ?? null);
    this.#highlight(color);
    this.#seat(state.players);
    this.#turn.show(state);
    this.#players.show(state);
    say(byId("summary"), summary(state));
  }

  #highlight(color) {
    for (const yard of this.#root.querySelectorAll(".yard")) {
      yard.classList.toggle("in-turn", yard.getAttribute("data-seat") === color);
    }
  }

  #seat(players) {
    const seated = players.map(({ color, playerName }) => `${color} ${playerName}`).join();
    if (seated === this.#seated) return;
    this.#seated = seated;
    COLORS.forEach((color, seat) => {
      const name = players.find((player) => player.color === color)?.playerName;
      this.#layers.names[seat].textContent = name === undefined ? "" : shortened(name);
      this.#root.querySelector(`.yard.${color}`)?.classList.toggle("empty", name === undefined);
    });
  }

  /** A short note on the board, beside where it happened. */
  #note(text, at = { x: GRID / 2, y: GRID / 2 }) {
    const label = /** @type {SVGTextElement} */ (
      svg("text", { "text-anchor": "middle", y: 0.14 }, text)
    );
    const pill = svg("rect", { y: -0.36, height: 0.72, rx: 0.36 });
    const note = svg("g", { class: "capture-note" }, pill, label);
    this.#layers.notes.replaceChildren(note);
    const width = label.getComputedTextLength() + 0.7;
    pill.setAttribute("x", String(-width / 2));
    pill.setAttribute("width", String(width));
    const x = Math.min(GRID - width / 2, Math.max(width / 2, at.x));
    const y = at.y > 2 ? at.y - 1.15 : at.y + 1.05;
    note.setAttribute("transform", `translate(${x} ${y})`);
    setTimeout(() => note.remove(), NOTE_MS);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms, true));

const shortened = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);

/** All pieces in words, for those who do not see the board. */
function summary(state) {
  const of = (player) => {
    const own = state.pieces.filter((piece) => piece.playerId === player.playerId);
    const places = own.map(
      ({ pieceId, position }) => `${pieceId} ${placeName(seatOf(player.color), position)}`,
    );
    return `${player.playerName}, ${player.color}: ${places.join(", ")}.`;
  };
  return state.players.map(of).join(" ");
}
