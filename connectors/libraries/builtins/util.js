// The parts of Node's util that libraries use.
const { TextEncoder, TextDecoder } = require("host-encoding");
const isObject = (value) => value !== null && typeof value === "object";
const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
const custom = Symbol.for("nodejs.util.inspect.custom");

const inspect = (value, options, depth = 0, seen = []) => {
  if (typeof value === "string") return depth === 0 && !isObject(options) ? `'${value}'` : JSON.stringify(value);
  if (typeof value === "function") return `[Function: ${value.name || "(anonymous)"}]`;
  if (typeof value === "bigint") return `${value}n`;
  if (!isObject(value)) return String(value);
  if (seen.includes(value)) return "[Circular *1]";
  if (typeof value[custom] === "function") return String(value[custom](depth, options || {}, inspect));
  if (value instanceof Error) return value.stack || String(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof RegExp) return String(value);
  if (depth > 2) return Array.isArray(value) ? "[Array]" : "[Object]";
  const within = [...seen, value];
  const show = (item) => inspect(item, options, depth + 1, within);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[ ${value.map(show).join(", ")} ]`;
  if (value instanceof Map) return `Map(${value.size}) {${[...value].map(([k, v]) => ` ${show(k)} => ${show(v)}`).join(",")} }`;
  if (value instanceof Set) return `Set(${value.size}) { ${[...value].map(show).join(", ")} }`;
  const entries = Object.keys(value).map((key) => `${key}: ${show(value[key])}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
};
inspect.custom = custom;
inspect.defaultOptions = {};

const format = (first, ...rest) => {
  if (typeof first !== "string") return [first, ...rest].map((value) => inspect(value)).join(" ");
  const text = first.replace(/%[sdifjoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (rest.length === 0) return mark;
    const value = rest.shift();
    if (mark === "%s") return isObject(value) ? inspect(value) : String(value);
    if (mark === "%d") return String(Number(value));
    if (mark === "%i") return String(parseInt(value, 10));
    if (mark === "%f") return String(parseFloat(value));
    if (mark === "%j") return JSON.stringify(value);
    return mark === "%c" ? "" : inspect(value);
  });
  return [text, ...rest.map((value) => (isObject(value) ? inspect(value) : String(value)))].join(" ");
};

const inherits = (child, parent) => {
  child.super_ = parent;
  Object.setPrototypeOf(child.prototype, parent.prototype);
};

const promisify = (task) => {
  if (typeof task[promisify.custom] === "function") return task[promisify.custom];
  return function (...given) {
    return new Promise((done, fail) =>
      task.call(this, ...given, (error, value) => (error ? fail(error) : done(value))));
  };
};
promisify.custom = Symbol.for("nodejs.util.promisify.custom");
const callbackify = (task) => (...given) => {
  const tell = given.pop();
  task(...given).then((value) => tell(null, value), (error) => tell(error));
};

const typed = Object.getPrototypeOf(Uint8Array);
const types = {
  isAnyArrayBuffer: (v) => v instanceof ArrayBuffer || v instanceof SharedArrayBuffer,
  isArrayBuffer: (v) => v instanceof ArrayBuffer,
  isArrayBufferView: (v) => ArrayBuffer.isView(v),
  isAsyncFunction: (v) => tag(v) === "AsyncFunction",
  isGeneratorFunction: (v) => tag(v) === "GeneratorFunction",
  isGeneratorObject: (v) => tag(v) === "Generator",
  isBoxedPrimitive: (v) => isObject(v) && ["Number", "String", "Boolean", "Symbol", "BigInt"].includes(tag(v)),
  isDate: (v) => v instanceof Date,
  isExternal: () => false,
  isMap: (v) => v instanceof Map,
  isNativeError: (v) => v instanceof Error,
  isPromise: (v) => v instanceof Promise,
  isProxy: () => false,
  isRegExp: (v) => v instanceof RegExp,
  isSet: (v) => v instanceof Set,
  isTypedArray: (v) => v instanceof typed,
  isUint8Array: (v) => v instanceof Uint8Array,
  isWeakMap: (v) => v instanceof WeakMap,
  isWeakSet: (v) => v instanceof WeakSet,
};

const isDeepStrictEqual = (a, b) => {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return a.getTime() === b.getTime();
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => isDeepStrictEqual(a[key], b[key]));
};

module.exports = {
  TextEncoder, TextDecoder, inspect, format, inherits, promisify, callbackify, types, isDeepStrictEqual,
  deprecate: (task) => task,
  debuglog: () => Object.assign(() => {}, { enabled: false }),
  debug: () => Object.assign(() => {}, { enabled: false }),
  formatWithOptions: (_, ...given) => format(...given),
  toUSVString: (text) => String(text).toWellFormed(),
  stripVTControlCharacters: (text) => text.replace(/\u001b\[[0-9;]*m/g, ""),
  isArray: Array.isArray,
  isBoolean: (v) => typeof v === "boolean",
  isBuffer: (v) => v instanceof Uint8Array,
  isDate: types.isDate,
  isError: types.isNativeError,
  isFunction: (v) => typeof v === "function",
  isNull: (v) => v === null,
  isNullOrUndefined: (v) => v === null || v === undefined,
  isNumber: (v) => typeof v === "number",
  isObject,
  isPrimitive: (v) => !isObject(v) && typeof v !== "function",
  isRegExp: types.isRegExp,
  isString: (v) => typeof v === "string",
  isSymbol: (v) => typeof v === "symbol",
  isUndefined: (v) => v === undefined,
};
