//! `millrace rebuild`: rows thrown away and folded again.

use crate::config::Config;
use crate::node::{projections, seats};
use crate::wire;
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use ports::{Error, Log, Store};
use projections::owner::table;
use projections::runner::{self, Projection, Runner};
use projections::{Owner, Seat, World};
use std::process::ExitCode;
use std::sync::Arc;

#[derive(Args, Debug)]
pub(super) struct Rebuild {
    /// One of: owner, history, inbox.
    #[arg(long, required_unless_present = "all")]
    projection: Option<String>,
    /// Every one.
    #[arg(long, conflicts_with = "projection")]
    all: bool,
}

impl Rebuild {
    pub(super) async fn run(&self, config: &Config) -> Result<ExitCode> {
        let world = wire::open(config).await?.world;
        let known: Vec<&str> =
            projections().iter().map(|projection| projection.name()).chain(["owner"]).collect();
        if let Some(name) = &self.projection
            && !known.contains(&name.as_str())
        {
            bail!("there is no projection {name}; there are: {}", known.join(", "));
        }
        let wanted = |name: &str| self.all || self.projection.as_deref() == Some(name);
        for projection in projections() {
            if wanted(projection.name()) {
                let (log, store) = (world.log.as_ref(), world.store.as_ref());
                runner::clear(log, store, projection.as_ref()).await?;
                fold(&world, &projection).await?;
            }
        }
        if wanted("owner") {
            for table in table::FOLDED {
                world.store.clear(table).await?;
            }
            fold_owners(&world, Fold::All).await?;
        }
        world.store.sync().await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Folds a projection over every partition, showing how far it is.
pub(super) async fn fold(world: &World, projection: &Arc<dyn Projection>) -> Result<()> {
    runner::renew(world.log.as_ref(), world.store.as_ref(), projection.as_ref()).await?;
    let bar = bar(world.log.as_ref(), projection.name()).await?;
    for seat in seats(world.log.partitions()) {
        let (log, store) = (world.log.clone(), world.store.clone());
        let mut runner = Runner::new(log, store, projection.clone(), seat);
        let mut at = 0;
        loop {
            let (next, more) = runner.step().await?;
            bar.inc((next - at).max(0).unsigned_abs());
            at = next;
            if !more {
                break;
            }
        }
    }
    bar.finish();
    Ok(())
}

/// What of the log is folded.
#[derive(Clone, Copy)]
pub(super) enum Fold {
    /// Everything, into cleared tables.
    All,
    /// What is not in the rows yet.
    Rest,
}

/// Folds what owners know over every partition.
pub(super) async fn fold_owners(world: &World, what: Fold) -> Result<()> {
    let bar = bar(world.log.as_ref(), "owner").await?;
    for seat in seats(world.log.partitions()).chain([Seat::CONFIG]) {
        let mut owner = Owner::new(world.clone(), seat, "rebuild");
        let folded = match what {
            Fold::All => owner.fold_all().await,
            Fold::Rest => owner.fold_rest().await,
        };
        let next = folded.context("folding what owners know")?;
        bar.inc(next.max(0).unsigned_abs());
    }
    bar.finish();
    Ok(())
}

async fn bar(log: &dyn Log, name: &'static str) -> Result<ProgressBar, Error> {
    let mut total = 0;
    for seat in seats(log.partitions()) {
        total += log.end(seat.events).await?.max(0).unsigned_abs();
    }
    let bar = ProgressBar::new(total).with_message(name);
    let style = "{msg:>10} {wide_bar} {pos}/{len} events {per_sec}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    Ok(bar)
}

/// Every table that a fold writes.
pub(super) fn tables() -> Vec<ports::Table> {
    let mut tables = table::FOLDED.to_vec();
    for projection in projections() {
        tables.extend(projection.tables());
    }
    tables
}

/// Whether the store could be opened at all is the caller's business.
pub(super) type Rows = Arc<dyn Store>;
