// Timers of one call: they end with it, and the host bounds how many there are.
class Timeout {
  constructor(id, again) {
    this.id = id;
    this.again = again;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  hasRef() {
    return true;
  }
  refresh() {
    clear(this);
    this.again();
    return this;
  }
  close() {
    clear(this);
    return this;
  }
  [Symbol.toPrimitive]() {
    return this.id;
  }
}
const callable = (task) => {
  if (typeof task !== "function") throw new TypeError("a timer needs a function");
};
const wait = (ms) => {
  const number = Number(ms);
  return number >= 1 && number <= 2147483647 ? number : 1;
};
const byId = new Map();
const clear = (timer) => {
  const known = timer instanceof Timeout ? timer : byId.get(Number(timer));
  if (known === undefined) return;
  byId.delete(known.id);
  host.cancel(known.id);
};
const start = (task, ms, given, isRepeated) => {
  callable(task);
  const timer = new Timeout(0, () => {
    timer.id = host.begin("timer", [ms], () => {
      byId.delete(timer.id);
      if (isRepeated) timer.again();
      task(...given);
    });
    byId.set(timer.id, timer);
  });
  timer.again();
  return timer;
};
module.exports = {
  setTimeout: (task, ms, ...given) => start(task, wait(ms), given, false),
  setInterval: (task, ms, ...given) => start(task, wait(ms), given, true),
  setImmediate: (task, ...given) => start(task, 0, given, false),
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
};
module.exports.promises = {
  setTimeout: (ms, value) => new Promise((done) => module.exports.setTimeout(done, ms, value)),
  setImmediate: (value) => new Promise((done) => module.exports.setImmediate(done, value)),
};
