// What every realm starts with: a console that keeps nothing, the variables of a web page or of Node
// that are made when they are asked for, and `libraries`. `native` is the host; in a shared realm it
// notes that the function needs a realm of its own, and throws.
(function (native, isShared) {
  "use strict";
  const { defineProperty } = Object;
  const nothing = () => {};
  const names = ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "assert",
    "group", "groupEnd", "time", "timeEnd", "count"];
  globalThis.console = {};
  for (const name of names) console[name] = nothing;

  const pending = new Map();
  let last = 0;
  const host = {
    call: native,
    begin(kind, given, done) {
      const id = ++last;
      native(kind, id, ...given);
      pending.set(id, done);
      return id;
    },
    cancel(id) {
      if (pending.delete(id)) native("cancel", id);
    },
  };
  const happened = (id, ...given) => {
    const done = pending.get(id);
    pending.delete(id);
    if (done !== undefined) done(...given);
  };

  const modules = new Map();
  const require = (path) => {
    const name = path.replace(/^node:/, "");
    let module = modules.get(name);
    if (module === undefined) {
      const make = native("load", name);
      module = { exports: {} };
      modules.set(name, module);
      make.call(module.exports, require, module, module.exports, host);
    }
    return module.exports;
  };

  const given = {
    Buffer: "buffer", atob: "buffer", btoa: "buffer", URL: "url", URLSearchParams: "url",
    TextEncoder: "host-encoding", TextDecoder: "host-encoding", setTimeout: "timers", clearTimeout: "timers",
    setInterval: "timers", clearInterval: "timers", setImmediate: "timers", clearImmediate: "timers",
    Event: "host-abort", EventTarget: "host-abort", AbortController: "host-abort", AbortSignal: "host-abort",
    fetch: "node-fetch", Headers: "node-fetch", Request: "node-fetch", Response: "node-fetch",
    crypto: "crypto", performance: "perf_hooks",
  };
  const find = (name) => {
    const made = require(given[name]);
    return name === "fetch" ? made : name === "crypto" ? made.webcrypto : made[name];
  };
  for (const name in given) {
    const become = (value) =>
      defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
    defineProperty(globalThis, name, {
      get: () => {
        if (isShared) return native();
        const value = find(name);
        become(value);
        return value;
      },
      set: (value) => {
        if (isShared) native();
        become(value);
      },
      enumerable: false,
      configurable: true,
    });
  }

  // Its keys are not counted up: writing it out as JSON would load them all.
  const library = (libraries, key) => {
    if (typeof key !== "string" || key in libraries) return libraries[key];
    const found = native("library", key);
    if (found === undefined) return undefined;
    const made = require(found[0]);
    const value = found[1] === "" ? made : made[found[1]];
    defineProperty(libraries, key, { value, writable: true, configurable: true });
    return value;
  };
  const libraries = () => new Proxy({}, { get: library });
  return [libraries, happened];
})
