//! Row 16: calls of functions, cold and warm, with and without libraries.

use super::figure::{Better, Figure};
use anyhow::{Result, anyhow};
use connectors::sandbox::{Call, Options, Sandbox, Tenant};
use domain::id::ProjectId;
use indicatif::ProgressBar;
use std::time::Instant;
use uuid::Uuid;

const COLD: usize = 50;
const WARM: usize = 5_000;
const FUNCTIONS: [(&str, &str); 3] = [
    (
        "no library",
        "function yourFunction({ issue }) { return { text: `${issue.title} ${issue.url}` }; }",
    ),
    (
        "a small library (uuid)",
        "function yourFunction({ issue }, { uuid }) { return uuid.validate(issue.title); }",
    ),
    (
        "a large library (cheerio)",
        "function yourFunction({ issue }, { cheerio }) { return cheerio.load(issue.title).text(); }",
    ),
];

pub(super) async fn measure(spinner: &ProgressBar) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, code) in FUNCTIONS {
        spinner.set_message(format!("calling functions with {name}"));
        let mut cold = Vec::with_capacity(COLD);
        for _ in 0..COLD {
            cold.push(ms_of(&engine(), code).await?);
        }
        let sandbox = engine();
        ms_of(&sandbox, code).await?;
        let mut warm = Vec::with_capacity(WARM);
        for _ in 0..WARM {
            warm.push(ms_of(&sandbox, code).await?);
        }
        let figure = |how: &str, mut taken: Vec<f64>, conditions: String| {
            taken.sort_by(f64::total_cmp);
            let name = format!("function with {name}, {how}: p50");
            let p50 = (taken[taken.len() / 2], "ms");
            let p99 = taken[taken.len() * 99 / 100];
            let conditions = format!("{conditions}; p99 {p99:.3} ms");
            Figure::told(16, &name, p50, Better::Lower).under(&conditions)
        };
        let engines = format!("{COLD} engines, each the first call of its process's project");
        figures.push(figure("cold", cold, format!("{engines}; the engine is made within it")));
        let calls = format!("{WARM} calls one after the other, of one engine with one thread");
        figures.push(figure("warm", warm, calls));
    }
    Ok(figures)
}

fn engine() -> Sandbox {
    Sandbox::new(Options { threads: 1, ..Options::default() })
}

async fn ms_of(sandbox: &Sandbox, code: &str) -> Result<f64> {
    let call = Call {
        id: Uuid::from_u128(9),
        tenant: Tenant { project: ProjectId(Uuid::from_u128(1)), user: "user".to_owned() },
        code: code.to_owned(),
        parameters: r#"{"issue":{"title":"It broke","url":"https://example.com/1"}}"#.to_owned(),
        timeout_ms: 60_000,
        output_bytes_max: 1_000_000,
        runs: 1,
    };
    let begun = Instant::now();
    sandbox.call(call).await.map_err(|fault| anyhow!("{fault}"))?;
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}
