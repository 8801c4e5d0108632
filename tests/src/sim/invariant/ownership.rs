//! I2: one writer per partition. What the filter of the code under test lets out is what stands by
//! a second reckoning over the whole log, and each epoch has one writer.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::Event;
use domain::run::Filter;
use std::collections::BTreeMap;

const NAME: &str = "I2: one writer per partition";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    for part in parts {
        let mut filter = Filter::default();
        let mut passed: Vec<i64> = Vec::new();
        let mut writers: BTreeMap<i64, i64> = BTreeMap::new();
        for (offset, event) in &part.events {
            for (offset, event) in filter.push(*offset, event.clone()).into_iter().flatten() {
                let meta = &event.meta;
                if *writers.entry(meta.epoch).or_insert(meta.incarnation) != meta.incarnation {
                    let found =
                        format!("two in epoch {} of seat {}", meta.epoch, part.seat.number());
                    return Err(Breach::new(NAME, "one writer per epoch", found));
                }
                if !matches!(event.body, Event::OwnershipClaimed(_)) {
                    passed.push(offset);
                }
            }
        }
        without_command(part)?;
        let decided = part.runs.iter().flatten().map(|(offset, _)| *offset);
        let begun = part.begun.iter().map(|(offset, _)| *offset);
        let admitted = part.admitted.iter().copied();
        let mut standing: Vec<i64> = decided.chain(begun).chain(admitted).collect();
        standing.sort_unstable();
        if passed != standing {
            let at = passed.iter().zip(&standing).position(|(a, b)| a != b);
            let at = at.unwrap_or(passed.len().min(standing.len()));
            let number = part.seat.number();
            let expected = format!("{:?} of seat {number} stands", standing.get(at));
            return Err(Breach::new(NAME, expected, format!("{:?}", passed.get(at))));
        }
    }
    Ok(())
}

/// An owner says that its decisions may name no command, before the first one that does not.
fn without_command(part: &Part) -> Result<(), Breach> {
    let firsts = part.runs.iter().filter_map(|run| run.first());
    for (offset, event) in firsts.filter(|(_, event)| !event.meta.has_command()) {
        let (epoch, number) = (event.meta.epoch, part.seat.number());
        let claimed = part.reigns.iter().find(|reign| reign.epoch == epoch);
        let since = claimed.map_or(i64::MAX, |reign| reign.from);
        if !part.admitted.iter().any(|at| since < *at && at < offset) {
            let found = format!("none in epoch {epoch} of seat {number} before {offset}");
            return Err(Breach::new(NAME, "a word that commands may be missing", found));
        }
    }
    Ok(())
}
