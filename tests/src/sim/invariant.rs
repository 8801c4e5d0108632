//! What must hold when everything has come to rest. One file each.

mod acknowledged;
mod apart;
mod begun;
mod budget;
mod ended;
mod idempotent;
mod joined;
mod order;
mod outcome;
mod ownership;
mod paused;
mod rebuilt;
mod scheduled;
mod switched_off;
mod switches;
mod timer;
mod told;

use super::Summary;
use super::configs::Configs;
use super::layout::Order;
use super::transcript::Part;
use super::world::World;
use domain::event::Event;
use projections::Seat;
use std::fmt;

/// Something that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// What should hold.
    pub invariant: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Breach {
    pub(super) fn new(
        invariant: impl fmt::Display,
        expected: impl fmt::Display,
        found: impl fmt::Display,
    ) -> Self {
        let (invariant, expected) = (invariant.to_string(), expected.to_string());
        Self { invariant, expected, found: found.to_string() }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, expected, found } = self;
        write!(f, "{invariant}\n  expected: {expected}\n  found:    {found}")
    }
}

fn read(world: &World) -> Result<Vec<Part>, Breach> {
    let seats = (0..world.layout.partitions).map(Seat::of).chain([Seat::CONFIG]);
    seats.map(|seat| Part::read(&world.shared.log, seat)).collect()
}

/// Checks that every schedule waits, in a world where all are deployed and nothing fails.
pub(super) fn all_wait(world: &World) -> Result<(), Breach> {
    let parts = read(world)?;
    scheduled::all_wait(&parts, &Configs::read(&parts)?)
}

/// Checks a world at rest.
pub(super) fn check(world: &World) -> Result<Summary, Breach> {
    let parts = read(world)?;
    let configs = Configs::read(&parts)?;
    ownership::check(&parts)?;
    order::check(&parts)?;
    acknowledged::check(world, &parts)?;
    told::check(world, &parts)?;
    outcome::check(world, &parts)?;
    begun::check(world, &parts)?;
    timer::check(&parts)?;
    paused::check(&parts, &configs)?;
    budget::check(&parts)?;
    idempotent::check(world, &parts)?;
    switched_off::check(&parts, &configs)?;
    scheduled::check(&parts, &configs)?;
    ended::check(&parts)?;
    joined::check(&parts)?;
    rebuilt::check(world, &parts)?;
    apart::check(world, &parts)?;
    let events = || parts.iter().flat_map(|part| &part.runs).flatten();
    let ended = |event: &Event| matches!(event, Event::ExecutionFinished(_));
    let paused = |event: &Event| matches!(event, Event::StepPaused(_));
    let lost = |event: &Event| matches!(event, Event::StepFailed(e) if e.code == "NODE_LOST");
    let moments = || {
        events().filter_map(|(_, event)| match &event.body {
            Event::ScheduleFired(e) => Some(e),
            _ => None,
        })
    };
    Ok(Summary {
        acknowledged: world.sent.iter().map(|sent| sent.acknowledged).sum(),
        finished: events().filter(|(_, event)| ended(&event.body)).count(),
        pauses: events().filter(|(_, event)| paused(&event.body)).count(),
        lost: events().filter(|(_, event)| lost(&event.body)).count(),
        claims: parts.iter().map(|part| part.reigns.len() - 1).sum(),
        moments: moments().count(),
        let_go: moments().filter(|moment| moment.executions == 0).count(),
        apart: usize::from(world.layout.order == Order::Apart),
        attempts: world.shared.outside.attempts().values().map(|count| *count as usize).sum(),
    })
}
