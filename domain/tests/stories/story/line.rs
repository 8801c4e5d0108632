//! What happened, in a line.

use super::Story;
use domain::event::Event;
use domain::time::Timestamp;

impl Story {
    /// An event in a line; moments count from now.
    pub(super) fn line(&self, event: &Event) -> String {
        let at = |due: Timestamp| format!("in {} ms", due.since_ms(self.now));
        match event {
            Event::EventReceived(e) => format!("received, starts {}", e.executions),
            Event::ExecutionStarted(_) => "started".into(),
            Event::StepReady(e) => {
                let when = e.due.map_or_else(|| "now".into(), at);
                format!("step {} ready {when}, attempt {}", e.index, e.attempt)
            }
            Event::StepPaused(e) => {
                format!("step {} paused, attempt {}: {}", e.index, e.attempt, e.code)
            }
            Event::StepSucceeded(e) => format!("step {} succeeded, attempt {}", e.index, e.attempt),
            Event::StepFailed(e) => {
                let on = if e.continued { ", goes on" } else { "" };
                let again =
                    e.retry_at.map_or_else(|| on.into(), |due| format!(", again {}", at(due)));
                format!("step {} failed, attempt {}: {}{again}", e.index, e.attempt, e.code)
            }
            Event::Responded(e) => format!("responded {}", e.status),
            Event::ExecutionFinished(e) => {
                format!("{:?}, {} tasks: {}", e.ending, e.task_count, e.code).to_lowercase()
            }
            Event::PageFetched(e) => format!("page {} fetched, attempt {}", e.page, e.attempt),
            Event::ScheduleSet(e) => match e.at {
                Some(due) => format!("schedule set {}", at(due)),
                None => format!("schedule unset: {}", e.code),
            },
            Event::ScheduleFired(e) => {
                format!("schedule fired, {} missed, starts {}", e.missed, e.executions)
            }
            Event::ItemFinished(e) => format!("item {} {:?}", e.number, e.ending).to_lowercase(),
            Event::WorkflowSwitched(e) => {
                format!("switched {}", if e.enabled { "on" } else { "off" })
            }
            Event::IntegrationEnabled(e) => format!("enabled, starts {}", e.workflows),
            Event::WebhookReceived(e) => format!("webhook, tells {}", e.recipients.len()),
            Event::WebhookReplayed(e) => format!("replayed, tells {}", e.recipients.len()),
            Event::SettingsSaved(e) => {
                let of = e.workflow.map_or("all", |_| "one");
                format!("saved for {of}: {}", e.filled.join(" "))
            }
            Event::CommandRejected(e) => format!("rejected: {}", e.code),
            Event::CommandRepeated(_) => "repeated".into(),
            other => other.name().into(),
        }
    }
}
