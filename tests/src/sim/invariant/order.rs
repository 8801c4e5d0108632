//! I5: the events of a key are totally ordered, and every mark of that order agrees: offsets and
//! ids rise, time never goes back, the configuration used never does either.

use super::Breach;
use crate::sim::transcript::Part;
use domain::event::Event;
use domain::meta::Recorded;
use std::collections::BTreeMap;

const NAME: &str = "I5: the events of a key are totally ordered";

pub(super) fn check(parts: &[Part]) -> Result<(), Breach> {
    let mut home: BTreeMap<&str, u16> = BTreeMap::new();
    for part in parts {
        let mut last: BTreeMap<&str, (i64, &Recorded<Event>)> = BTreeMap::new();
        let mut moment = 0;
        for (offset, event) in part.runs.iter().flatten() {
            let (key, number) = (event.meta.key.as_str(), part.seat.number());
            if *home.entry(key).or_insert(number) != number {
                return Err(Breach::new(NAME, "a key in one partition", key));
            }
            if event.meta.occurred_at.0 < moment {
                let found = format!("{} after {moment} at {offset}", event.meta.occurred_at.0);
                return Err(Breach::new(NAME, "time that never goes back", found));
            }
            moment = event.meta.occurred_at.0;
            if let Some((before, previous)) = last.insert(key, (*offset, event)) {
                compare(key, (before, previous), (*offset, event))?;
            }
        }
    }
    Ok(())
}

fn compare(
    key: &str,
    (before, previous): (i64, &Recorded<Event>),
    (offset, event): (i64, &Recorded<Event>),
) -> Result<(), Breach> {
    let rises = before < offset && previous.meta.event_id < event.meta.event_id;
    if !rises {
        let found = format!(
            "{key}: {} at {before}, then {} at {offset}",
            previous.meta.event_id.0, event.meta.event_id.0
        );
        return Err(Breach::new(NAME, "offsets and ids that rise", found));
    }
    if event.meta.config_offset < previous.meta.config_offset {
        let found = format!("{key}: an older one at {offset}");
        return Err(Breach::new(NAME, "a configuration that never goes back", found));
    }
    Ok(())
}
