//! Facts, past tense. One struct per Avro schema in `schemas/events/`.

mod address;
mod config;
mod control;
mod execution;
mod fan_out;
mod owner;
mod page;
mod replay;
mod schedule;
mod user;

pub use address::*;
pub use config::*;
pub use control::*;
pub use execution::*;
pub use fan_out::*;
pub use owner::*;
pub use page::*;
pub use replay::*;
pub use schedule::*;
pub use user::*;

crate::codec::family! {
    /// Every fact that the log can hold.
    Event in "events" {
        200 OwnershipClaimed "ownership_claimed.1";
        201 CommandRejected "command_rejected.1";
        202 CommandRepeated "command_repeated.1";
        210 EventReceived "event_received.1";
        211 CredentialConnected "credential_connected.1";
        212 CredentialRemoved "credential_removed.1";
        213 WorkflowSwitched "workflow_switched.1";
        214 UserDescribed "user_described.1";
        215 UserSwitched "user_switched.1";
        216 StartsDeferred "starts_deferred.1";
        220 ExecutionStarted "execution_started.1", then 315 "execution_started.v2.1";
        221 StepReady "step_ready.1", then 316 "step_ready.v2.1";
        222 StepSucceeded "step_succeeded.1", then 317 "step_succeeded.v2.1";
        223 StepFailed "step_failed.1", then 318 "step_failed.v2.1";
        224 Responded "responded.1";
        225 ExecutionFinished "execution_finished.1";
        226 StepPaused "step_paused.1", then 319 "step_paused.v2.1";
        230 WebhookReceived "webhook_received.1";
        231 CredentialLinked "credential_linked.1";
        232 WebhookSpread "webhook_spread.1";
        240 SlotsAsked "slots_asked.1";
        241 SlotsGranted "slots_granted.1";
        242 SlotsHeld "slots_held.1";
        250 ProjectConfigured "project_configured.1";
        251 IntegrationConfigured "integration_configured.1";
        252 WorkflowSaved "workflow_saved.1";
        253 WorkflowReleased "workflow_released.1";
        254 AppEventDefined "app_event_defined.1";
        255 SecretSet "secret_set.1";
        256 ApiKeySet "api_key_set.1";
        257 PayloadsUnsealed "payloads_unsealed.1";
        311 StepsStarted "steps_started.1";
        314 OutcomesAdmitted "outcomes_admitted.1";
        320 FanOutStarted "fan_out_started.1";
        321 ItemsPaged "items_paged.1";
        322 ItemStarted "item_started.1";
        323 ItemFinished "item_finished.1";
        324 ScheduleSet "schedule_set.1";
        325 ScheduleFired "schedule_fired.1";
        328 PageFetched "page_fetched.1";
        351 SettingsSaved "settings_saved.1";
        352 IntegrationEnabled "integration_enabled.1";
        357 WebhookReplayed "webhook_replayed.1";
        358 ReplayRequested "replay_requested.1";
        359 ReplayContinued "replay_continued.1";
        364 ExecutionReplayed "execution_replayed.1";
        365 StepKept "step_kept.1";
        366 ExecutionsReplayRequested "executions_replay_requested.1";
        367 ExecutionPaused "execution_paused.1";
        368 ExecutionResumed "execution_resumed.1";
        370 UserDeleted "user_deleted.1";
        372 ExecutionTested "execution_tested.1";
        374 VersionNamed "version_named.1";
        377 ParkedSettled "parked_settled.1";
    }
}

impl Event {
    /// Whether an owner says it of its own work, and decides nothing by it.
    pub fn is_of_owner(&self) -> bool {
        matches!(
            self,
            Event::OwnershipClaimed(_) | Event::StepsStarted(_) | Event::OutcomesAdmitted(_)
        )
    }

    /// The execution that it belongs to.
    pub fn execution(&self) -> Option<crate::id::ExecutionId> {
        match self {
            Event::ExecutionStarted(e) => Some(e.execution),
            Event::StepReady(e) => Some(e.execution),
            Event::StepPaused(e) => Some(e.execution),
            Event::StepSucceeded(e) => Some(e.execution),
            Event::StepFailed(e) => Some(e.execution),
            Event::Responded(e) => Some(e.execution),
            Event::ExecutionFinished(e) => Some(e.execution),
            Event::PageFetched(e) => Some(e.execution),
            Event::FanOutStarted(e) => Some(e.execution),
            Event::ItemsPaged(e) => Some(e.execution),
            Event::ItemStarted(e) => Some(e.execution),
            Event::ItemFinished(e) => Some(e.execution),
            Event::ExecutionReplayed(e) => Some(e.execution),
            Event::ExecutionTested(e) => Some(e.execution),
            Event::StepKept(e) => Some(e.execution),
            Event::ExecutionPaused(e) => Some(e.execution),
            Event::ExecutionResumed(e) => Some(e.execution),
            _ => None,
        }
    }

    /// What it holds of customers' data.
    pub fn payload(&self) -> Option<&crate::payload::Payload> {
        match self {
            Event::CredentialConnected(e) => Some(&e.sealed),
            Event::UserDescribed(e) => Some(&e.sealed),
            Event::SettingsSaved(e) => Some(&e.sealed),
            Event::ExecutionStarted(e) => Some(&e.sealed),
            Event::StepSucceeded(e) => Some(&e.sealed),
            Event::StepFailed(e) => Some(&e.sealed),
            Event::Responded(e) => Some(&e.sealed),
            Event::WebhookReceived(e) => Some(&e.sealed),
            Event::WebhookSpread(e) => Some(&e.sealed),
            Event::WebhookReplayed(e) => Some(&e.sealed),
            Event::StartsDeferred(e) => Some(&e.sealed),
            Event::SecretSet(e) => Some(&e.sealed),
            Event::PageFetched(e) => Some(&e.sealed),
            Event::ItemsPaged(e) => Some(&e.sealed),
            Event::ItemStarted(e) => Some(&e.sealed),
            Event::StepKept(e) => Some(&e.sealed),
            _ => None,
        }
    }

    /// What it holds of customers' data, to seal it.
    pub fn payload_mut(&mut self) -> Option<&mut crate::payload::Payload> {
        match self {
            Event::CredentialConnected(e) => Some(&mut e.sealed),
            Event::UserDescribed(e) => Some(&mut e.sealed),
            Event::SettingsSaved(e) => Some(&mut e.sealed),
            Event::ExecutionStarted(e) => Some(&mut e.sealed),
            Event::StepSucceeded(e) => Some(&mut e.sealed),
            Event::StepFailed(e) => Some(&mut e.sealed),
            Event::Responded(e) => Some(&mut e.sealed),
            Event::WebhookReceived(e) => Some(&mut e.sealed),
            Event::WebhookSpread(e) => Some(&mut e.sealed),
            Event::WebhookReplayed(e) => Some(&mut e.sealed),
            Event::StartsDeferred(e) => Some(&mut e.sealed),
            Event::SecretSet(e) => Some(&mut e.sealed),
            Event::PageFetched(e) => Some(&mut e.sealed),
            Event::ItemsPaged(e) => Some(&mut e.sealed),
            Event::ItemStarted(e) => Some(&mut e.sealed),
            Event::StepKept(e) => Some(&mut e.sealed),
            _ => None,
        }
    }
}
