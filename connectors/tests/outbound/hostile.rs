//! Functions that want more than their share.

use super::functions::{MANY, call, failed, one_thread};
use connectors::sandbox::{Call, Fault, Limits, Options, Sandbox, Tenant};
use domain::id::ProjectId;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

const QUICK: &str = "function yourFunction() { return 'quick' }";

fn brief(code: &str, timeout_ms: u32) -> Call {
    Call { timeout_ms, ..call(code) }
}

fn of_project(project: u128, call: Call) -> Call {
    let tenant = Tenant { project: ProjectId(Uuid::from_u128(project)), ..call.tenant };
    Call { tenant, ..call }
}

/// Brings the tenant's engine to its shared realm, where the next call runs.
async fn warm(sandbox: &Sandbox) {
    for _ in 0..MANY {
        assert_eq!(sandbox.call(call(QUICK)).await, Ok(json!("quick")));
    }
}

fn small() -> Sandbox {
    let limits = Limits { memory_bytes_max: 16 * 1024 * 1024, stack_bytes_max: 256 * 1024 };
    Sandbox::new(Options { threads: 1, threads_max: 1, limits, ..Options::default() })
}

#[tokio::test]
async fn what_runs_too_long_is_stopped() {
    let sandbox = one_thread();
    for code in [
        "function yourFunction() { for (;;); }",
        "function yourFunction() { for (;;) { try { for (;;); } catch {} finally { continue } } }",
        "async function yourFunction() { for (;;) await null; }",
        "function yourFunction() { return new Promise((done) => { const again = () => queueMicrotask(again); again() }) }",
        "async function i() { for (;;); } function yourFunction() { for (;;) { try { i().catch(() => {}) } catch {} } }",
        "async function i() { for (;;); } async function yourFunction() { for (;;) { try { await i() } catch {} } }",
        "function* g() { try { for (;;); } finally { for (;;); } } function yourFunction() { for (;;) { try { g().next() } catch {} } }",
        "function yourFunction() { return { toJSON() { for (;;); } } }",
        "function yourFunction() { return { get a() { for (;;); } } }",
        "async function yourFunction() { return { then() { for (;;); } } }",
        "for (;;);",
        "function yourFunction() { return /^(a+)+$/.test('a'.repeat(60) + 'b') }",
        "function yourFunction() { return Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1) }",
    ] {
        let result = sandbox.call(brief(code, 60)).await;
        assert_eq!(result, Err(Fault::Timeout { timeout_ms: 60 }), "{code}");
        warm(&sandbox).await;
        let result = sandbox.call(brief(code, 60)).await;
        assert_eq!(result, Err(Fault::Timeout { timeout_ms: 60 }), "warm: {code}");
        assert_eq!(sandbox.call(call(QUICK)).await, Ok(json!("quick")));
    }
}

#[tokio::test]
async fn what_needs_too_much_memory_is_stopped() {
    let sandbox = small();
    for code in [
        "function yourFunction() { const a = []; for (;;) a.push([1, 2, 3]); }",
        "function yourFunction() { return new Uint8Array(1e9).length }",
        "function yourFunction() { return 'x'.repeat(5e8).length }",
        "function yourFunction() { const m = new Map(); for (;;) m.set(m.size, {}); }",
        "function yourFunction() { const a = new Array(1e8).fill({}); return a.length }",
        "function yourFunction() { return JSON.stringify(new Array(1e7).fill('xxxxxxxx')).length }",
        "const kept = []; function yourFunction() { for (;;) kept.push('x'.repeat(1000) + kept.length); }",
    ] {
        let result = sandbox.call(call(code)).await;
        let expected = Fault::Memory { memory_bytes_max: 16 * 1024 * 1024 };
        assert_eq!(result, Err(expected.clone()), "{code}");
        warm(&sandbox).await;
        assert_eq!(sandbox.call(call(code)).await, Err(expected), "warm: {code}");
        assert_eq!(sandbox.call(call(QUICK)).await, Ok(json!("quick")));
    }
    // The engine has a bound on strings of its own.
    let double = "function yourFunction() { let s = 'x'; for (;;) s += s; }";
    assert!(sandbox.call(call(double)).await.is_err());
    // Running out and going on is the function's own business.
    let catches =
        "function yourFunction() { try { new Uint8Array(1e9) } catch (e) { return e.message } }";
    assert_eq!(sandbox.call(call(catches)).await, Ok(json!("out of memory")));
}

#[tokio::test]
async fn what_goes_too_deep_is_stopped() {
    let sandbox = small();
    for code in [
        "function yourFunction() { return yourFunction() }",
        "async function yourFunction() { return await yourFunction() }",
        "function yourFunction() { const o = { get a() { return this.a } }; return o.a }",
        "function yourFunction() { const o = { toString() { return '' + this } }; return '' + o }",
        "function yourFunction() { return JSON.parse('['.repeat(1e6)) }",
        "function yourFunction() { return eval('('.repeat(1e6)) }",
        "function yourFunction() { let a = []; for (let i = 0; i < 2e4; i++) a = [a]; return JSON.stringify(a) }",
    ] {
        for _ in 0..MANY {
            let text = failed(sandbox.call(call(code)).await);
            assert!(text.contains("stack"), "{code}: {text}");
        }
    }
    let nested =
        "function yourFunction() { let a = []; for (let i = 0; i < 300; i++) a = [a]; return a }";
    assert_eq!(failed(sandbox.call(call(nested)).await), "the result is nested too deep");
    let freed = "function yourFunction() { let a = null; for (let i = 0; i < 1e5; i++) a = { a }; return 1 }";
    assert_eq!(sandbox.call(call(freed)).await, Ok(json!(1)));
}

#[tokio::test]
async fn a_promise_that_nothing_resolves_fails_at_once() {
    let sandbox = one_thread();
    for code in [
        "function yourFunction() { return new Promise(() => {}) }",
        "async function yourFunction() { await new Promise(() => {}) }",
    ] {
        for _ in 0..MANY {
            assert_eq!(sandbox.call(call(code)).await, Err(Fault::Stalled), "{code}");
        }
    }
}

#[tokio::test]
async fn a_huge_result_is_refused() {
    let code = "function yourFunction() { return 'x'.repeat(2e6) }";
    let expected = Fault::OutputTooLarge { bytes_max: 1_000_000 };
    assert_eq!(one_thread().call(call(code)).await, Err(expected));
    let fits = "function yourFunction() { return 'x'.repeat(999998) }";
    assert!(one_thread().call(call(fits)).await.is_ok());
}

#[tokio::test]
async fn runaway_functions_do_not_hold_up_others() {
    let sandbox = Arc::new(Sandbox::new(Options { threads: 2, ..Options::default() }));
    let hogs: Vec<_> = (0..12)
        .map(|_| {
            let sandbox = Arc::clone(&sandbox);
            let hog = brief("function yourFunction() { for (;;); }", 600_000);
            tokio::spawn(async move { sandbox.call(hog).await })
        })
        .collect();
    for _ in 0..20 {
        let quick = of_project(2, call(QUICK));
        assert_eq!(sandbox.call(quick).await, Ok(json!("quick")));
    }
    for hog in hogs {
        assert!(!hog.is_finished());
        hog.abort();
    }
}

#[tokio::test]
async fn a_caller_that_leaves_stops_its_function() {
    let sandbox = Arc::new(one_thread());
    let caller = Arc::clone(&sandbox);
    let hog = brief("function yourFunction() { for (;;); }", 600_000);
    let hog = tokio::spawn(async move { caller.call(hog).await });
    tokio::task::yield_now().await;
    hog.abort();
    assert_eq!(sandbox.call(call(QUICK)).await, Ok(json!("quick")));
}

#[tokio::test]
async fn calls_beyond_the_bound_are_told_to_come_back() {
    let options = Options { threads: 1, threads_max: 1, queue_max: 2, ..Options::default() };
    let sandbox = Arc::new(Sandbox::new(options));
    let hogs: Vec<_> = (0..8)
        .map(|_| {
            let sandbox = Arc::clone(&sandbox);
            let hog = brief("function yourFunction() { for (;;); }", 300);
            tokio::spawn(async move { sandbox.call(hog).await })
        })
        .collect();
    let mut busy = 0;
    for hog in hogs {
        busy += usize::from(hog.await.unwrap() == Err(Fault::Busy));
    }
    assert!((5..=6).contains(&busy), "{busy}");
    assert!(Fault::Busy.is_retryable());
}

#[tokio::test]
async fn a_call_that_cannot_be_interrupted_is_given_up_and_its_thread_replaced() {
    let options = Options { threads: 1, threads_max: 1, grace_ms: 50, ..Options::default() };
    let sandbox = Sandbox::new(options);
    let stuck =
        "function yourFunction() { return Array.prototype.reverse.call({ length: 2e7 }).length }";
    let result = sandbox.call(brief(stuck, 50)).await;
    assert_eq!(result, Err(Fault::Timeout { timeout_ms: 50 }));
    assert_eq!(sandbox.call(call(QUICK)).await, Ok(json!("quick")));
}
