// Node's http and https over the host's client: every request goes through the egress guard. A body
// is collected and sent whole; an answer is read whole before it is given.
const { Readable, Writable } = require("stream");
const { EventEmitter } = require("events");
const { Buffer } = require("buffer");
const { URL, urlToHttpOptions } = require("url");

class IncomingMessage extends Readable {
  constructor(answer) {
    super();
    this.statusCode = answer.status;
    this.statusMessage = STATUS_CODES[answer.status] || "";
    this.httpVersion = "1.1";
    this.httpVersionMajor = 1;
    this.httpVersionMinor = 1;
    this.rawHeaders = answer.headers;
    this.headers = {};
    this.trailers = {};
    this.rawTrailers = [];
    this.complete = true;
    this.aborted = false;
    for (let at = 0; at < answer.headers.length; at += 2) this.#header(answer.headers[at].toLowerCase(), answer.headers[at + 1]);
    this.bytes = answer.body;
  }
  #header(name, value) {
    const before = this.headers[name];
    if (name === "set-cookie") this.headers[name] = [...(before || []), value];
    else this.headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  get connection() {
    return this.socket;
  }
  _read() {
    if (this.bytes !== undefined && this.bytes.length > 0) {
      this.push(Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength));
    }
    this.bytes = undefined;
    this.push(null);
  }
  setTimeout() {
    return this;
  }
}

/** What stands for a connection: libraries listen on it, and nothing happens. */
class Socket extends EventEmitter {
  constructor() {
    super();
    this.encrypted = true;
    this.authorized = true;
    this.destroyed = false;
    this.connecting = false;
    this.writable = true;
    this.readable = true;
  }
  destroy() {
    this.destroyed = true;
    return this;
  }
  end() {
    return this;
  }
}
for (const name of ["setTimeout", "setNoDelay", "setKeepAlive", "ref", "unref", "pause", "resume"]) {
  Socket.prototype[name] = function () {
    return this;
  };
}

class ClientRequest extends Writable {
  #headers = new Map();
  #pieces = [];
  #id;
  #timer;
  constructor(options, answered) {
    super({ autoDestroy: false });
    this.method = String(options.method || "GET").toUpperCase();
    this.protocol = options.protocol;
    this.host = options.hostname || options.host || "localhost";
    this.path = options.path || "/";
    this.aborted = false;
    this.finishedSending = false;
    this.res = null;
    this.maxHeadersCount = null;
    this.reusedSocket = false;
    const port = options.port ? `:${options.port}` : "";
    const host = this.host.includes(":") && !this.host.startsWith("[") ? `[${this.host}]` : this.host.replace(/:\d+$/, "");
    this.url = `${this.protocol}//${host}${port}${this.path}`;
    const given = options.headers || {};
    if (Array.isArray(given)) for (let at = 0; at < given.length; at += 2) this.setHeader(given[at], given[at + 1]);
    else for (const name of Object.keys(given)) if (given[name] !== undefined) this.setHeader(name, given[name]);
    if (options.auth && !this.hasHeader("authorization")) {
      this.setHeader("Authorization", `Basic ${Buffer.from(options.auth).toString("base64")}`);
    }
    if (typeof answered === "function") this.once("response", answered);
    if (options.timeout) this.setTimeout(options.timeout);
    if (options.signal) {
      const abort = () => this.destroy(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR" }));
      if (options.signal.aborted) queueMicrotask(abort);
      else options.signal.addEventListener("abort", abort);
    }
    this.socket = new Socket();
    queueMicrotask(() => {
      this.emit("socket", this.socket);
      this.socket.emit("connect");
      this.socket.emit("secureConnect");
    });
  }
  get connection() {
    return this.socket;
  }
  get headersSent() {
    return this.#id !== undefined;
  }
  setHeader(name, value) {
    this.#headers.set(String(name).toLowerCase(), [String(name), value]);
    return this;
  }
  getHeader(name) {
    return this.#headers.get(String(name).toLowerCase())?.[1];
  }
  getHeaders() {
    return Object.fromEntries([...this.#headers].map(([name, [, value]]) => [name, value]));
  }
  getHeaderNames() {
    return [...this.#headers.keys()];
  }
  hasHeader(name) {
    return this.#headers.has(String(name).toLowerCase());
  }
  removeHeader(name) {
    this.#headers.delete(String(name).toLowerCase());
  }
  flushHeaders() {}
  setNoDelay() {}
  setSocketKeepAlive() {}
  setTimeout(ms, task) {
    if (typeof task === "function") this.once("timeout", task);
    clearTimeout(this.#timer);
    if (ms > 0) {
      this.#timer = setTimeout(() => {
        this.emit("timeout");
        this.socket.emit("timeout");
      }, ms);
    }
    return this;
  }
  _write(piece, encoding, done) {
    this.#pieces.push(typeof piece === "string" ? Buffer.from(piece, encoding) : piece);
    done();
  }
  _final(done) {
    const headers = [];
    const own = ["host", "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "accept-encoding"];
    for (const [name, [written, value]] of this.#headers) {
      if (own.includes(name)) continue;
      for (const one of [value].flat()) headers.push(written, String(one));
    }
    const body = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.finishedSending = true;
    try {
      this.#id = host.begin("fetch", [this.method, this.url, headers, body], (error, answer) => this.#answered(error, answer));
      done();
    } catch (error) {
      done(error);
    }
  }
  #answered(error, answer) {
    clearTimeout(this.#timer);
    if (this.destroyed && this.aborted) return;
    if (error !== null) {
      this.destroy(Object.assign(new Error(error.message), { code: error.code }));
      return;
    }
    const message = new IncomingMessage(answer);
    message.req = this;
    message.socket = this.socket;
    message.url = answer.url;
    this.res = message;
    if (!this.emit("response", message)) message.resume();
    this.emit("close");
  }
  _destroy(error, done) {
    clearTimeout(this.#timer);
    if (this.res === null) {
      this.aborted = true;
      if (this.#id !== undefined) host.cancel(this.#id);
      const hung = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
      done(error || (this.finishedSending ? hung() : null));
    } else done(error);
  }
  abort() {
    this.emit("abort");
    this.destroy();
  }
}

class Agent extends EventEmitter {
  constructor(options = {}) {
    super();
    this.options = options;
    this.maxSockets = options.maxSockets || Infinity;
    this.sockets = {};
    this.requests = {};
    this.freeSockets = {};
  }
  destroy() {}
  getName() {
    return "";
  }
}
const parts = (protocol, given) => {
  const [first, second, third] = given;
  const url = typeof first === "string" ? new URL(first) : first instanceof URL ? first : undefined;
  const options = url === undefined ? { ...first } : { ...urlToHttpOptions(url), ...(typeof second === "object" ? second : {}) };
  options.protocol ||= protocol;
  if (options.protocol !== "http:" && options.protocol !== "https:") {
    throw Object.assign(new TypeError(`Protocol "${options.protocol}" not supported.`), { code: "ERR_INVALID_PROTOCOL" });
  }
  return [options, [first, second, third].find((one) => typeof one === "function")];
};
const of = (protocol) => {
  const request = (...given) => new ClientRequest(...parts(protocol, given));
  const get = (...given) => {
    const made = request(...given);
    made.end();
    return made;
  };
  const globalAgent = new Agent();
  globalAgent.protocol = protocol;
  globalAgent.defaultPort = protocol === "https:" ? 443 : 80;
  const createServer = () => {
    throw new Error("a function cannot listen");
  };
  return {
    request, get, Agent, globalAgent, createServer, ClientRequest, IncomingMessage, OutgoingMessage: ClientRequest,
    Server: createServer, METHODS, STATUS_CODES, maxHeaderSize: 131072,
    validateHeaderName() {}, validateHeaderValue() {},
  };
};
const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const STATUS_CODES = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
  302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
  400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
  405: "Method Not Allowed", 406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
  411: "Length Required", 412: "Precondition Failed", 413: "Payload Too Large", 415: "Unsupported Media Type",
  418: "I'm a Teapot", 422: "Unprocessable Entity", 423: "Locked", 425: "Too Early", 429: "Too Many Requests",
  500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
  504: "Gateway Timeout",
};
module.exports = { http: of("http:"), https: of("https:"), Socket };
