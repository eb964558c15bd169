/** Draws the board itself: yards, track, home columns, stars. Nothing of it moves. */

import { svg } from "./dom.js";
import {
  GRID,
  COLORS,
  SAFE_SQUARES,
  TRACK_LENGTH,
  columnPoint,
  socketPoint,
  squarePoint,
  startSquare,
  yardCorner,
} from "./geometry.js";

const RIM = 0.4;
const SEATS = [0, 1, 2, 3];

/**
 * Fills an `<svg>` and returns the layers in which things stand, and the name plates by seat.
 * @type {(root: SVGElement) => Record<"pieces" | "die" | "notes", SVGElement> &
 *   {names: SVGElement[]}}
 */
export function drawBoard(root) {
  const size = GRID + 2 * RIM;
  root.setAttribute("viewBox", `${-RIM} ${-RIM} ${size} ${size}`);
  const names = SEATS.map(namePlate);
  const [die, pieces, notes] = ["die-layer", "pieces", "notes"].map((name) =>
    svg("g", { class: name }),
  );
  root.append(
    definitions(),
    svg("rect", { class: "frame", x: -RIM, y: -RIM, width: size, height: size, rx: 0.9 }),
    svg(
      "g",
      { "clip-path": "url(#rounded)" },
      svg("rect", { class: "ground", width: GRID, height: GRID }),
      ...SEATS.map(yard),
      ...trackSquares(),
      ...SEATS.flatMap(homeColumn),
      ...SEATS.map(homeTriangle),
      ...SAFE_SQUARES.map(star),
      ...SEATS.map(entrance),
    ),
    ...names,
    die,
    pieces,
    notes,
  );
  return { pieces, die, notes, names };
}

function definitions() {
  const corner = svg(
    "clipPath",
    { id: "rounded" },
    svg("rect", { width: GRID, height: GRID, rx: 0.6 }),
  );
  const sheen = svg(
    "linearGradient",
    { id: "sheen", x2: 1, y2: 1 },
    svg("stop", { class: "sun", offset: 0 }),
    svg("stop", { class: "dusk", offset: 1 }),
  );
  return svg("defs", {}, corner, sheen, ...COLORS.flatMap(shading));
}

/** A piece's head and body, lit from the upper left. */
function shading(color) {
  const stops = () =>
    ["light", "plain", "dark"].map((tone, index) =>
      svg("stop", { class: `${color} ${tone}`, offset: [0, 0.5, 1][index] }),
    );
  return [
    svg("radialGradient", { id: `head-${color}`, cx: 0.36, cy: 0.3, r: 0.75 }, ...stops()),
    svg("linearGradient", { id: `body-${color}` }, ...stops()),
  ];
}

const square = ({ x, y }, name) =>
  svg("rect", { class: name, x: x - 0.5, y: y - 0.5, width: 1, height: 1 });

function trackSquares() {
  const starts = SEATS.map(startSquare);
  return Array.from({ length: TRACK_LENGTH }, (_, index) => {
    const seat = starts.indexOf(index);
    const mark = square(squarePoint(index), seat < 0 ? "square" : `square seat ${COLORS[seat]}`);
    mark.setAttribute("data-square", String(index));
    return mark;
  });
}

const homeColumn = (seat) =>
  [51, 52, 53, 54, 55].map((position) =>
    square(columnPoint(seat, position), `square seat ${COLORS[seat]}`),
  );

/** Seats are the red one's drawing, turned about the middle. */
const quarterTurns = (seat) => `rotate(${90 * seat} 7.5 7.5)`;

const homeTriangle = (seat) =>
  svg("path", {
    class: `triangle seat ${COLORS[seat]}`,
    d: "M6 6V9L7.5 7.5Z",
    transform: quarterTurns(seat),
  });

/** The arrow on the square from which a colour turns into its column. */
const entrance = (seat) =>
  svg("path", {
    class: `entrance ${COLORS[seat]}`,
    d: "M.22 7.5H.72M.52 7.26.76 7.5.52 7.74",
    transform: quarterTurns(seat),
  });

function star(index) {
  const { x, y } = squarePoint(index);
  const points = Array.from({ length: 10 }, (_, corner) => {
    const [angle, radius] = [(Math.PI * corner) / 5, corner % 2 ? 0.15 : 0.34];
    const point = [x + radius * Math.sin(angle), y - radius * Math.cos(angle)];
    return point.map((value) => value.toFixed(3)).join();
  });
  return svg("polygon", { class: index % 13 ? "star" : "star start", points: points.join(" ") });
}

function yard(seat) {
  const { x, y } = yardCorner(seat);
  return svg(
    "g",
    { class: `yard ${COLORS[seat]}`, "data-seat": COLORS[seat] },
    svg("rect", { class: "seat block", x, y, width: 6, height: 6 }),
    svg("rect", { class: "sheen", x, y, width: 6, height: 6 }),
    svg("rect", { class: "glow", x: x + 0.82, y: y + 0.82, width: 4.36, height: 4.36, rx: 1 }),
    svg("rect", { class: "panel", x: x + 1, y: y + 1, width: 4, height: 4, rx: 0.85 }),
    ...[0, 1, 2, 3].map((number) => socket(seat, number)),
  );
}

function socket(seat, number) {
  const { x, y } = socketPoint(seat, number);
  return svg("circle", { class: "socket", cx: x, cy: y, r: 0.56 });
}

function namePlate(seat) {
  const { x, y } = yardCorner(seat);
  const line = seat < 2 ? y + 0.66 : y + 5.66;
  return svg("text", {
    class: `name on-${COLORS[seat]}`,
    x: x + 3,
    y: line,
    "text-anchor": "middle",
  });
}
