/** Changes to a JSON document (RFC 6902), by JSON pointer (RFC 6901). */

/** @typedef {{op: string, path: string, from?: string, value?: any}} Operation */
/** An object or an array. @typedef {any} Tree */

/**
 * The document that a patch makes of `document`, which stays as it is; throws if it does not fit.
 */
export function patched(/** @type {any} */ document, /** @type {Operation[]} */ patch) {
  /** @type {Tree} */
  const root = { "": structuredClone(document) };
  for (const { op, path, from = "", value } of patch) {
    if (op === "add" || op === "replace") put(root, path, value, op === "add");
    else if (op === "remove") take(root, path, true);
    else if (op === "move") put(root, path, take(root, from, true), true);
    else if (op === "copy") put(root, path, structuredClone(take(root, from, false)), true);
    else if (op !== "test" || !same(take(root, path, false), value)) {
      throw new Error(`expected ${path} to take ${op} ${JSON.stringify(value)}`);
    }
  }
  return root[""];
}

/** The container that a JSON pointer leads into, and the last key in it. */
function lead(/** @type {Tree} */ root, /** @type {string} */ pointer) {
  const keys = pointer.split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = /** @type {string} */ (keys.pop());
  return [keys.reduce((at, key) => at[known(at, key)], root), last];
}

function known(/** @type {Tree} */ container, /** @type {string} */ key) {
  if (Object.hasOwn(container, key) && !(Array.isArray(container) && key === "length")) return key;
  throw new Error(`expected a member ${key}`);
}

function take(/** @type {Tree} */ root, /** @type {string} */ pointer, removing = false) {
  const [at, key] = lead(root, pointer);
  const value = at[known(at, key)];
  if (removing && Array.isArray(at)) at.splice(Number(key), 1);
  else if (removing) delete at[key];
  return value;
}

function put(
  /** @type {Tree} */ root,
  /** @type {string} */ pointer,
  /** @type {any} */ value,
  /** @type {boolean} */ adding,
) {
  const [at, key] = lead(root, pointer);
  if (!adding) at[known(at, key)] = value;
  else if (!Array.isArray(at)) at[key] = value;
  else if (key === "-") at.push(value);
  else if (/^\d+$/.test(key) && Number(key) <= at.length) at.splice(Number(key), 0, value);
  else throw new Error(`expected an index up to ${at.length}, found ${key}`);
}

/** @returns {boolean} */
function same(/** @type {any} */ one, /** @type {any} */ other) {
  if (one === other || !one || !other || typeof one !== "object") return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]))
  );
}
