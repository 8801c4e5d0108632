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
                if !matches!(event.body, Event::OwnershipClaimed(_) | Event::OutcomesAdmitted(_)) {
                    passed.push(offset);
                }
            }
        }
        let decided = part.runs.iter().flatten().map(|(offset, _)| *offset);
        let begun = part.begun.iter().map(|(offset, _)| *offset);
        let mut standing: Vec<i64> = decided.chain(begun).collect();
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
