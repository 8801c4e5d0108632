//! `millrace doctor`: what operators get wrong.

use crate::config::Config;
use crate::doctor::{self, Finding, Grade};
use anyhow::Result;
use clap::Args;
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Doctor {
    /// JSON lines, also on a terminal.
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Settings that cannot be read are what it says then.
    pub(super) async fn run(&self, config: &Result<Config>) -> Result<ExitCode> {
        let findings = match config {
            Ok(config) => doctor::examine(config).await,
            Err(error) => doctor::unreadable(error),
        };
        let is_colourful = std::io::stdout().is_terminal();
        for finding in &findings {
            match self.json {
                true => println!("{}", serde_json::to_string(finding)?),
                false => println!("{}", line(finding, is_colourful)),
            }
        }
        let is_bad = findings.iter().any(|finding| finding.grade == Grade::Bad);
        Ok(if is_bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
    }
}

fn line(finding: &Finding, is_colourful: bool) -> String {
    let Finding { check, grade, what, mend } = finding;
    let (grade, colour) = match grade {
        Grade::Ok => ("ok", 32),
        Grade::Warn => ("warn", 33),
        Grade::Bad => ("bad", 31),
    };
    let grade = format!("{grade:<4}");
    let grade = if is_colourful { format!("\x1b[{colour}m{grade}\x1b[0m") } else { grade };
    // What a parser says of a file may have more lines than one.
    let what = what.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mend = if mend.is_empty() { String::new() } else { format!(": {mend}") };
    format!("{grade}  {check:<10}  {what}{mend}")
}
