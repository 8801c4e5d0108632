//! The rows.

use super::Findings;
use crate::config::Config;
use crate::node::{projections, seats};
use crate::wire;
use ports::{Error, Log, Store};
use projections::runner;
use store_embedded::EmbeddedStore;

pub(super) async fn examine(
    config: &Config,
    (log, is_held): (&dyn Log, bool),
    findings: &mut Findings,
) {
    let path = config.data.join("rows");
    if is_held || !path.is_dir() {
        let what = if is_held { "the node has them" } else { "there are none; a start folds them" };
        return findings.ok("rows", what);
    }
    let store = match EmbeddedStore::open(&path, wire::store_options(config)) {
        Ok(store) => store,
        Err(error) => {
            return findings.warn("rows", error.to_string(), "a start folds them anew");
        }
    };
    if let Err(error) = compare(log, &store, findings).await {
        findings.warn("rows", error.to_string(), "run `millrace rebuild --all`");
    }
}

async fn compare(log: &dyn Log, store: &dyn Store, findings: &mut Findings) -> Result<(), Error> {
    for projection in projections() {
        let (name, ours) = (projection.name(), projection.version());
        for seat in seats(log.partitions()) {
            let Some(kept) = runner::kept(store, projection.as_ref(), seat).await? else {
                continue;
            };
            if kept.identity != log.identity() {
                let what = format!("those of {name} belong to log {}", kept.identity);
                let mend = "remove the folder rows: a start folds them anew";
                findings.bad("rows", what, mend);
                return Ok(());
            }
            if kept.version != ours {
                let what = format!("those of {name} are of version {}", kept.version);
                findings.warn("rows", what, format!("a start folds them anew, as version {ours}"));
                return Ok(());
            }
        }
        findings.ok("rows", format!("those of {name} are this log's, of version {ours}"));
    }
    Ok(())
}
