//! What was deployed when, as the log tells.

use super::invariant::Breach;
use super::project::{INTEGRATION, PROJECT};
use super::transcript::Part;
use domain::config::Config;
use domain::id::WorkflowId;
use domain::meta::Meta;
use domain::workflow::{Schedule, Trigger, Workflow};
use projections::Seat;

/// The configuration after each record of it.
pub(super) struct Configs(Vec<(i64, Config)>);

impl Configs {
    pub(super) fn read(parts: &[Part]) -> Result<Self, Breach> {
        let mut config = Config::default();
        let mut all = vec![(i64::MIN, config.clone())];
        let events = parts.iter().filter(|part| part.seat == Seat::CONFIG);
        for (offset, event) in events.flat_map(|part| &part.runs).flatten() {
            config.fold(*offset, event).map_err(|error| {
                Breach::new("the configuration can be read", "a project", error)
            })?;
            all.push((*offset, config.clone()));
        }
        Ok(Self(all))
    }

    /// The configuration that a decision used.
    fn used(&self, meta: &Meta) -> &Config {
        let after = self.0.partition_point(|(offset, _)| *offset <= meta.config_offset);
        &self.0[after.saturating_sub(1)].1
    }

    /// Whether the integration was active for a decision.
    pub(super) fn is_active(&self, meta: &Meta) -> bool {
        self.used(meta).integration(INTEGRATION).is_some_and(|(_, found)| found.active)
    }

    /// The version of a workflow that was deployed for a decision.
    pub(super) fn released(&self, meta: &Meta, id: WorkflowId) -> Option<(i32, &Workflow)> {
        let (version, workflow) = self.used(meta).project(PROJECT)?.released(id)?;
        Some((version, workflow))
    }

    /// The schedule of a version of a workflow.
    pub(super) fn schedule(&self, (id, version): (WorkflowId, i32)) -> Option<&Schedule> {
        let (_, last) = self.0.last()?;
        match &last.project(PROJECT)?.workflow(id, version)?.trigger {
            Trigger::Schedule(schedule) => Some(schedule),
            _ => None,
        }
    }
}
