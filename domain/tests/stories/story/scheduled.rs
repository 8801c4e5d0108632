//! A user who has a workflow that runs by itself.

use super::{PROJECT, Story, project};
use domain::id::{CredentialId, WorkflowId};
use domain::state::{RowKey, Schedule, schedule_id};
use domain::workflow::Trigger;
use serde_json::{Value, json};

impl Story {
    /// The same two workflows, and a third that runs by itself.
    pub(crate) fn given_schedule(schedule: &Value) -> Self {
        let mut file = project(&json!([{ "name": "run", "function": "f" }]));
        file["workflows"].as_array_mut().unwrap().push(json!({
            "workflow": "by schedule",
            "integration": "custom.desk",
            "default_enabled": true,
            "trigger": { "schedule": schedule },
            "steps": [{ "name": "run", "function": "f" }],
        }));
        let desired = domain::definition::parse(&file.to_string()).unwrap().desired;
        let mut story = Self::given(&json!([{ "name": "run", "function": "f" }]));
        story.desired = desired.clone();
        story.apply(&desired);
        story
    }

    /// The workflow that runs by itself.
    pub(crate) fn by_schedule(&self) -> WorkflowId {
        self.desired.workflows[2].workflow.id
    }

    /// Another schedule is deployed.
    pub(crate) fn deploy_schedule(&mut self, cron: &str) {
        let mut desired = self.desired.clone();
        if let Trigger::Schedule(schedule) = &mut desired.workflows[2].workflow.trigger {
            cron.clone_into(&mut schedule.cron);
        }
        self.desired = desired.clone();
        self.apply(&desired);
    }

    /// The user's account.
    pub(crate) fn account(&self) -> CredentialId {
        let user = self.rows.user(&RowKey::User(PROJECT, "anna".into())).unwrap();
        *user.credentials.keys().next().unwrap()
    }

    /// What the schedule waits for.
    pub(crate) fn schedule(&self) -> Option<&Schedule> {
        self.rows.schedule(schedule_id(self.by_schedule(), self.account()))
    }
}
