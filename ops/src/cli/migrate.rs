//! `millrace migrate`: the topics of a log on Kafka, its schemas in a registry, and the level of its
//! records.

use crate::cluster::listen;
use crate::config::{Backend, Config};
use crate::kafka;
use crate::registry::Registration;
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
        let work = Work::plan(config).await?;
        for step in &work.steps {
            println!("{step}");
        }
        for line in work.plan.warnings() {
            eprintln!("warning: {line}");
        }
        if !work.refusals.is_empty() {
            for line in &work.refusals {
                eprintln!("refused: {line}");
            }
            eprintln!("nothing was changed");
            return Ok(ExitCode::from(2));
        }
        if work.steps.is_empty() {
            println!("nothing to do");
        } else if !self.dry_run {
            let Identity { id, partitions, level, .. } = work.carry_out().await?;
            println!("done: log {id} with {partitions} partitions, at level {level}");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What there is to do.
struct Work {
    plan: Plan,
    registration: Option<Registration>,
    steps: Vec<String>,
    refusals: Vec<String>,
}

impl Work {
    async fn plan(config: &Config) -> Result<Self> {
        let options = kafka::options(&config.kafka)?;
        let plan = log_kafka::plan(&options, kafka::wanted(config)).await?;
        let (mut steps, mut refusals) = (plan.steps(), plan.refusals().to_vec());
        let registration = match Registration::plan(&config.kafka, plan.identity()).await {
            Ok(registration) => registration,
            Err(error) => {
                refusals.push(format!("{error:#}"));
                None
            }
        };
        steps.extend(registration.as_ref().map(Registration::step));
        if let Some(log) = plan.identity()
            && log.level < codec::schema_max()
        {
            let (from, to) = (log.level, codec::schema_max());
            steps.push(format!(
                "raise the level from {from} to {to}: builds that read less cannot use the log any \
                 more"
            ));
            refusals.extend(behind(&options).await?);
        }
        Ok(Self { plan, registration, steps, refusals })
    }

    async fn carry_out(self) -> Result<Identity> {
        let registered = match &self.registration {
            Some(registration) => Some(registration.carry_out().await?),
            None => None,
        };
        let now = SystemClock.now();
        Ok(match self.plan.identity().cloned() {
            Some(log) => {
                let registered = registered.or_else(|| log.registered.clone());
                self.plan.raise(Identity { registered, ..log }, now).await?
            }
            None => self.plan.carry_out(registered, now).await?,
        })
    }
}

/// Which nodes read less than this build writes, a line each.
async fn behind(options: &Options) -> Result<Vec<String>> {
    let nodes = listen(&KafkaLog::open(options.clone()).await?).await?;
    let reads = nodes.into_iter().map(|heard| (heard.node.node, heard.node.schema_max));
    let behind =
        reads.filter(|(_, reads)| u32::try_from(*reads).unwrap_or(0) < codec::schema_max());
    let line = |(node, reads)| {
        format!("{node} reads records up to schema {reads}: update it first, or stop it")
    };
    Ok(behind.map(line).collect())
}
