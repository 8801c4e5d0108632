//! A schedule fires once for each of its moments, not before it comes, and starts one run; of
//! moments that were missed, one run makes up or none, as its workflow says. One that is on always
//! waits for the very next moment.
//!
//! When moments are is worked out here a second time, without cron.

use super::Breach;
use super::switches::{Place, Switches};
use crate::sim::configs::Configs;
use crate::sim::project::period_ms;
use crate::sim::transcript::{Part, Placed};
use domain::event::{Event, ScheduleFired, ScheduleSet, TriggerKind};
use domain::meta::Meta;
use domain::time::Timestamp;
use domain::workflow::{Missed, Schedule, Trigger};
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "a schedule fires once for each moment";

/// What the documentation says of moments: how late one is missed, in milliseconds, how many are
/// counted, and over which share of the way to the next users are spread, at most a minute.
const MISSED_AFTER_MS: i64 = 60_000;
const COUNTED_MAX: i64 = 1_000;
const SPREAD_SHARE: i64 = 10;
const SPREAD_MS_MAX: i64 = 60_000;

#[derive(Default)]
struct Watch {
    waiting: BTreeMap<Place, ScheduleSet>,
    fired: BTreeSet<(Place, Timestamp)>,
}

/// At rest nothing is scheduled, so whatever waited has come to its end.
pub(super) fn check(parts: &[Part], configs: &Configs) -> Result<(), Breach> {
    match watched(parts, configs)?.waiting.values().next() {
        None => Ok(()),
        Some(left) => Err(Breach::new(NAME, "none that waits", format!("{left:?}"))),
    }
}

/// Every schedule that is on waits: all are deployed.
pub(super) fn all_wait(parts: &[Part], configs: &Configs) -> Result<(), Breach> {
    let watch = watched(parts, configs)?;
    let mut switches = Switches::default();
    let events = parts.iter().flat_map(|part| &part.runs).flatten();
    events.for_each(|(_, event)| switches.fold(event));
    let is_scheduled = |place: &Place| configs.schedule((place.0, 1)).is_some();
    let idle = |place: &Place| !watch.waiting.contains_key(place);
    match switches.on().filter(is_scheduled).find(idle) {
        None => Ok(()),
        Some((workflow, credential)) => {
            let found = format!("{workflow} of {credential} does not");
            Err(Breach::new("a schedule that is on waits", "every one", found))
        }
    }
}

fn watched(parts: &[Part], configs: &Configs) -> Result<Watch, Breach> {
    let mut watch = Watch::default();
    for run in parts.iter().flat_map(|part| &part.runs) {
        for (offset, event) in run {
            let seen = match &event.body {
                Event::ScheduleSet(e) => watch.set(configs, &event.meta, e),
                Event::ScheduleFired(e) => watch.fire(configs, (&event.meta, run), e),
                // What is run again began so, and is not begun so.
                Event::ExecutionStarted(e)
                    if e.trigger == TriggerKind::Schedule && !is_replay(run) =>
                {
                    let place = (e.workflow, e.credential);
                    expect("runs started by a moment", 1, moments(run, place))
                }
                _ => Ok(()),
            };
            seen.map_err(|(expected, found)| {
                let found = format!("{found}, at {offset} for {}", event.meta.key);
                Breach::new(NAME, expected, found)
            })?;
        }
    }
    Ok(watch)
}

impl Watch {
    fn set(&mut self, configs: &Configs, meta: &Meta, e: &ScheduleSet) -> Seen {
        let place = (e.workflow, e.credential);
        let Some((due, at)) = e.due.zip(e.at) else {
            self.waiting.remove(&place);
            return Ok(());
        };
        let (version, schedule) = released(configs, meta, place)?;
        let period = period_ms(schedule).unwrap_or(1);
        let room = (period / SPREAD_SHARE).clamp(1, SPREAD_MS_MAX);
        let latest = if schedule.exact { 0 } else { room - 1 };
        expect("the deployed version", version, e.version)?;
        expect("the next moment", (meta.occurred_at.0 / period + 1) * period, due.0)?;
        expect("no more than spread", true, (0..=latest).contains(&at.since_ms(due)))?;
        self.waiting.insert(place, e.clone());
        Ok(())
    }

    fn fire(
        &mut self,
        configs: &Configs,
        (meta, run): (&Meta, &[Placed<Event>]),
        e: &ScheduleFired,
    ) -> Seen {
        let place = (e.workflow, e.credential);
        let waited = self.waiting.remove(&place);
        let Some((waited, at)) = waited.and_then(|set| set.at.map(|at| (set, at))) else {
            return Err(("a moment that was waited for".into(), format!("{e:?}")));
        };
        expect("the moment that was waited for", waited.due, Some(e.due))?;
        expect("a moment that has not come before", true, self.fired.insert((place, e.due)))?;
        let late = meta.occurred_at.since_ms(at);
        expect("a moment that has come", true, late >= 0)?;

        let (_, schedule) = released(configs, meta, place)?;
        let period = period_ms(schedule).unwrap_or(1);
        let is_same = configs.schedule((place.0, waited.version)) == Some(schedule);
        let is_missed = schedule.missed == Missed::Skip && late > MISSED_AFTER_MS;
        expect("runs", i32::from(is_same && !is_missed), e.executions)?;
        let missed = meta.occurred_at.0 / period - e.due.0 / period;
        expect("moments missed", missed.min(COUNTED_MAX), i64::from(e.missed))?;
        let started = run.iter().filter(|(_, event)| match &event.body {
            Event::ExecutionStarted(e) => (e.workflow, e.credential) == place,
            _ => false,
        });
        expect("runs of the decision", e.executions as usize, started.count())?;
        let set = run.iter().filter(|(_, event)| match &event.body {
            Event::ScheduleSet(e) => (e.workflow, e.credential) == place && e.due.is_some(),
            _ => false,
        });
        expect("moments to wait for next", 1, set.count())
    }
}

/// What was expected, and what was found instead.
type Seen = Result<(), (String, String)>;

// Every caller makes the values on the spot.
#[allow(clippy::needless_pass_by_value)]
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, found: T) -> Seen {
    match expected == found {
        true => Ok(()),
        false => Err((format!("{what}: {expected:?}"), format!("{found:?}"))),
    }
}

fn released<'a>(
    configs: &'a Configs,
    meta: &Meta,
    (workflow, _): Place,
) -> Result<(i32, &'a Schedule), (String, String)> {
    match configs.released(meta, workflow).map(|(version, found)| (version, &found.trigger)) {
        Some((version, Trigger::Schedule(schedule))) => Ok((version, schedule)),
        other => Err(("a schedule that is deployed".into(), format!("{other:?}"))),
    }
}

fn is_replay(run: &[Placed<Event>]) -> bool {
    run.iter().any(|(_, event)| matches!(event.body, Event::ExecutionReplayed(_)))
}

fn moments(run: &[Placed<Event>], place: Place) -> usize {
    let is_moment = |event: &Event| match event {
        Event::ScheduleFired(e) => (e.workflow, e.credential) == place,
        _ => false,
    };
    run.iter().filter(|(_, event)| is_moment(&event.body)).count()
}
