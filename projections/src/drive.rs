//! Keeps an owner turning: its turns, its timers, and the steps it starts.

use crate::owner::{Owner, SAVE_AFTER_MS, Seat, Turn};
use crate::perform::{Report, perform};
use crate::queue::Work;
use crate::replay;
use crate::roster::{Presence, View};
use crate::world::World;
use domain::time::Timestamp;
use ports::{Error, Meter, Offset, Outbound, Partition};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Pause after an error that may pass.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between retries.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// Pause of an owner that finds another node's claim in front of its own: the two have not heard the
/// same of each other yet.
const DEPOSED_PAUSE: Duration = Duration::from_millis(500);
/// The longest sleep before the timers are looked at again: the clock may step.
const SLEEP_MS_MAX: i64 = 1_000;

/// What an owner is told.
#[derive(Clone)]
pub struct Told {
    /// Which seats this node should hold, and who else is there.
    pub view: watch::Receiver<View>,
    /// Steps begin while this is true.
    pub begins: watch::Receiver<bool>,
    /// The end.
    pub stop: watch::Receiver<bool>,
}

/// Drives the owner of one seat until it is told to stop: it decides while this node should hold
/// the seat, and else follows whoever does.
///
/// # Errors
/// `Corrupt`: what is stored contradicts itself; the process must stop.
pub async fn drive(
    world: World,
    seat: Seat,
    presence: Arc<Presence>,
    outbound: Arc<dyn Outbound>,
    mut told: Told,
) -> Result<(), Error> {
    let mut owner = Owner::new(world.clone(), seat, presence.node());
    let (mut pause, mut is_cold) = (RETRY_PAUSE, true);
    while !*told.stop.borrow() {
        let holds = told.view.borrow_and_update().seats.contains(&seat.number());
        owner.let_begin(*told.begins.borrow_and_update());
        let done = match holds {
            true => round(&world, &mut owner, &outbound, &told.view).await,
            false => follow(&world, &mut owner).await,
        };
        world.meter.owner(seat.number(), done.as_ref().map(|_| owner.holds()));
        if is_cold && done.is_ok() {
            is_cold = false;
            presence.caught_up();
        }
        match done {
            Ok(Some(next)) => {
                pause = RETRY_PAUSE;
                world.meter.waiting(seat.number(), owner.waiting());
                rest(&world, &mut owner, next, &mut told).await;
            }
            Ok(None) => pause = RETRY_PAUSE,
            Err(Error::Corrupt(reason)) => {
                tracing::error!(seat = seat.number(), reason, "partition stopped");
                return Err(Error::Corrupt(reason));
            }
            Err(error) => {
                tracing::warn!(seat = seat.number(), %error, "owner starts again");
                owner.resign();
                world.meter.waiting(seat.number(), 0);
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_PAUSE_MAX);
            }
        }
    }
    Ok(())
}

/// What a seat rests for: the next record of a partition.
type Next = (Partition, Offset);

/// Folds what another node decided.
async fn follow(world: &World, owner: &mut Owner) -> Result<Option<Next>, Error> {
    let next = owner.follow().await?;
    let waited_ms = owner.unsaved_since().map(|since| world.clock.now().since_ms(since));
    if waited_ms.is_some_and(|ms| ms >= SAVE_AFTER_MS) {
        owner.save().await?;
    }
    Ok(Some((owner.seat().events, next)))
}

/// A turn, the steps that it made ready, and due timers. `Some`: nothing to do up to that command.
async fn round(
    world: &World,
    owner: &mut Owner,
    outbound: &Arc<dyn Outbound>,
    view: &watch::Receiver<View>,
) -> Result<Option<Next>, Error> {
    let turn = owner.turn().await?;
    for work in owner.take_works() {
        tokio::spawn(complete(world.clone(), Arc::clone(outbound), work));
    }
    for piece in owner.take_replays().await? {
        tokio::spawn(replay::send(world.clone(), piece));
    }
    owner.reclaim(|node| view.borrow().nodes.contains(node)).await?;
    let fired = match owner.next_due() {
        Some(due) if due <= world.clock.now() => owner.fire().await?,
        _ => 0,
    };
    let waited_ms = owner.unsaved_since().map(|since| world.clock.now().since_ms(since));
    if waited_ms.is_some_and(|ms| ms >= SAVE_AFTER_MS) {
        owner.save().await?;
        world.meter.waiting(owner.seat().number(), owner.waiting());
    }
    Ok(match turn {
        Turn::Idle { next } if fired == 0 => Some((owner.seat().commands, next)),
        Turn::Idle { .. } | Turn::Busy => None,
        Turn::Deposed => {
            tokio::time::sleep(DEPOSED_PAUSE).await;
            None
        }
    })
}

/// Waits for the next record or outcome, the next timer, another task, or the end.
async fn rest(world: &World, owner: &mut Owner, (partition, next): Next, told: &mut Told) {
    let now = world.clock.now();
    let save = owner.unsaved_since().map(|since| since.plus_ms(SAVE_AFTER_MS));
    let due = owner.next_due().into_iter().chain(save).min().unwrap_or(Timestamp(i64::MAX));
    let sleep_ms = due.since_ms(now).clamp(1, SLEEP_MS_MAX);
    tokio::select! {
        _ = world.log.changed(partition, next) => {}
        () = owner.handed() => {}
        () = tokio::time::sleep(Duration::from_millis(sleep_ms.unsigned_abs())) => {}
        _ = told.view.changed() => {}
        _ = told.begins.changed() => {}
        _ = told.stop.changed() => {}
    }
}

/// A step that is being performed; dropped, also when its node stops, it no longer is.
struct Performing(Arc<dyn Meter>);

impl Performing {
    fn begin(meter: &Arc<dyn Meter>) -> Self {
        meter.performing(1);
        Self(Arc::clone(meter))
    }
}

impl Drop for Performing {
    fn drop(&mut self) {
        self.0.performing(-1);
    }
}

/// Performs a step until its outcome is on the log. What is sent has the effect key of the step,
/// also when it is tried again.
async fn complete(world: World, outbound: Arc<dyn Outbound>, work: Work) {
    let trace_id = work.run.correlation_id.simple();
    let (execution, attempt) = (work.call.key.execution, work.call.attempt);
    let _performing = Performing::begin(&world.meter);
    let trying = async |what: &str, error: &Error, pause: &mut Duration| {
        tracing::warn!(%trace_id, %execution, attempt, %error, "{what}; trying again");
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(RETRY_PAUSE_MAX);
    };
    let mut pause = RETRY_PAUSE;
    let outcome = loop {
        match perform(&world, outbound.as_ref(), &work).await {
            Ok(outcome) => break outcome,
            Err(error) => trying("step could not be opened", &error, &mut pause).await,
        }
    };
    pause = RETRY_PAUSE;
    // What was performed once is not performed again for the sake of its record.
    let report = loop {
        match Report::new(&world, &work, &outcome).await {
            Ok(report) => break report,
            Err(error) => trying("outcome could not be sealed", &error, &mut pause).await,
        }
    };
    if let Some(stands) = report.hand_over(&world)
        && stands.await.is_ok()
    {
        return;
    }
    while let Err(error) = append(&world, &report).await {
        trying("outcome could not be recorded", &error, &mut pause).await;
    }
}

async fn append(world: &World, report: &Report) -> Result<(), Error> {
    world.log.append(vec![report.record()?]).await.map(|_| ())
}
