/**
 * Where everything stands on a Ludo board, in units of its 15 × 15 grid: x to the right, y down,
 * the centre of a square at .5. Pure: no DOM. A colour is its seat (R1), and what a seat has is
 * what red has, turned clockwise by a quarter a seat.
 */

/** @typedef {{x: number, y: number}} Point */
/** @typedef {{dx: number, dy: number, scale: number}} Offset */

export const GRID = 15;
export const COLORS = Object.freeze(["red", "green", "blue", "yellow"]);
export const TRACK_LENGTH = 52;
export const YARD = -1;
export const LAST_ON_TRACK = 50;
export const HOME = 56;
/** Squares on which nothing is captured (R3). */
export const SAFE_SQUARES = Object.freeze([0, 8, 13, 21, 26, 34, 39, 47]);

/** The first thirteen squares, from red's start to the one before green's, as [column, row]. */
// prettier-ignore
const FIRST_QUARTER = [
  [1, 6], [2, 6], [3, 6], [4, 6], [5, 6],
  [6, 5], [6, 4], [6, 3], [6, 2], [6, 1], [6, 0],
  [7, 0], [8, 0],
];
// prettier-ignore
const RED_COLUMN = [[1, 7], [2, 7], [3, 7], [4, 7], [5, 7]];
/** Top left corners of the yards, each six units wide. */
// prettier-ignore
const YARD_CORNERS = [[0, 0], [9, 0], [9, 9], [0, 9]];
// prettier-ignore
const YARD_SOCKETS = [[2, 2], [4, 2], [2, 4], [4, 4]];

/** @type {(square: number[]) => Point} */
const centre = ([column, row]) => ({ x: column + 0.5, y: row + 0.5 });

/** @type {(point: Point, seat: number) => Point} */
function turned(point, seat) {
  let { x, y } = point;
  for (let quarter = 0; quarter < seat; quarter += 1) [x, y] = [GRID - y, x];
  return { x, y };
}

/** The seat of a colour's name, -1 for a word that is no colour. */
export const seatOf = (color) => COLORS.indexOf(color);

/** The shared square on which a seat's pieces enter the track (R1). */
export const startSquare = (seat) => 13 * seat;

/** The shared square under a piece, or null in the yard, a home column or at home (R2). */
export function squareAt(seat, position) {
  if (position < 0 || position > LAST_ON_TRACK) return null;
  return (startSquare(seat) + position) % TRACK_LENGTH;
}

/** The centre of one of the 52 shared squares. @type {(square: number) => Point} */
export function squarePoint(square) {
  return turned(centre(FIRST_QUARTER[square % 13]), Math.floor(square / 13));
}

/**
 * The centre of a home column's square, positions 51–55.
 * @type {(seat: number, position: number) => Point}
 */
export function columnPoint(seat, position) {
  return turned(centre(RED_COLUMN[position - LAST_ON_TRACK - 1]), seat);
}

/** The top left corner of a seat's yard. @type {(seat: number) => Point} */
export function yardCorner(seat) {
  const [x, y] = YARD_CORNERS[seat];
  return { x, y };
}

/**
 * Where piece `number` (0–3) of a seat waits in its yard.
 * @type {(seat: number, number: number) => Point}
 */
export function socketPoint(seat, number) {
  const corner = yardCorner(seat);
  const [x, y] = YARD_SOCKETS[number];
  return { x: corner.x + x, y: corner.y + y };
}

/**
 * Where piece `number` of a seat rests: along the base of its triangle in the centre.
 * @type {(seat: number, number: number) => Point}
 */
export function homePoint(seat, number) {
  return turned({ x: 6.42, y: 7.5 + (number - 1.5) * 0.5 }, seat);
}

/**
 * The centre of where a piece stands (R2).
 * @type {(seat: number, number: number, position: number) => Point}
 */
export function pointOf(seat, number, position) {
  if (position <= YARD) return socketPoint(seat, number);
  if (position >= HOME) return homePoint(seat, number);
  const square = squareAt(seat, position);
  return square === null ? columnPoint(seat, position) : squarePoint(square);
}

/** A name for the place of a piece: pieces of one name share it and are fanned out. */
export function spotOf(seat, number, position) {
  if (position <= YARD || position >= HOME) return `${position}:${seat}:${number}`;
  const square = squareAt(seat, position);
  return square === null ? `column:${seat}:${position}` : `square:${square}`;
}

/** The positions a piece touches on its way, the last one included; none on a way back. */
export function stepsBetween(from, to) {
  const steps = [];
  for (let position = from + 1; position <= to; position += 1) steps.push(position);
  return steps;
}

/** How small a piece is drawn at home. */
export const HOME_SCALE = 0.5;

// prettier-ignore
const FANS = [
  [],
  [[0, 0]],
  [[-0.21, 0], [0.21, 0]],
  [[-0.22, -0.14], [0.22, -0.14], [0, 0.18]],
  [[-0.21, -0.16], [0.21, -0.16], [-0.21, 0.2], [0.21, 0.2]],
];
const FAN_SCALES = [1, 1, 0.8, 0.7, 0.64];

/**
 * How `count` pieces share one place without hiding each other.
 * @type {(count: number) => Offset[]}
 */
export function fan(count) {
  const scale = FAN_SCALES[count] ?? 0.52;
  const offsets = FANS[count] ?? ring(count);
  return offsets.map(([dx, dy]) => ({ dx, dy, scale }));
}

function ring(count) {
  return Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    return [0.3 * Math.cos(angle), 0.3 * Math.sin(angle)];
  });
}
