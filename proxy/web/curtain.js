/** What lies over the board when there is nothing to play on it, or when a game is won. */

import { byId, dot, html } from "./dom.js";
import { ordinal, playerOf } from "./words.js";

const CONFETTI = 44;

export class Curtain {
  #shown = "";

  hide() {
    this.#shown = "";
    byId("curtain").hidden = true;
    byId("curtain").replaceChildren();
  }

  /** The winner and the places; `aside` is where the page says what comes next. */
  winner(state, placements, aside) {
    const winner = playerOf(state, state.winnerId);
    const rows = placements.map((playerId, index) => {
      const { playerName, color } = playerOf(state, playerId);
      return html("li", { class: color }, html("b", {}, ordinal(index)), dot(), playerName);
    });
    this.#show(
      "winner",
      winner.color,
      html("p", { class: "crown", "aria-hidden": "true" }, "♛"),
      html("h2", {}, state.winnerId ? `${winner.playerName} wins` : "The game is over"),
      html("ol", { class: "places" }, ...rows),
      aside,
    );
  }

  /** A calm word when nothing is played: a title, and whatever else helps. */
  word(title, ...more) {
    this.#show(title, "", html("h2", {}, title), ...more);
  }

  #show(what, color, ...children) {
    if (this.#shown === what) return;
    this.#shown = what;
    const behind = what === "winner" ? [confetti()] : [];
    byId("curtain").replaceChildren(
      ...behind,
      html("div", { class: `notice ${color}` }, ...children),
    );
    byId("curtain").hidden = false;
  }
}

function confetti() {
  const pieces = Array.from({ length: CONFETTI }, (_, index) => {
    const piece = html("i");
    piece.style.setProperty("--x", `${(index * 61) % 100}`);
    piece.style.setProperty("--late", `${(index * 37) % 17}`);
    return piece;
  });
  return html("div", { class: "confetti", "aria-hidden": "true" }, ...pieces);
}

/** A form that takes a token for proxies that show games to known callers only. */
export function tokenForm(/** @type {(token: string) => void} */ take) {
  const field = html("input", { type: "password", required: true, "aria-label": "Token" });
  const form = html("form", {}, field, html("button", {}, "Show games"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    take(/** @type {HTMLInputElement} */ (field).value.trim());
  });
  return form;
}
