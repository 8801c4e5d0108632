// The little of a browser that the published client asks for. Requests are real.

export function browser() {
  const store = new Map();
  const element = () => ({
    style: {},
    setAttribute() {},
    addEventListener() {},
    removeEventListener() {},
    appendChild() {},
    contentWindow: { postMessage() {} },
    getBoundingClientRect: () => ({ top: 0, left: 0, width: 0, height: 0 }),
  });
  const frame = element();
  const document = {
    readyState: "complete",
    createElement: () => frame,
    querySelector: () => frame,
    getElementById: () => frame,
    addEventListener() {},
    removeEventListener() {},
    body: { appendChild() {}, style: {} },
  };
  const window = {
    document,
    localStorage: {
      getItem: (name) => store.get(name) ?? null,
      setItem: (name, value) => store.set(name, value),
      removeItem: (name) => store.delete(name),
    },
    addEventListener() {},
    removeEventListener() {},
    location: { origin: "https://app.example.com", href: "https://app.example.com/" },
    open: () => null,
    atob: globalThis.atob,
    innerWidth: 1000,
    innerHeight: 800,
    postMessage() {},
  };
  window.parent = window;
  Object.assign(globalThis, { window, document, localStorage: window.localStorage });
  return store;
}
