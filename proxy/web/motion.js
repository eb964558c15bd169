/** Movement over time, and whether there should be any. */

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** True when pieces are to be put where they belong at once: nobody looks, or nobody wants it. */
export const still = () => calm.matches || document.hidden;

/** Slow at both ends. */
export const eased = (part) => (part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) ** 2);

/**
 * Calls `draw` with 0…1 over `ms`. `done` resolves to true at the end and to false when stopped;
 * a tab that goes to sleep does not hold it up, for then the timer ends it.
 * @type {(ms: number, draw: (part: number) => void) => {done: Promise<boolean>, stop: () => void}}
 */
export function tween(ms, draw) {
  if (ms <= 0 || still()) {
    draw(1);
    return { done: Promise.resolve(true), stop: () => {} };
  }
  let finish = (_) => {};
  const done = new Promise((resolve) => (finish = resolve));
  const began = performance.now();
  const end = (whole) => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    if (whole) draw(1);
    finish(whole);
  };
  const step = (now) => {
    const part = (now - began) / ms;
    if (part >= 1) return end(true);
    draw(Math.max(0, part));
    frame = requestAnimationFrame(step);
  };
  let frame = requestAnimationFrame(step);
  const timer = setTimeout(() => end(true), ms + 100);
  return { done, stop: () => end(false) };
}
