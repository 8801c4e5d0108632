// The URL standard by the host's parser, and Node's older functions by the package `url`.
const legacy = require("url/");
const PARTS = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];
const write = (text) => encodeURIComponent(text.toWellFormed()).replace(/%20/g, "+")
  .replace(/[!'()~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const read = (text) => {
  const spaced = text.replace(/\+/g, " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced.replace(/(%[0-9a-f]{2})+/gi, (run) =>
      host.call("decode", Uint8Array.from(run.slice(1).split("%"), (code) => parseInt(code, 16)), false, true));
  }
};

const parse = (text, base) =>
  host.call("url", String(text).toWellFormed(), base === undefined ? undefined : String(base).toWellFormed());

class URLSearchParams {
  #pairs = [];
  #changed = () => {};
  constructor(from = "", changed) {
    if (typeof changed === "function") this.#changed = changed;
    if (from !== null && typeof from === "object") {
      const pairs = typeof from[Symbol.iterator] === "function" ? [...from] : Object.entries(from);
      this.#pairs = pairs.map((pair) => {
        const [name, value, ...more] = [...pair];
        if (value === undefined && [...pair].length < 2 || more.length > 0) {
          throw new TypeError("each pair must be a name and a value");
        }
        return [String(name), String(value)];
      });
    } else this.#parse(String(from));
  }
  #parse(text) {
    this.#pairs = text.replace(/^\?/, "").split("&").filter((part) => part !== "").map((part) => {
      const at = part.indexOf("=");
      return at < 0 ? [read(part), ""] : [read(part.slice(0, at)), read(part.slice(at + 1))];
    });
  }
  get size() {
    return this.#pairs.length;
  }
  append(name, value) {
    this.#pairs.push([String(name), String(value)]);
    this.#changed(this);
  }
  delete(name, value) {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== String(name) || (value !== undefined && pair[1] !== String(value)));
    this.#changed(this);
  }
  get(name) {
    const pair = this.#pairs.find((one) => one[0] === String(name));
    return pair === undefined ? null : pair[1];
  }
  getAll(name) {
    return this.#pairs.filter((pair) => pair[0] === String(name)).map((pair) => pair[1]);
  }
  has(name, value) {
    return this.#pairs.some((pair) => pair[0] === String(name) && (value === undefined || pair[1] === String(value)));
  }
  set(name, value) {
    const at = this.#pairs.findIndex((pair) => pair[0] === String(name));
    if (at < 0) this.#pairs.push([String(name), String(value)]);
    else {
      this.#pairs[at] = [String(name), String(value)];
      this.#pairs = this.#pairs.filter((pair, index) => index <= at || pair[0] !== String(name));
    }
    this.#changed(this);
  }
  sort() {
    this.#pairs.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#changed(this);
  }
  forEach(task, self) {
    for (const [name, value] of this.#pairs) task.call(self, value, name, this);
  }
  *entries() {
    for (const [name, value] of this.#pairs) yield [name, value];
  }
  *keys() {
    for (const pair of this.#pairs) yield pair[0];
  }
  *values() {
    for (const pair of this.#pairs) yield pair[1];
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  toString() {
    return this.#pairs.map(([name, value]) => `${write(name)}=${write(value)}`).join("&");
  }
  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }
}

class URL {
  #parts;
  #origin;
  #params;
  constructor(text, base) {
    this.#take(parse(text, base));
    if (this.#parts === undefined) {
      const error = new TypeError("Invalid URL");
      throw Object.assign(error, { code: "ERR_INVALID_URL", input: String(text) });
    }
  }
  static canParse(text, base) {
    return parse(text, base) !== undefined;
  }
  static parse(text, base) {
    return URL.canParse(text, base) ? new URL(text, base) : null;
  }
  #take(parts) {
    if (parts === undefined) return;
    this.#parts = Object.fromEntries(PARTS.map((name, index) => [name, parts[index]]));
    this.#origin = parts[PARTS.length];
  }
  get origin() {
    return this.#origin;
  }
  get searchParams() {
    if (this.#params === undefined || this.#params.of !== this.#parts.search) {
      const list = new URLSearchParams(this.#parts.search, () => {
        const text = list.toString();
        this.#take(host.call("set-url", this.#parts.href, "search", text === "" ? "" : `?${text}`));
        this.#params.of = this.#parts.search;
      });
      this.#params = { of: this.#parts.search, list };
    }
    return this.#params.list;
  }
  toString() {
    return this.href;
  }
  toJSON() {
    return this.href;
  }
  static {
    for (const name of PARTS) {
      Object.defineProperty(URL.prototype, name, {
        get() {
          return this.#parts[name];
        },
        set(value) {
          const parts = host.call("set-url", this.#parts.href, name, String(value).toWellFormed());
          if (parts === undefined && name === "href") throw new TypeError("Invalid URL");
          this.#take(parts);
        },
        enumerable: true,
        configurable: true,
      });
    }
  }
  get [Symbol.toStringTag]() {
    return "URL";
  }
}

const format = (url, options) => (url instanceof URL ? url.href : legacy.format(url, options));
const urlToHttpOptions = (url) => ({
  protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ""), hash: url.hash, search: url.search,
  pathname: url.pathname, path: `${url.pathname}${url.search}`, href: url.href,
  ...(url.port === "" ? {} : { port: Number(url.port) }),
  ...(url.username === "" && url.password === "" ? {} : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
});
const fileURLToPath = (url) => new URL(url).pathname;
const pathToFileURL = (path) => new URL(`file://${path}`);
module.exports = { ...legacy, URL, URLSearchParams, format, urlToHttpOptions, fileURLToPath, pathToFileURL };
