//! I3, I4: every row can be rebuilt. Folding what stands from the beginning into an empty store
//! gives, byte for byte, the rows of the node that held the partition last, owner's and readers'.

use super::Breach;
use crate::sim::poll::now;
use crate::sim::transcript::Part;
use crate::sim::world::World;
use bytes::Bytes;
use ports::model::store::ModelStore;
use ports::{Log, Range, Store, Table};
use projections::history::{self, History};
use projections::inbox::Inbox;
use projections::owner::table::FOLDED;
use projections::runner::{Projection, Runner};
use projections::{Owner, Seat, World as Ports};
use std::sync::Arc;

const NAME: &str = "I4: every row can be rebuilt, equal to the byte";

type Rows = Vec<(Bytes, Bytes)>;

pub(super) fn check(world: &World, parts: &[Part]) -> Result<(), Breach> {
    for (number, part) in parts.iter().enumerate() {
        let Some(node) = world.holder(number) else {
            return Err(Breach::new(NAME, "a holder", format!("none of seat {number}")));
        };
        let fresh = Arc::new(ModelStore::default());
        let ports = Ports { store: fresh.clone(), ..node.world.clone() };
        let mut owner = Owner::new(ports, part.seat, "rebuild");
        now(owner.fold_all()).map_err(failed)?;
        let live: &dyn Store = node.store.as_ref();
        for table in FOLDED {
            compare(part.seat, table, live, fresh.as_ref())?;
        }
        readers(world, part, live)?;
    }
    Ok(())
}

/// Readers that begin on an empty store and on one that lived through crashes see the same.
fn readers(world: &World, part: &Part, live: &dyn Store) -> Result<(), Breach> {
    let log: Arc<dyn Log> = world.shared.log.clone();
    let fresh: Arc<dyn Store> = Arc::new(ModelStore::default());
    let torn = Arc::new(ModelStore::new(u64::from(part.seat.number())));
    let projections: [Arc<dyn Projection>; 2] = [Arc::new(History), Arc::new(Inbox)];
    for projection in &projections {
        let seat = part.seat;
        let mut runner = Runner::new(log.clone(), fresh.clone(), projection.clone(), seat);
        while now(runner.step()).map_err(failed)?.1 {}
        for _ in 0..3 {
            let mut runner = Runner::new(log.clone(), torn.clone(), projection.clone(), seat);
            now(runner.step()).map_err(failed)?;
            torn.crash();
        }
        let mut runner = Runner::new(log.clone(), torn.clone(), projection.clone(), seat);
        while now(runner.step()).map_err(failed)?.1 {}
        now(torn.sync()).map_err(failed)?;
    }
    let tables = projections.iter().flat_map(|projection| projection.tables());
    for table in tables.copied() {
        compare(part.seat, table, torn.as_ref(), fresh.as_ref())?;
    }
    // Owners and readers share a store: none writes the other's tables.
    match rows(part.seat, history::RUNS, live)?.is_empty() {
        true => Ok(()),
        false => Err(Breach::new(NAME, "no rows of readers among an owner's", "some")),
    }
}

fn compare(seat: Seat, table: Table, live: &dyn Store, rebuilt: &dyn Store) -> Result<(), Breach> {
    let (live, rebuilt) = (rows(seat, table, live)?, rows(seat, table, rebuilt)?);
    if live == rebuilt {
        return Ok(());
    }
    let pairs = live.iter().zip(&rebuilt).position(|(a, b)| a != b);
    let at = pairs.unwrap_or(live.len().min(rebuilt.len()));
    let show = |rows: &Rows| match rows.get(at) {
        Some((key, value)) => {
            let value = projections::owner::table::decode(value);
            format!("row {at} of {}: {key:?} {value:?}", rows.len())
        }
        None => format!("{} rows", rows.len()),
    };
    let name = format!("{NAME} ({} of seat {})", table.0, seat.number());
    Err(Breach::new(name, show(&rebuilt), show(&live)))
}

fn rows(seat: Seat, table: Table, store: &dyn Store) -> Result<Rows, Breach> {
    let from = Bytes::copy_from_slice(&seat.number().to_be_bytes());
    let next = seat.number().checked_add(1).map(u16::to_be_bytes);
    let until = next.map_or_else(Bytes::new, |next| Bytes::copy_from_slice(&next));
    let range = Range { from, until, limit: usize::MAX, backwards: false };
    now(store.scan(table, range)).map_err(failed)
}

fn failed(error: ports::Error) -> Breach {
    Breach::new(NAME, "rows", error)
}
