// What libraries look for in Node's `process`: nothing of the machine.
const timers = require("timers");
const nothing = () => process;
const tick = (task, ...given) => queueMicrotask(() => task(...given));
const process = {
  env: {},
  argv: [],
  execArgv: [],
  pid: 1,
  title: "function",
  arch: "x64",
  platform: "linux",
  browser: false,
  version: "v20.0.0",
  versions: { node: "20.0.0" },
  release: { name: "node" },
  features: {},
  config: { variables: {} },
  nextTick: tick,
  cwd: () => "/",
  uptime: () => 0,
  umask: () => 0,
  emitWarning: nothing,
  memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0 }),
  hrtime: Object.assign(
    ([seconds, rest] = [0, 0]) => {
      const now = Date.now();
      return [Math.floor(now / 1000) - seconds, (now % 1000) * 1e6 - rest];
    },
    { bigint: () => BigInt(Date.now()) * 1000000n },
  ),
  stdout: { isTTY: false, write: () => true, on: nothing },
  stderr: { isTTY: false, write: () => true, on: nothing },
  exit() {
    throw new Error("process.exit is not available in functions");
  },
  setImmediate: timers.setImmediate,
};
for (const name of ["on", "once", "off", "addListener", "removeListener", "removeAllListeners", "emit",
  "prependListener"]) process[name] = nothing;
process.listeners = () => [];
process.listenerCount = () => 0;
module.exports = process;
