//! Requests to change something, imperative. One struct per Avro schema in `schemas/commands/`.

mod address;
mod config;
mod control;
mod execution;
mod page;
mod replay;
mod schedule;
mod user;

pub use address::*;
pub use config::*;
pub use control::*;
pub use execution::*;
pub use page::*;
pub use replay::*;
pub use schedule::*;
pub use user::*;

crate::codec::family! {
    /// Everything that can be asked of an owner.
    Command in "commands" {
        100 ReceiveEvent "receive_event.1";
        101 ReceiveRequest "receive_request.1";
        102 ReceiveWebhook "receive_webhook.1";
        103 DeliverWebhook "deliver_webhook.1";
        104 SpreadWebhook "spread_webhook.1";
        105 ContinueStarts "continue_starts.1";
        110 ConnectCredential "connect_credential.1";
        111 RemoveCredential "remove_credential.1";
        112 SwitchWorkflow "switch_workflow.1";
        113 DescribeUser "describe_user.1";
        114 SwitchUser "switch_user.1";
        115 LinkCredential "link_credential.1";
        120 RecordOutcome "record_outcome.1";
        121 FireTimer "fire_timer.1";
        122 CancelExecution "cancel_execution.1";
        123 PauseStep "pause_step.1";
        124 ResumeStep "resume_step.1";
        130 AskSlots "ask_slots.1";
        131 HoldSlots "hold_slots.1";
        140 ApplyProject "apply_project.1";
        141 RecordUnsealing "record_unsealing.1";
        310 LoseStep "lose_step.1";
        326 SetSchedule "set_schedule.1";
        327 FireSchedule "fire_schedule.1";
        329 RecordPage "record_page.1";
        350 SaveSettings "save_settings.1";
        353 StartEnabled "start_enabled.1";
        354 ReplayWebhook "replay_webhook.1";
        355 ReplayWebhooks "replay_webhooks.1";
        356 ContinueReplay "continue_replay.1";
        360 ReplayExecution "replay_execution.1";
        361 ReplayExecutions "replay_executions.1";
        362 PauseExecution "pause_execution.1";
        363 ResumeExecution "resume_execution.1";
        369 DeleteUser "delete_user.1";
        371 TestWorkflow "test_workflow.1";
        373 NameVersion "name_version.1";
        375 RestoreVersion "restore_version.1";
        376 SettleParked "settle_parked.1";
    }
}

impl Command {
    /// What it holds of customers' data.
    pub fn payload(&self) -> Option<&crate::payload::Payload> {
        match self {
            Command::ReceiveEvent(c) => Some(&c.sealed),
            Command::ReceiveRequest(c) => Some(&c.sealed),
            Command::ReceiveWebhook(c) => Some(&c.sealed),
            Command::DeliverWebhook(c) => Some(&c.sealed),
            Command::SpreadWebhook(c) => Some(&c.sealed),
            Command::ReplayWebhook(c) => Some(&c.sealed),
            Command::ContinueStarts(c) => Some(&c.sealed),
            Command::ConnectCredential(c) => Some(&c.sealed),
            Command::DescribeUser(c) => Some(&c.sealed),
            Command::SaveSettings(c) => Some(&c.sealed),
            Command::RecordOutcome(c) => Some(&c.sealed),
            Command::RecordPage(c) => Some(&c.sealed),
            Command::ReplayExecution(c) => Some(&c.sealed),
            Command::TestWorkflow(c) => Some(&c.sealed),
            _ => None,
        }
    }
}
