// Node's zlib by the host, which bounds what comes out. A stream collects and works at its end.
const { Transform } = require("stream");
const { Buffer } = require("buffer");
const constants = {
  Z_NO_FLUSH: 0, Z_PARTIAL_FLUSH: 1, Z_SYNC_FLUSH: 2, Z_FULL_FLUSH: 3, Z_FINISH: 4, Z_BLOCK: 5, Z_OK: 0, Z_STREAM_END: 1,
  Z_BUF_ERROR: -5, Z_DATA_ERROR: -3, Z_NO_COMPRESSION: 0, Z_BEST_SPEED: 1, Z_BEST_COMPRESSION: 9, Z_DEFAULT_COMPRESSION: -1,
  Z_FILTERED: 1, Z_HUFFMAN_ONLY: 2, Z_RLE: 3, Z_FIXED: 4, Z_DEFAULT_STRATEGY: 0, Z_MIN_WINDOWBITS: 8, Z_MAX_WINDOWBITS: 15,
  Z_DEFAULT_WINDOWBITS: 15, Z_MIN_CHUNK: 64, Z_MAX_CHUNK: Infinity, Z_DEFAULT_CHUNK: 16384, Z_MIN_MEMLEVEL: 1, Z_MAX_MEMLEVEL: 9,
  Z_DEFAULT_MEMLEVEL: 8, BROTLI_OPERATION_PROCESS: 0, BROTLI_OPERATION_FLUSH: 1, BROTLI_OPERATION_FINISH: 2,
};
const bytes = (input) => typeof input === "string" ? Buffer.from(input)
  : input instanceof ArrayBuffer ? new Uint8Array(input) : new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
const run = (op, input, options) => {
  const level = Number.isInteger(options?.level) && options.level >= 0 ? Math.min(options.level, 9) : 6;
  const out = host.call("zlib", op, bytes(input), level);
  if (out === undefined) throw Object.assign(new Error("incorrect header check"), { code: "Z_DATA_ERROR", errno: -3 });
  return Buffer.from(out.buffer, out.byteOffset, out.byteLength);
};
class Zlib extends Transform {
  constructor(op, options = {}) {
    super(options);
    this.op = op;
    this.given = options;
    this.pieces = [];
    this.bytesWritten = 0;
  }
  _transform(piece, encoding, done) {
    const part = typeof piece === "string" ? Buffer.from(piece, encoding) : piece;
    this.pieces.push(part);
    this.bytesWritten += part.length;
    done();
  }
  _flush(done) {
    try {
      const all = Buffer.concat(this.pieces);
      this.pieces = [];
      done(null, all.length === 0 && this.op.startsWith("in") ? undefined : run(this.op, all, this.given));
    } catch (error) {
      done(error);
    }
  }
  flush(kind, done) {
    const told = typeof kind === "function" ? kind : done;
    if (told) queueMicrotask(told);
  }
  close(done) {
    if (done) queueMicrotask(done);
    this.destroy();
  }
  params(_level, _strategy, done) {
    queueMicrotask(done);
  }
}
const ops = { Gzip: "gzip", Gunzip: "ingzip", Deflate: "zlib", Inflate: "inzlib", DeflateRaw: "raw", InflateRaw: "inraw",
  Unzip: "inany", BrotliDecompress: "inbrotli" };
module.exports = { constants, ...constants, codes: {} };
for (const [name, op] of Object.entries(ops)) {
  const plain = name[0].toLowerCase() + name.slice(1);
  module.exports[name] = class extends Zlib {
    constructor(options) {
      super(op, options);
    }
  };
  module.exports[`create${name}`] = (options) => new module.exports[name](options);
  module.exports[`${plain}Sync`] = (input, options) => run(op, input, options);
  module.exports[plain] = (input, options, done) => {
    const told = typeof options === "function" ? options : done;
    queueMicrotask(() => {
      let out;
      try {
        out = run(op, input, options);
      } catch (error) {
        return told(error);
      }
      return told(null, out);
    });
  };
}
