//! Keeps an owner turning: its turns, its timers, and the steps it starts.

use crate::owner::{Owner, SAVE_AFTER_MS, Seat, Turn};
use crate::perform::perform;
use crate::queue::Work;
use crate::world::World;
use domain::time::Timestamp;
use ports::{Error, Meter, Outbound};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Pause after an error that may pass.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between retries.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest sleep before the timers are looked at again: the clock may step.
const SLEEP_MS_MAX: i64 = 1_000;

/// Drives one owner until `stop` becomes true.
///
/// # Errors
/// `Corrupt`: what is stored contradicts itself; the process must stop.
pub async fn drive(
    world: World,
    seat: Seat,
    node: String,
    outbound: Arc<dyn Outbound>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Error> {
    let mut owner = Owner::new(world.clone(), seat, node);
    let mut pause = RETRY_PAUSE;
    while !*stop.borrow() {
        let done = round(&world, &mut owner, &outbound).await;
        world.meter.owner(seat.number(), done.as_ref().map(|_| ()));
        match done {
            Ok(Some(next)) => {
                pause = RETRY_PAUSE;
                world.meter.waiting(seat.number(), owner.waiting());
                rest(&world, &owner, next, &mut stop).await;
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

/// A turn, the steps that it made ready, and due timers. `Some`: nothing to do up to that command.
async fn round(
    world: &World,
    owner: &mut Owner,
    outbound: &Arc<dyn Outbound>,
) -> Result<Option<i64>, Error> {
    let turn = owner.turn().await?;
    for work in owner.start().await? {
        tokio::spawn(complete(world.clone(), Arc::clone(outbound), work));
    }
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
        Turn::Idle { next } if fired == 0 => Some(next),
        Turn::Idle { .. } | Turn::Busy => None,
        Turn::Deposed => {
            tokio::time::sleep(RETRY_PAUSE_MAX).await;
            None
        }
    })
}

/// Waits for the next command, the next timer, or the end.
async fn rest(world: &World, owner: &Owner, next: i64, stop: &mut watch::Receiver<bool>) {
    let now = world.clock.now();
    let save = owner.unsaved_since().map(|since| since.plus_ms(SAVE_AFTER_MS));
    let due = owner.next_due().into_iter().chain(save).min().unwrap_or(Timestamp(i64::MAX));
    let sleep_ms = due.since_ms(now).clamp(1, SLEEP_MS_MAX);
    tokio::select! {
        _ = world.log.changed(owner.seat().commands, next) => {}
        () = tokio::time::sleep(Duration::from_millis(sleep_ms.unsigned_abs())) => {}
        _ = stop.changed() => {}
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

/// Performs a step until its outcome is on the log. A step that is performed again after a crash
/// or a full disk has the same effect key.
async fn complete(world: World, outbound: Arc<dyn Outbound>, work: Work) {
    let trace_id = work.run.correlation_id.simple();
    let (execution, attempt) = (work.call.key.execution, work.call.attempt);
    let _performing = Performing::begin(&world.meter);
    let mut pause = RETRY_PAUSE;
    let (partition, record) = loop {
        match perform(&world, outbound.as_ref(), &work).await {
            Ok(outcome) => break outcome,
            Err(error) => tracing::warn!(
                %trace_id, %execution, attempt, %error,
                "step could not be opened; trying again"
            ),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_PAUSE_MAX);
    };
    pause = RETRY_PAUSE;
    while let Err(error) = world.log.append(vec![(partition, record.clone())]).await {
        tracing::warn!(
            %trace_id, %execution, attempt, %error,
            "outcome could not be recorded; trying again"
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_PAUSE_MAX);
    }
}
