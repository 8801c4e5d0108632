// TextEncoder and TextDecoder (Encoding standard), for UTF-8, UTF-16LE and Latin-1.
const { Buffer } = require("buffer");
class TextEncoder {
  get encoding() {
    return "utf-8";
  }
  encode(text = "") {
    return host.call("encode", String(text).toWellFormed());
  }
  encodeInto(text, into) {
    let read = 0, written = 0;
    for (const character of String(text)) {
      const bytes = this.encode(character);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}
const labels = {
  "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8", "utf-16le": "utf-16le", "utf-16": "utf-16le",
  ucs2: "utf-16le", "ucs-2": "utf-16le", latin1: "windows-1252", "iso-8859-1": "windows-1252",
  ascii: "windows-1252", "us-ascii": "windows-1252", "windows-1252": "windows-1252",
};
const bytesOf = (input) => {
  if (input === undefined) return new Uint8Array(0);
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
};
class TextDecoder {
  #held = new Uint8Array(0);
  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    this.encoding = labels[String(label).trim().toLowerCase()];
    if (this.encoding === undefined) throw new RangeError(`the encoding ${label} is not known`);
    this.fatal = Boolean(fatal);
    this.ignoreBOM = Boolean(ignoreBOM);
  }
  decode(input, { stream = false } = {}) {
    const now = bytesOf(input);
    let bytes = now;
    if (this.#held.length > 0) {
      bytes = new Uint8Array(this.#held.length + now.length);
      bytes.set(this.#held);
      bytes.set(now, this.#held.length);
    }
    const cut = stream ? this.#whole(bytes) : bytes.length;
    this.#held = bytes.slice(cut);
    bytes = bytes.subarray(0, cut);
    if (this.encoding === "utf-8") return host.call("decode", bytes, this.fatal, this.ignoreBOM);
    const name = this.encoding === "utf-16le" ? "utf16le" : "latin1";
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(name);
  }
  /** How many bytes end with a whole character. */
  #whole(bytes) {
    if (this.encoding === "utf-16le") return bytes.length - (bytes.length % 2);
    if (this.encoding !== "utf-8") return bytes.length;
    for (let back = 1; back <= Math.min(4, bytes.length); back++) {
      const byte = bytes[bytes.length - back];
      if (byte < 0x80) break;
      if (byte >= 0xc0) {
        const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
        return length > back ? bytes.length - back : bytes.length;
      }
    }
    return bytes.length;
  }
}
module.exports = { TextEncoder, TextDecoder };
