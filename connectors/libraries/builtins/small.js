// Small parts of Node, one object each.
const { inherits, isDeepStrictEqual, inspect } = require("util");
class AssertionError extends Error {
  constructor({ message, actual, expected, operator }) {
    super(message || `${inspect(actual)} ${operator} ${inspect(expected)}`);
    Object.assign(this, { name: "AssertionError", code: "ERR_ASSERTION", actual, expected, operator });
  }
}
const holds = (is, message, actual, expected, operator) => {
  if (is) return;
  if (message instanceof Error) throw message;
  throw new AssertionError({ message, actual, expected, operator });
};
const assert = (value, message) => holds(value, message, value, true, "==");
Object.assign(assert, {
  AssertionError, ok: assert, strict: assert,
  equal: (a, b, message) => holds(a == b, message, a, b, "=="),
  notEqual: (a, b, message) => holds(a != b, message, a, b, "!="),
  strictEqual: (a, b, message) => holds(Object.is(a, b), message, a, b, "strictEqual"),
  notStrictEqual: (a, b, message) => holds(!Object.is(a, b), message, a, b, "notStrictEqual"),
  deepEqual: (a, b, message) => holds(isDeepStrictEqual(a, b), message, a, b, "deepEqual"),
  deepStrictEqual: (a, b, message) => holds(isDeepStrictEqual(a, b), message, a, b, "deepStrictEqual"),
  fail: (message) => holds(false, message || "Failed", undefined, undefined, "fail"),
  ifError: (error) => holds(error === null || error === undefined, error, error, null, "ifError"),
  throws(task, message) {
    let thrown = false;
    try {
      task();
    } catch {
      thrown = true;
    }
    holds(thrown, typeof message === "string" ? message : undefined, undefined, undefined, "throws");
  },
});
const os = {
  EOL: "\n", platform: () => "linux", type: () => "Linux", release: () => "0", arch: () => "x64", hostname: () => "function",
  cpus: () => [], totalmem: () => 0, freemem: () => 0, tmpdir: () => "/tmp", homedir: () => "/", uptime: () => 0,
  networkInterfaces: () => ({}), endianness: () => "LE", userInfo: () => ({ username: "function" }), constants: { signals: {} },
};
class AsyncResource {
  runInAsyncScope(task, self, ...given) {
    return task.apply(self, given);
  }
  emitDestroy() {
    return this;
  }
  static bind(task) {
    return task;
  }
}
class AsyncLocalStorage {
  run(store, task, ...given) {
    const before = this.store;
    this.store = store;
    try {
      return task(...given);
    } finally {
      this.store = before;
    }
  }
  getStore() {
    return this.store;
  }
  enterWith(store) {
    this.store = store;
  }
}
const performance = { now: () => Date.now(), timeOrigin: 0, mark() {}, measure() {} };
module.exports = {
  assert, os, inherits,
  async_hooks: { AsyncResource, AsyncLocalStorage, executionAsyncId: () => 0, createHook: () => ({ enable() {}, disable() {} }) },
  tty: { isatty: () => false },
  perf_hooks: { performance },
  diagnostics_channel: { channel: () => ({ hasSubscribers: false, publish() {}, subscribe() {} }) },
};
