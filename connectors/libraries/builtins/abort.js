// Events and their end (DOM standard), as far as requests need them.
class Event {
  constructor(type, init = {}) {
    this.type = String(type);
    this.cancelable = Boolean(init.cancelable);
    this.defaultPrevented = false;
    this.target = null;
    this.timeStamp = Date.now();
  }
  preventDefault() {
    this.defaultPrevented = this.cancelable;
  }
  stopPropagation() {}
  stopImmediatePropagation() {
    this.stopped = true;
  }
}
class EventTarget {
  #listeners = [];
  addEventListener(type, task, options) {
    const once = typeof options === "object" && options !== null && Boolean(options.once);
    if (task && !this.#listeners.some((one) => one.type === type && one.task === task)) this.#listeners.push({ type, task, once });
  }
  removeEventListener(type, task) {
    this.#listeners = this.#listeners.filter((one) => one.type !== type || one.task !== task);
  }
  dispatchEvent(event) {
    event.target = event.currentTarget = this;
    const own = this[`on${event.type}`];
    if (typeof own === "function") own.call(this, event);
    for (const { type, task, once } of [...this.#listeners]) {
      if (type !== event.type || event.stopped) continue;
      if (once) this.removeEventListener(type, task);
      if (typeof task === "function") task.call(this, event);
      else task.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}
const errorOf = (name, message) => Object.assign(new Error(message), { name, code: name === "AbortError" ? 20 : 23 });
class AbortSignal extends EventTarget {
  aborted = false;
  reason = undefined;
  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }
  static abort(reason) {
    const controller = new AbortController();
    controller.abort(reason);
    return controller.signal;
  }
  static timeout(ms) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(errorOf("TimeoutError", "The operation was aborted due to timeout")), ms);
    return controller.signal;
  }
  static any(signals) {
    const controller = new AbortController();
    for (const signal of signals) {
      if (signal.aborted) controller.abort(signal.reason);
      else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
    }
    return controller.signal;
  }
  get [Symbol.toStringTag]() {
    return "AbortSignal";
  }
}
class AbortController {
  signal = new AbortSignal();
  abort(reason = errorOf("AbortError", "This operation was aborted")) {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.reason = reason;
    this.signal.dispatchEvent(new Event("abort"));
  }
}
module.exports = { Event, EventTarget, AbortSignal, AbortController };
