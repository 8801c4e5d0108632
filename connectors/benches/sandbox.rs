//! Calls of small functions: cold, in realms of their own, and warm.
#![allow(clippy::unwrap_used, missing_docs)]

use connectors::sandbox::{Call, Options, Sandbox, Tenant};
use criterion::{Criterion, criterion_group, criterion_main};
use domain::id::ProjectId;
use std::hint::black_box;
use uuid::Uuid;

const PICK: &str = "function yourFunction({ issue }) {
  return { text: `${issue.title} ${issue.html_url}` };
}";
const MAP: &str = "async function yourFunction({ issue }) {
  const labels = issue.labels.map((label) => label.toLowerCase()).filter((label) => label !== 'bug').sort();
  return { labels, count: labels.length, at: new Date(0).toISOString() };
}";
/// Changes a built-in object, so it never gets into the shared realm.
const PATCH: &str = "function yourFunction({ issue }) {
  String.prototype.shout = function () { return this.toUpperCase() };
  return issue.title.shout();
}";

const SMALL: &str =
    "function yourFunction({ issue }, { uuid }) { return uuid.validate(issue.title) }";
const LARGE: &str =
    "function yourFunction({ issue }, { cheerio }) { return cheerio.load(issue.title).text() }";
const SIGN: &str =
    "function yourFunction({ issue }, { jsonwebtoken }) { return jsonwebtoken.sign(issue, 'key') }";

fn call(code: &str, user: String) -> Call {
    Call {
        id: Uuid::from_u128(9),
        tenant: Tenant { project: ProjectId(Uuid::from_u128(1)), user },
        code: code.to_owned(),
        parameters: r#"{"issue":{"title":"It broke","html_url":"https://example.com/1","labels":["Bug","Feature","UI"]}}"#.to_owned(),
        timeout_ms: 60_000,
        output_bytes_max: 1_000_000,
        runs: 1,
    }
}

fn functions(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, code) in [
        ("pick", PICK),
        ("map", MAP),
        ("patch", PATCH),
        ("uuid", SMALL),
        ("cheerio", LARGE),
        ("jsonwebtoken", SIGN),
    ] {
        let sandbox = Sandbox::new(Options { threads: 1, ..Options::default() });
        criterion.bench_function(&format!("warm/{name}"), |bencher| {
            bencher.iter(|| runtime.block_on(sandbox.call(call(code, "user".to_owned()))).unwrap());
        });
    }
    let sandbox = Sandbox::new(Options { threads: 1, ..Options::default() });
    let mut user = 0_u64;
    criterion.bench_function("cold/pick", |bencher| {
        bencher.iter(|| {
            user += 1;
            black_box(runtime.block_on(sandbox.call(call(PICK, user.to_string()))).unwrap())
        });
    });
}

criterion_group!(benches, functions);
criterion_main!(benches);
