// Buffer by the package of that name, with what goes over all bytes done by the host.
const { Buffer, Blob, ...rest } = require("buffer/");
const toString = Buffer.prototype.toString;
const isUtf8 = (encoding) => encoding === undefined || /^utf-?8$/i.test(encoding);
Buffer.prototype.toString = function (encoding, start, end) {
  if (start === undefined && end === undefined && isUtf8(encoding)) {
    return host.call("decode", this, false, true);
  }
  return toString.call(this, encoding, start, end);
};
const plain = Buffer.from;
Buffer.from = function (value, encoding, length) {
  if (typeof value !== "string" || !isUtf8(encoding)) return plain(value, encoding, length);
  const bytes = host.call("encode", value.toWellFormed());
  return plain(bytes.buffer, bytes.byteOffset, bytes.byteLength);
};
Buffer.poolSize = 0;
const refuse = () => {
  throw new (globalThis.DOMException || Error)("the string is not correctly encoded");
};
const atob = (text) => {
  const clean = String(text).replace(/[\t\n\f\r ]/g, "").replace(/^((?:.{4})*(?:.{2}==|.{3}=))$/, (all) => all.replace(/=+$/, ""));
  if (clean.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(clean)) refuse();
  return plain(clean, "base64").toString("latin1");
};
const btoa = (text) => {
  const string = String(text);
  if (/[^\0-\xff]/.test(string)) refuse();
  return plain(string, "latin1").toString("base64");
};
module.exports = { ...rest, Buffer, atob, btoa };
