//! `millrace copy`: a log moved to another backend.

use crate::config::{Backend, Config};
use crate::moving::{Cut, Draft, Ring, carry, records, source};
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(super) struct Copy {
    /// Where the log is.
    #[arg(long, value_enum)]
    from: Backend,
    /// Where it is to be; nothing may be there yet. The settings of both say where exactly.
    #[arg(long, value_enum)]
    to: Backend,
}

impl Copy {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        if self.from == self.to {
            bail!("a log is copied from embedded to kafka, or from kafka to embedded");
        }
        let source = source(config, self.from).await?;
        let log = source.log.as_ref();
        let cut = Cut::all(log).await?;
        let draft = match self.to {
            Backend::Embedded => Draft::folder(&config.data.join("log"), log.partitions())?,
            Backend::Kafka => Draft::kafka(config, log.partitions()).await?,
        };
        let ring = Ring::read(log).await?;
        ring.carry(&draft).await?;
        let carried = carry(log, &cut, &draft).await?;
        source.check_quiet().await?;
        if Cut::all(log).await? != cut || Ring::read(log).await? != ring {
            bail!("the log went on meanwhile: stop who writes to it, and run this again");
        }
        let place = draft.place();
        let id = draft.finish().await?;
        println!(
            "copied {} records and {} data keys, and read every one of them back",
            records(&carried),
            ring.len()
        );
        println!("log {id} is in {place}; set log.backend to {}", self.to);
        println!(
            "Nodes there need the same master.key, admin.key and blobs ({}), and fold their rows \
             anew: remove the folder {}.",
            crate::wire::blobs(config).display(),
            config.data.join("rows").display()
        );
        Ok(ExitCode::SUCCESS)
    }
}
