//! What functions can be, and what they may give.

use connectors::sandbox::{Call, Fault, Journal, Options, Sandbox, Tenant};
use domain::id::ProjectId;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

/// Enough calls that a project's engine has gone over to its shared realm.
pub const MANY: usize = 40;

pub fn one_thread() -> Sandbox {
    Sandbox::new(Options { threads: 1, threads_max: 1, ..Options::default() })
}

pub fn call(code: &str) -> Call {
    Call {
        id: Uuid::from_u128(9),
        tenant: Tenant { project: ProjectId(Uuid::from_u128(1)), user: "user".to_owned() },
        code: code.to_owned(),
        parameters: json!({ "n": 20, "items": [3, 1, 2], "text": "caf\u{e9}" }).to_string(),
        timeout_ms: 20_000,
        output_bytes_max: 1_000_000,
        runs: 1,
    }
}

pub fn failed(result: Result<Value, Fault>) -> String {
    match result.unwrap_err() {
        Fault::Failed { message } => message,
        fault => panic!("{fault:?}"),
    }
}

#[tokio::test]
async fn every_form_of_a_function_runs() {
    let sandbox = one_thread();
    for code in [
        "function yourFunction(parameters, libraries) { return parameters.n + 1; }",
        "function yourFunction({ n }) { return n + 1; }",
        "async function yourFunction({ n }) { await null; return (await Promise.resolve(n)) + 1; }",
        "const yourFunction = ({ n }) => n + 1;",
        "const yourFunction = async ({ n }) => n + 1 // and a comment",
        "module.exports = ({ n }) => n + 1;",
        "module.exports = async function (parameters) { return parameters.n + 1; };",
        "function yourFunction(p) { return new Promise((done) => queueMicrotask(() => done(p.n + 1))); }",
        "'use strict'; function yourFunction({ n }) { return n + 1; }",
        "let add = 0; function one() { return ++add; } function yourFunction({ n }) { return n + one(); }",
        "function yourFunction({ n }) { total = n + 1; return total; }",
        "function yourFunction(p) { return p.n + arguments.length - arguments.callee.length; }",
    ] {
        for _ in 0..MANY {
            assert_eq!(sandbox.call(call(code)).await, Ok(json!(21)), "{code}");
        }
    }
}

#[tokio::test]
async fn results_are_what_json_makes_of_them() {
    let sandbox = one_thread();
    for (body, expected) in [
        ("", Value::Null),
        ("return undefined", Value::Null),
        ("return () => 1", Value::Null),
        ("return NaN", Value::Null),
        ("return 'caf\\u00e9' + p.text", json!("cafécafé")),
        ("return 'a\\ud83d'", json!("a\u{fffd}")),
        ("return new Date(0)", json!("1970-01-01T00:00:00.000Z")),
        (
            "return { a: undefined, b: [undefined], c: new Map([[1, 2]]) }",
            json!({ "b": [null], "c": {} }),
        ),
        ("return 2 ** 53", json!(9_007_199_254_740_992_u64)),
        ("return 0.1 + 0.2", json!(0.300_000_000_000_000_04)),
        ("return JSON.parse('{\"__proto__\": 1}')", json!({ "__proto__": 1 })),
        ("return { toJSON() { return 7 } }", json!(7)),
    ] {
        let code = format!("function yourFunction(p) {{ {body} }}");
        assert_eq!(sandbox.call(call(&code)).await, Ok(expected), "{body}");
    }
}

#[tokio::test]
async fn failures_say_what_is_wrong() {
    let sandbox = one_thread();
    for (code, message) in [
        (
            "function yourFunction() { return missing.x }",
            "ReferenceError: missing is not defined\n    at yourFunction (function.js:1:",
        ),
        (
            "\n\nfunction yourFunction() {\n throw new TypeError('no') }",
            "TypeError: no\n    at yourFunction (function.js:4:",
        ),
        ("async function yourFunction() { throw new RangeError('far') }", "RangeError: far"),
        ("function yourFunction() { throw 'words' }", "thrown: words"),
        ("function yourFunction() { throw { code: 7 } }", "thrown: {\"code\":7}"),
        ("function yourFunction() { return Promise.reject(new Error('later')) }", "Error: later"),
        ("function yourFunction( {", "SyntaxError: "),
        ("import fs from 'fs'", "SyntaxError: "),
        ("const x = 1", "TypeError: there is no function yourFunction"),
        ("module.exports = 7", "TypeError: there is no function yourFunction"),
        (
            "function yourFunction() { const a = {}; a.a = a; return a }",
            "TypeError: circular reference",
        ),
        ("function yourFunction() { return 10n }", "TypeError: "),
        (
            "class Own extends Error { constructor(m) { super(m); this.name = 'Own' } } function yourFunction() { throw new Own('x') }",
            "Own: x",
        ),
    ] {
        for _ in 0..MANY {
            let text = failed(sandbox.call(call(code)).await);
            assert!(text.starts_with(message), "{code}: {text}");
        }
    }
    let long = failed(
        sandbox.call(call("function yourFunction() { throw new Error('x'.repeat(1e6)) }")).await,
    );
    assert!(long.len() < 3000);
}

#[tokio::test]
async fn there_is_nothing_to_reach() {
    let sandbox = one_thread();
    let code = "function yourFunction(p, libraries) {
        const names = ['require', 'process', 'std', 'os', 'Deno', 'module.require', 'native', 'host',
            'XMLHttpRequest', 'WebSocket', 'Worker', 'print', 'load', 'loadScript', 'scriptArgs'];
        return names.filter((name) => { try { return eval('typeof ' + name) !== 'undefined' } catch { return false } });
    }";
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(code)).await, Ok(json!([])));
    }
    let import = "async function yourFunction() { return await import('fs') }";
    assert!(failed(sandbox.call(call(import)).await).contains("could not load module"));
    let wait = "function yourFunction() { return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) }";
    assert!(failed(sandbox.call(call(wait)).await).contains("cannot block"));
}

#[tokio::test]
async fn the_clock_and_chance_are_there() {
    let code = "function yourFunction() { return Date.now() > 1e12 && Math.random() < 1 && new Date().getFullYear() > 2020 }";
    assert_eq!(one_thread().call(call(code)).await, Ok(json!(true)));
}

#[tokio::test]
async fn a_million_log_lines_go_nowhere() {
    let code = "function yourFunction() { for (let i = 0; i < 1e6; i++) console.log('line', i, { i }); return 'done' }";
    assert_eq!(one_thread().call(call(code)).await, Ok(json!("done")));
}

/// What a process leaves behind that dies in this call, as another one had before.
fn dead_twice(id: Uuid) -> Vec<u8> {
    let mut file = vec![0; 256 * 32];
    file[..16].copy_from_slice(id.as_bytes());
    file[16..20].copy_from_slice(&1_u32.to_be_bytes());
    file
}

#[tokio::test]
async fn a_function_that_two_processes_died_of_is_not_run_and_others_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("functions");
    let fatal = call("function yourFunction() { return 1; }");
    std::fs::write(&path, dead_twice(fatal.id)).unwrap();
    let journal = Arc::new(Journal::open(&path).unwrap());
    let sandbox = Sandbox::noting(Options::default(), journal);
    assert_eq!(sandbox.call(fatal.clone()).await, Err(Fault::Fatal));
    let other = Call { id: Uuid::from_u128(10), ..fatal };
    assert_eq!(sandbox.call(other).await, Ok(json!(1)));
    // Nothing runs, so nothing is noted.
    assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
}
