// Files of one call: in its memory, gone with it.
const { Buffer } = require("buffer");
const files = new Map();
const missing = (path) =>
  Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT", errno: -2, path });
const readFileSync = (path, options) => {
  const found = files.get(String(path));
  if (found === undefined) throw missing(path);
  const encoding = typeof options === "string" ? options : options?.encoding;
  return encoding ? found.toString(encoding) : Buffer.from(found);
};
const writeFileSync = (path, data) => void files.set(String(path), Buffer.from(data));
const appendFileSync = (path, data) =>
  writeFileSync(path, Buffer.concat([files.get(String(path)) || Buffer.alloc(0), Buffer.from(data)]));
const existsSync = (path) => files.has(String(path));
const unlinkSync = (path) => {
  if (!files.delete(String(path))) throw missing(path);
};
const statSync = (path) => {
  if (!existsSync(path)) throw missing(path);
  return { size: files.get(String(path)).length, isFile: () => true, isDirectory: () => false, mtime: new Date() };
};
const sync = {
  readFileSync, writeFileSync, appendFileSync, existsSync, unlinkSync, statSync, lstatSync: statSync,
  accessSync: statSync, mkdirSync() {}, readdirSync: () => [...files.keys()],
};
const promises = {}, later = {};
for (const [name, task] of Object.entries(sync)) {
  const plain = name.slice(0, -"Sync".length);
  promises[plain] = async (...given) => task(...given);
  later[plain] = (...given) => {
    const done = given.pop();
    if (plain === "exists") promises[plain](...given).then(done);
    else promises[plain](...given).then((value) => done(null, value), done);
  };
}
const refuse = (name) => () => {
  throw new Error(`fs.${name} is not available in functions: there are no files`);
};
class Unavailable {
  constructor() {
    refuse("Stream")();
  }
}
module.exports = {
  ...sync, ...later, promises, constants: { F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1 },
  createReadStream: refuse("createReadStream"), createWriteStream: refuse("createWriteStream"),
  open: refuse("open"), close: refuse("close"), read: refuse("read"), write: refuse("write"), rename: refuse("rename"),
  realpath: refuse("realpath"), realpathSync: refuse("realpathSync"), watch: refuse("watch"),
  ReadStream: Unavailable, WriteStream: Unavailable, Stats: Unavailable,
};
