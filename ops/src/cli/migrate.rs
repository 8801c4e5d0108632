//! `millrace migrate`: the topics of a log on Kafka, and the level of its records.

use crate::cluster::listen;
use crate::config::{Backend, Config};
use crate::kafka;
use crate::system::SystemClock;
use anyhow::{Result, bail};
use clap::Args;
use domain::codec;
use log_kafka::{Identity, KafkaLog, Options, Plan};
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
        let rise = match plan.identity().filter(|log| log.level < codec::schema_max()) {
            Some(log) => Some(Rise::plan(&options, log).await?),
            None => None,
        };
        let (mut steps, mut refusals) = (plan.steps(), plan.refusals().to_vec());
        if let Some(rise) = &rise {
            steps.push(rise.step());
            refusals.extend(rise.refusals());
        }
        for step in &steps {
            println!("{step}");
        }
        for line in plan.warnings() {
            eprintln!("warning: {line}");
        }
        if !refusals.is_empty() {
            for line in &refusals {
                eprintln!("refused: {line}");
            }
            eprintln!("nothing was changed");
            return Ok(ExitCode::from(2));
        }
        if steps.is_empty() {
            println!("nothing to do");
        } else if !self.dry_run {
            let Identity { id, partitions, level } = carry_out(plan, rise).await?;
            println!("done: log {id} with {partitions} partitions, at level {level}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn carry_out(plan: Plan, rise: Option<Rise>) -> Result<Identity> {
    let now = SystemClock.now();
    Ok(match rise {
        Some(rise) => plan.raise(rise.log, now).await?,
        None => plan.carry_out(now).await?,
    })
}

/// A log that is to hold records of this build.
struct Rise {
    log: Identity,
    /// Nodes that read less, and up to which schema.
    behind: Vec<(String, i32)>,
}

impl Rise {
    async fn plan(options: &Options, log: Identity) -> Result<Self> {
        let nodes = listen(&KafkaLog::open(options.clone()).await?).await?;
        let reads = nodes.into_iter().map(|heard| (heard.node.node, heard.node.schema_max));
        let is_behind =
            |(_, reads): &(_, i32)| u32::try_from(*reads).unwrap_or(0) < codec::schema_max();
        Ok(Self { log, behind: reads.filter(is_behind).collect() })
    }

    fn step(&self) -> String {
        let (from, to) = (self.log.level, codec::schema_max());
        format!(
            "raise the level from {from} to {to}: builds that read less cannot use the log any more"
        )
    }

    fn refusals(&self) -> impl Iterator<Item = String> {
        self.behind.iter().map(|(node, reads)| {
            format!("{node} reads records up to schema {reads}: update it first, or stop it")
        })
    }
}
