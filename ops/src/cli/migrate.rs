//! `millrace migrate`: the topics of a log on Kafka.

use crate::config::{Backend, Config};
use crate::kafka;
use crate::system::SystemClock;
use anyhow::{Result, bail};
use clap::Args;
use ports::Clock;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Migrate {
    /// Show what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Migrate {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        if config.log.backend != Backend::Kafka {
            bail!("the embedded log needs no migration; set log.backend to kafka for one on Kafka");
        }
        let options = kafka::options(&config.kafka)?;
        let plan = log_kafka::plan(&options, kafka::wanted(config)).await?;
        let steps = plan.steps();
        for step in &steps {
            println!("{step}");
        }
        for line in plan.warnings() {
            eprintln!("warning: {line}");
        }
        if !plan.refusals().is_empty() {
            for line in plan.refusals() {
                eprintln!("refused: {line}");
            }
            eprintln!("nothing was changed");
            return Ok(ExitCode::from(2));
        }
        if steps.is_empty() {
            println!("nothing to do");
        } else if !self.dry_run {
            let log = plan.carry_out(SystemClock.now()).await?;
            println!("done: log {} with {} partitions", log.id, log.partitions);
        }
        Ok(ExitCode::SUCCESS)
    }
}
