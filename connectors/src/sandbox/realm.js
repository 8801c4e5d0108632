(function () {
  const nothing = () => {};
  const names = ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "assert",
    "group", "groupEnd", "time", "timeEnd", "count"];
  globalThis.console = {};
  for (const name of names) console[name] = nothing;
})()
