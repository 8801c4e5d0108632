// Node's querystring.
const hex = (_, code) => String.fromCharCode(parseInt(code, 16));
const unescape = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9A-Fa-f]{2})/g, hex);
  }
};
const escape = (text) =>
  encodeURIComponent(String(text)).replace(/[!'()*]/g, (c) => "!'()*".includes(c) ? c : encodeURIComponent(c));
const shown = (value) =>
  ["string", "number", "boolean", "bigint"].includes(typeof value) ? escape(String(value)) : "";
const stringify = (object, separator = "&", equals = "=") =>
  Object.entries(object || {})
    .flatMap(([key, value]) => [value].flat().map((one) => `${escape(key)}${equals}${shown(one)}`))
    .join(separator);
const parse = (text, separator = "&", equals = "=", { maxKeys = 1000 } = {}) => {
  const found = Object.create(null);
  const pairs = String(text || "").split(separator).filter((pair) => pair !== "");
  for (const pair of maxKeys > 0 ? pairs.slice(0, maxKeys) : pairs) {
    const at = pair.indexOf(equals);
    const read = (part) => unescape(part.replace(/\+/g, " "));
    const key = read(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? "" : read(pair.slice(at + equals.length));
    found[key] = key in found ? [found[key], value].flat() : value;
  }
  return found;
};
module.exports = { stringify, parse, encode: stringify, decode: parse, escape, unescape };
