//! Functions that mean harm: each fails with a clear error, and nothing else does.

use crate::project::{id, on_request, project};
use crate::world::{World, text};
use serde_json::{Value, json};

/// The function is given as the request's `n`.
fn step(name: &str, code: &str) -> Value {
    let steps = json!([{ "name": "run", "function": code,
        "parameters": { "body": "{{trigger.request.body}}", "user": "{{userSettings.userId}}" } }]);
    on_request(name, &steps)
}

const GOOD: &str = "function yourFunction({ body, user }) { return { user, twice: body.n * 2 }; }";

const HOSTILE: [(&str, &str, &str); 14] = [
    ("loop", "function yourFunction() { for (;;) {} }", "FUNCTION_TIMEOUT"),
    (
        "caught",
        "function yourFunction() { for (;;) { try { for (;;) {} } catch {} } }",
        "FUNCTION_TIMEOUT",
    ),
    (
        "regex",
        "function yourFunction() { return /^(a+)+$/.test('a'.repeat(60) + 'b'); }",
        "FUNCTION_TIMEOUT",
    ),
    ("promises", "async function yourFunction() { for (;;) { await null; } }", "FUNCTION_TIMEOUT"),
    (
        "memory",
        "function yourFunction() { const a = []; for (;;) a.push(new Uint8Array(4 << 20).fill(1)); }",
        "FUNCTION_MEMORY",
    ),
    ("buffer", "function yourFunction() { return new ArrayBuffer(4e9).byteLength; }", "FUNCTION_"),
    ("recursion", "function yourFunction() { return yourFunction() + 1; }", "FUNCTION_FAILED"),
    ("flood", "function yourFunction() { return 'x'.repeat(3e6); }", "FUNCTION_OUTPUT_TOO_LARGE"),
    ("circle", "function yourFunction() { const a = {}; a.a = a; return a; }", "FUNCTION_FAILED"),
    ("never", "function yourFunction() { return new Promise(() => {}); }", "FUNCTION_STALLED"),
    ("throw", "function yourFunction() { throw { toString() { for (;;) {} } }; }", "FUNCTION_"),
    ("syntax", "function yourFunction( {", "FUNCTION_FAILED"),
    ("nothing", "const answer = 42;", "FUNCTION_FAILED"),
    ("exit", "function yourFunction() { process.exit(0); }", "FUNCTION_FAILED"),
];

fn file() -> Value {
    let mut workflows: Vec<Value> =
        HOSTILE.iter().map(|(name, code, _)| step(name, code)).collect();
    workflows.push(step("good", GOOD));
    let mut file = project("http://127.0.0.1:9", &workflows);
    file["project"]["function_timeout_ms"] = json!(2_000);
    file["project"]["step_bytes_max"] = json!(1_000_000);
    file
}

async fn assert_good(world: &World, token: &str, user: &str, n: u32) {
    let run = world.run_through(token, &id("good"), &json!({ "n": n })).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    let step = world.step(&run, 1).await;
    assert_eq!(step["output"], json!({ "result": { "user": user, "twice": n * 2 } }));
}

#[tokio::test]
async fn a_hostile_function_fails_by_name_and_nothing_else_does() {
    let world = World::start(&file()).await;
    let (mallory, anna) = (world.connected("mallory").await, world.connected("anna").await);
    assert_good(&world, &anna, "anna", 1).await;
    let before = world.resident_bytes();
    for (name, _, code) in HOSTILE {
        let run = world.run_through(&mallory, &id(name), &json!({ "n": 1 })).await;
        assert_eq!(run["status"], "FAILED", "{name}: {run}");
        let step = world.step(&run, 1).await;
        let error = &step["output"]["error"];
        assert!(text(&error["code"]).starts_with(code), "{name}: {step}");
        assert!(!text(&error["message"]).is_empty(), "{name}: {step}");
        assert!(step["output"].to_string().len() < 10_000, "{name}: the error is a flood");
        assert_good(&world, &anna, "anna", 2).await;
    }
    let grown = world.resident_bytes().saturating_sub(before);
    assert!(grown < 256 << 20, "the node grew by {grown} bytes");
}

#[tokio::test]
async fn endless_loops_of_one_user_do_not_keep_others_from_running() {
    let world = World::start(&file()).await;
    let (mallory, anna) = (world.connected("mallory").await, world.connected("anna").await);
    let mut runs = Vec::new();
    for _ in 0..8 {
        let answer = world.api.request(&mallory, &id("loop"), &json!({})).await.unwrap();
        runs.push(text(&answer.json()["executionId"]));
    }
    assert_good(&world, &anna, "anna", 3).await;
    let left = world.history("?userId=mallory&status=EXECUTING").await["total"].as_u64().unwrap();
    assert!(left > 0, "anna waited for every loop of mallory");
    for run in runs {
        assert_eq!(world.run(&run).await["status"], "FAILED");
    }
}

/// What a function may try; each gives what it saw, so that nothing is hidden by an error.
const CURIOUS: [(&str, &str); 8] = [
    ("global", "globalThis.stolen"),
    ("array", "[].stolen ?? Array.prototype.stolen"),
    ("object", "({}).stolen"),
    ("require", "typeof require === 'function' ? 'has require' : undefined"),
    ("xhr", "typeof XMLHttpRequest === 'undefined' ? undefined : 'has XMLHttpRequest'"),
    ("process", "typeof process === 'undefined' ? undefined : Object.keys(process.env ?? {})"),
    ("std", "typeof std === 'undefined' && typeof os === 'undefined' ? undefined : 'has std'"),
    ("constructor", "(function () {}).constructor('return this.stolen')()"),
];

#[tokio::test]
async fn a_function_sees_nothing_of_another_tenant_nor_of_the_machine() {
    let spoil = "function yourFunction({ user }) {\n\
        globalThis.stolen = user; Array.prototype.stolen = user; Object.prototype.stolen = user;\n\
        JSON.stringify = () => '\"spoilt\"'; Math.max = () => user;\n\
        Object.defineProperty(globalThis, 'yourFunction', { get() { return () => user; } });\n\
        return 1;\n}";
    let looks: Vec<String> =
        CURIOUS.iter().map(|(name, look)| format!("{name}: (() => {look})() ?? null")).collect();
    let look = format!(
        "function yourFunction() {{ return {{ {}, max: Math.max(1, 2), text: JSON.stringify([1]) }}; }}",
        looks.join(", ")
    );
    let file = project("http://127.0.0.1:9", &[step("spoil", spoil), step("look", &look)]);
    let world = World::start_with(&file, &[("FUNCTIONS__THREADS", "1")]).await;
    let (mallory, anna) = (world.connected("mallory").await, world.connected("anna").await);
    for _ in 0..3 {
        world.run_through(&mallory, &id("spoil"), &json!({})).await;
        let run = world.run_through(&anna, &id("look"), &json!({})).await;
        assert_eq!(run["status"], "SUCCEEDED", "{run}");
        let seen = world.step(&run, 1).await["output"]["result"].clone();
        for (name, _) in CURIOUS {
            assert_eq!(seen[name], Value::Null, "{name}: {seen}");
        }
        assert_eq!((&seen["max"], &seen["text"]), (&json!(2), &json!("[1]")), "{seen}");
    }
    for (name, code) in [
        (
            "import",
            "async function yourFunction() { return await import('https://example.com/x.js'); }",
        ),
        ("worker", "function yourFunction() { return new Worker('x'); }"),
        ("file", "async function yourFunction() { return (await import('/etc/passwd')).default; }"),
    ] {
        let mut file = file.clone();
        file["workflows"].as_array_mut().unwrap().push(step(name, code));
        let path = world.data().join("more.json");
        std::fs::write(&path, file.to_string()).unwrap();
        let path = path.to_string_lossy().into_owned();
        tests::harness::Node::run(world.data(), &["apply", &path]).await.unwrap();
        let on = world.call("POST", &format!("/sdk/workflows/{}", id(name)), &anna).await;
        assert_eq!(on.status, 200, "{}", on.shown());
        let run = world.run_through(&anna, &id(name), &json!({})).await;
        assert_eq!(run["status"], "FAILED", "{name}: {run}");
        let step = world.step(&run, 1).await;
        assert!(text(&step["output"]["error"]["code"]).starts_with("FUNCTION_"), "{name}: {step}");
        assert!(!step.to_string().contains("root:"), "{name}: {step}");
    }
}

#[tokio::test]
async fn a_function_signs_with_a_library() {
    let code = "function yourFunction({ body }, { jsonwebtoken }) {\n\
        const token = jsonwebtoken.sign({ n: body.n }, 'key');\n\
        return jsonwebtoken.verify(token, 'key').n;\n}";
    let world = World::start(&project("http://127.0.0.1:9", &[step("sign", code)])).await;
    let anna = world.connected("anna").await;
    let run = world.run_through(&anna, &id("sign"), &json!({ "n": 7 })).await;
    assert_eq!(run["status"], "SUCCEEDED", "{run}");
    assert_eq!(world.step(&run, 1).await["output"], json!({ "result": 7 }));
}
