//! What people did with a run.

use domain::event::Event;
use domain::view::{Original, Run, Status};

pub(super) fn fold(run: &mut Run, event: &Event) {
    match event {
        Event::ExecutionReplayed(e) => {
            run.execution.original = Some(Original {
                execution: e.original,
                from: e.from,
                is_edited: e.edited,
                replay: e.replay,
            });
        }
        Event::ExecutionTested(_) => run.execution.is_test = true,
        Event::ExecutionPaused(_) => run.execution.is_paused = true,
        Event::ExecutionResumed(_) => {
            run.execution.is_paused = false;
            run.execution.status = match run.steps.last().map(|step| step.status) {
                Some(status @ (Status::Waiting | Status::Paused)) => status,
                _ => Status::Running,
            };
        }
        _ => {}
    }
}

/// A run that somebody paused shows as that, whatever is still at work in it.
pub(super) fn hold(run: &mut Run) {
    if run.execution.is_paused && !run.execution.status.is_end() {
        run.execution.status = Status::Paused;
    }
}
