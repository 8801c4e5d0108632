//! No call sees another.

use super::functions::{MANY, call, one_thread};
use connectors::sandbox::{Call, Sandbox};
use serde_json::{Value, json};

/// Runs the two in turn, through own and shared realms; the second must always find nothing.
async fn never_leaks(sandbox: &Sandbox, leave: &str, find: &str) {
    let wrap = |body: &str| call(&format!("function yourFunction() {{ {body} }}"));
    for round in 0..MANY {
        let _ = sandbox.call(wrap(leave)).await;
        let found = sandbox.call(wrap(find)).await;
        assert_eq!(found, Ok(Value::Null), "round {round}: {leave}");
    }
}

/// What a call does, and how another one would notice.
const LEFT: &[(&str, &str)] = &[
    ("globalThis.left = 1", "return globalThis.left"),
    ("left = 1", "return typeof left === 'undefined' ? undefined : left"),
    ("globalThis[Symbol.for('left')] = 1", "return globalThis[Symbol.for('left')]"),
    ("globalThis[7] = 1", "return globalThis[7]"),
    ("Object.defineProperty(globalThis, 'left', { value: 1 })", "return globalThis.left"),
    ("Object.setPrototypeOf(globalThis, { left: 1 })", "return globalThis.left"),
    ("globalThis.__proto__ = { left: 1 }", "return globalThis.left"),
    ("(0, eval)('let left = 1')", "return typeof left === 'undefined' ? undefined : left"),
    ("(0, globalThis['ev' + 'al'])('var left = 1')", "return globalThis.left"),
    ("new Function('left = 1')()", "return globalThis.left"),
    ("Object.prototype.left = 1", "return ({}).left"),
    ("({}).__proto__.left = 1", "return ({}).left"),
    ("({}).constructor.prototype.left = 1", "return ({}).left"),
    (
        "Object.prototype.toString = () => 1",
        "return String({}) === '[object Object]' ? undefined : 1",
    ),
    ("Object.prototype.__defineGetter__('left', () => 1)", "return ({}).left"),
    ("Array.prototype.push = () => 7", "return [].push(1) === 1 ? undefined : 7"),
    ("Array.prototype.left = 1", "return [].left"),
    ("Array.left = 1", "return Array.left"),
    ("Array.from.left = 1", "return Array.from.left"),
    ("Array = 1", "return typeof Array === 'function' ? undefined : 1"),
    ("JSON.stringify = () => '1'", "return undefined"),
    ("JSON.left = 1", "return JSON.left"),
    ("Math.random = () => 7", "return Math.random() < 1 ? undefined : 7"),
    (
        "Promise.prototype.then = 1",
        "return typeof Promise.prototype.then === 'function' ? undefined : 1",
    ),
    ("console.left = 1", "return console.left"),
    ("console.log.left = 1", "return console.log.left"),
    ("[][Symbol.iterator]().__proto__.left = 1", "return [][Symbol.iterator]().left"),
    ("(function* () {})().__proto__.__proto__.left = 1", "return (function* () {})().left"),
    ("(async () => {}).constructor.left = 1", "return (async () => {}).constructor.left"),
    (
        "Object.getPrototypeOf(async function* () {}).left = 1",
        "return (async function* () {}).left",
    ),
    ("'a'.matchAll(/a/g).__proto__.left = 1", "return 'a'.matchAll(/a/g).left"),
    ("Iterator.from({ next() {} }).__proto__.left = 1", "return Iterator.from({ next() {} }).left"),
    ("[].values().map(() => 1).__proto__.left = 1", "return [].values().map(() => 1).left"),
    (
        "Iterator.concat && (Iterator.concat([]).__proto__.left = 1)",
        "return Iterator.concat && Iterator.concat([]).left",
    ),
    ("Object.getPrototypeOf(Int8Array).left = 1", "return Int8Array.left"),
    (
        "Error.prepareStackTrace = () => 'left'",
        "return new Error('x').stack === 'left' ? 1 : undefined",
    ),
    ("Error.stackTraceLimit = 0", "return new Error('x').stack ? undefined : 1"),
    ("Error.prototype.name = 'Left'", "return new Error('x').name === 'Error' ? undefined : 1"),
    ("new Error('x').__proto__.left = 1", "return new Error('x').left"),
    (
        "Symbol.left = 1; Reflect.left = 1; Proxy.left = 1",
        "return Symbol.left || Reflect.left || Proxy.left",
    ),
    (
        "Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').set.left = 1",
        "return Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').set.left",
    ),
    (
        "const d = Object.getOwnPropertyDescriptor(Object.prototype, 'toString'); (d.get || d.value).left = 1",
        "const d = Object.getOwnPropertyDescriptor(Object.prototype, 'toString'); return (d.get || d.value).left",
    ),
    (
        "const d = Object.getOwnPropertyDescriptor(Object.prototype, 'valueOf'); if (d.set) d.set.call(Object.prototype, 1)",
        "return typeof ({}).valueOf === 'function' ? undefined : 1",
    ),
    ("arguments.callee.caller && (arguments.callee.caller.left = 1)", "return undefined"),
    (
        "queueMicrotask(function again() { globalThis.left = 1; queueMicrotask(again) })",
        "return globalThis.left",
    ),
    ("Promise.resolve().then(() => { globalThis.left = 1 })", "return globalThis.left"),
    ("(async () => { await null; await null; globalThis.left = 1 })()", "return globalThis.left"),
];

#[tokio::test]
async fn nothing_left_behind_is_found_by_the_next_call() {
    for (leave, find) in LEFT {
        never_leaks(&one_thread(), leave, find).await;
    }
}

#[tokio::test]
async fn top_level_variables_begin_anew() {
    let sandbox = one_thread();
    let code = "let count = 0; const seen = []; function yourFunction() { seen.push(1); return ++count + seen.length }";
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(code)).await, Ok(json!(2)));
    }
}

#[tokio::test]
async fn users_of_a_project_see_nothing_of_each_other() {
    let sandbox = one_thread();
    let leave = "function yourFunction() { globalThis.left = 'mine'; Object.prototype.left = 'mine'; return 1 }";
    let find = "function yourFunction() { return globalThis.left || ({}).left || Object.keys(globalThis).filter((k) => k === 'left')[0] }";
    let other = Call { tenant: tenant("other"), ..call(find) };
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(leave)).await, Ok(json!(1)));
        assert_eq!(sandbox.call(other.clone()).await, Ok(Value::Null));
    }
}

#[tokio::test]
async fn projects_share_nothing() {
    let sandbox = one_thread();
    let leave = "function yourFunction() { globalThis.left = 'mine'; Object.prototype.left = 'mine'; return 1 }";
    let find = "function yourFunction() { return globalThis.left || ({}).left || null }";
    let project = domain::id::ProjectId(uuid::Uuid::from_u128(2));
    let other =
        Call { tenant: connectors::sandbox::Tenant { project, ..call("").tenant }, ..call(find) };
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(leave)).await, Ok(json!(1)));
        assert_eq!(sandbox.call(other.clone()).await, Ok(Value::Null));
    }
}

fn tenant(user: &str) -> connectors::sandbox::Tenant {
    connectors::sandbox::Tenant { user: user.to_owned(), ..call("").tenant }
}

/// Ordinary code gives the same in the first call, in a realm of its own, and in later ones.
#[tokio::test]
async fn the_shared_realm_shows_in_nothing_but_time() {
    for body in [
        "class Own extends Error { constructor(m) { super(m); this.name = 'Own'; this.code = 7 } } try { throw new Own('x') } catch (e) { return [e.name, e.message, e.code, String(e), e instanceof Own, e instanceof Error] }",
        "const e = new Error('x'); e.name = 'Other'; e.message = 'y'; return [String(e), Object.keys(e)]",
        "const o = {}; o.toString = () => 'mine'; o.valueOf = () => 4; return [`${o}`, o + 1, Object.keys(o)]",
        "const o = {}; o.constructor = 1; o.hasOwnProperty = 2; return o",
        "function Old(n) { this.n = n } Old.prototype.double = function () { return this.n * 2 }; Old.prototype.toString = function () { return 'Old' + this.n }; const o = new Old(3); return [o.double(), `${o}`, o.constructor === Old]",
        "class A { toString() { return 'A' } static of() { return new this() } get x() { return 1 } } class B extends A { get x() { return super.x + 1 } } return [`${B.of()}`, B.of().x, B.name]",
        "String.prototype.shout = function () { return this.toUpperCase() + '!' }; return 'a'.shout()",
        "Array.prototype.sum = function () { return this.reduce((a, b) => a + b, 0) }; return p.items.sum()",
        "Math.twice = (n) => n * 2; return Math.twice(p.n)",
        "return p.items.slice().sort().map((n) => n * 2).filter((n) => n > 2).reduce((a, b) => a + b)",
        "return [...new Set([1, 1, 2])].concat(Array.from(new Map([[1, 2]]).entries()).flat())",
        "return 'a-b-c'.replace(/-(.)/g, (_, c) => c.toUpperCase()) + [...'a1b2'.matchAll(/\\d/g)].join()",
        "const { n, ...rest } = p; return { n, rest, spread: { ...p, n: 1 } }",
        "function* count() { yield 1; yield* [2, 3] } return [...count()]",
        "var x = 1; { function inner() { return x } } return inner() + this.constructor.name.length",
        "function who() { return this === undefined ? 'none' : typeof this } return who()",
        "function f(a) { a = 2; return arguments[0] } return f(1)",
        "with ({ a: 1 }) { return a }",
        "return 010 + eval('1 + 1')",
        "return JSON.stringify(p, null, 2) + JSON.stringify([undefined, () => 1, Symbol('x')])",
        "const t = Object.assign(Object.create({ inherited: 1 }), { own: 2 }); let keys = []; for (const k in t) keys.push(k); return keys",
        "let keys = []; for (const k in [1, 2]) keys.push(k); for (const k in 'ab') keys.push(k); return keys",
        "const b = new Uint8Array([1, 2, 3]); return [Array.from(b.map((x) => x * 2)), b.toString(), new DataView(b.buffer).getUint16(0)]",
        "return Object.getOwnPropertyNames(class { static a() {} }).sort()",
        "const d = new Date(0); d.toJSON = () => 'mine'; return [d, new Date(Date.UTC(2020, 1, 29)).toISOString()]",
        "const tag = (s, ...v) => s.raw.join('|') + v; return tag`a${1}b${2}`",
        "const proxy = new Proxy({}, { get: (_, k) => k }); return proxy.anything",
        "return [typeof globalThis, typeof console.log, console.log('x') === undefined, typeof queueMicrotask]",
        "return Reflect.ownKeys({ b: 1, a: 2, [Symbol.iterator]: 3 }).length + Object.entries({ x: 1 }).length",
        "const a = []; a.constructor = { [Symbol.species]: Array }; return a.map((x) => x)",
        "return [1n + 2n + '', 5 / 0, -0, [,1].length, typeof null]",
        "const m = new WeakMap(), k = {}; m.set(k, 1); return m.get(k)",
        "try { null.x } catch (e) { return [e.name, e.message] }",
        "try { undefinedFunction() } catch (e) { return [e.name, e.message] }",
        "const f = Object.freeze({ a: 1 }); f.a = 2; return f.a",
        "var undefined_ = void 0; return [undefined_, delete p.n, p.n]",
    ] {
        let sandbox = one_thread();
        let code = format!("function yourFunction(p) {{ {body} }}");
        let first = sandbox.call(call(&code)).await;
        assert!(first.is_ok(), "{body}: {first:?}");
        for round in 1..MANY {
            assert_eq!(sandbox.call(call(&code)).await, first, "round {round}: {body}");
        }
    }
}
