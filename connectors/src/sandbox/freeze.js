// Makes everything that a realm starts with unchangeable, and answers with the function that
// removes what a call left on the global object. Hidden state counts too: whatever one call could
// leave for the next one is either frozen or gone.
(function () {
  "use strict";
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, deleteProperty } =
    Reflect;
  const global = globalThis;
  const base = Object.prototype;

  // Scripts of indirect eval leave lexical bindings that no one can remove, and these two keep
  // their values inside the engine, where freezing does not reach.
  deleteProperty(global, "eval");
  deleteProperty(Error, "prepareStackTrace");
  deleteProperty(Error, "stackTraceLimit");

  const seen = new Set();
  const objects = [];
  const visit = (value) => {
    const isObject = value !== null && (typeof value === "object" || typeof value === "function");
    if (isObject && value !== global && !seen.has(value)) {
      seen.add(value);
      objects.push(value);
    }
  };

  // Reached by syntax only, not by a name.
  const hidden = [
    function* () {}, async function () {}, async function* () {}, () => {},
    (function* () {})(), (async function* () {})(),
    [].values(), ""[Symbol.iterator](), new Map().values(), new Set().values(),
    "".matchAll(/x/g), [].values().map(() => 0), Iterator.from({ next() {} }),
  ];
  for (const value of hidden) visit(getPrototypeOf(value));
  for (const key of ownKeys(global)) {
    const { value, get, set } = getOwnPropertyDescriptor(global, key);
    visit(value);
    visit(get);
    visit(set);
  }

  // Assigning to an object whose prototype has a frozen property of that name fails, and code that
  // names its own errors or gives objects a toString is common: such properties let objects that
  // inherit them have their own.
  const overridden = new Set(["constructor", "message", "name", "toJSON", "toLocaleString",
    "toString", "valueOf"]);
  const letOverride = (object, key, value) => {
    // Methods, since they have no prototype object that would have to be frozen in its turn.
    const accessor = {
      get: () => value,
      set(own) {
        if (this === object) throw new TypeError("a built-in object cannot be changed");
        const rest = { writable: true, enumerable: true, configurable: true };
        defineProperty(this, key, { value: own, ...rest });
      },
      enumerable: false,
      configurable: false,
    };
    defineProperty(object, key, accessor);
    visit(accessor.get);
    visit(accessor.set);
  };

  for (let i = 0; i < objects.length; i++) {
    const object = objects[i];
    visit(getPrototypeOf(object));
    for (const key of ownKeys(object)) {
      const { value, get, set, configurable } = getOwnPropertyDescriptor(object, key);
      visit(value);
      visit(get);
      visit(set);
      const isInherited = typeof object === "object" && (object === base || overridden.has(key));
      if (isInherited && configurable && get === undefined && set === undefined) {
        letOverride(object, key, value);
      }
    }
  }
  for (let i = 0; i < objects.length; i++) Object.freeze(objects[i]);
  for (const key of ownKeys(global)) {
    const { configurable, get } = getOwnPropertyDescriptor(global, key);
    if (configurable) {
      const fixed = { configurable: false };
      defineProperty(global, key, get === undefined ? { writable: false, ...fixed } : fixed);
    }
  }

  const known = new Set(ownKeys(global));
  return function sweep() {
    if (getPrototypeOf(global) !== base) return false;
    const keys = ownKeys(global);
    if (keys.length === known.size) return true;
    for (let i = 0; i < keys.length; i++) {
      if (!known.has(keys[i]) && !deleteProperty(global, keys[i])) return false;
    }
    return true;
  };
})()
