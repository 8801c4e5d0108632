//! What is at rest begins nothing: runs that somebody paused, of an inactive integration, or of a
//! disabled user; and what was set aside stays so until that is over.

use super::Breach;
use crate::sim::configs::Configs;
use crate::sim::transcript::Part;
use domain::event::{Event, StepKind, StepsStarted};
use domain::id::{CredentialId, ExecutionId};
use domain::meta::{Meta, Recorded};
use projections::Seat;
use std::collections::{BTreeMap, BTreeSet};

const NAME: &str = "what is at rest begins nothing";

pub(super) fn check(parts: &[Part], configs: &Configs) -> Result<(), Breach> {
    for part in parts.iter().filter(|part| part.seat != Seat::CONFIG) {
        let mut resting = Resting::new(configs);
        let mut begun = part.begun.iter().peekable();
        for (offset, event) in part.runs.iter().flatten() {
            while let Some((at, steps)) = begun.next_if(|(at, _)| at < offset) {
                resting.begin(*at, &steps.body)?;
            }
            resting.fold(*offset, event)?;
        }
        for (at, steps) in begun {
            resting.begin(*at, &steps.body)?;
        }
    }
    Ok(())
}

/// What rests in a partition, as far as events were folded.
struct Resting<'a> {
    configs: &'a Configs,
    disabled: BTreeSet<&'a str>,
    removed: BTreeSet<CredentialId>,
    paused: BTreeSet<ExecutionId>,
    /// Steps that were set aside, by their runs.
    aside: BTreeSet<ExecutionId>,
    runs: BTreeMap<ExecutionId, Run<'a>>,
}

/// Whose a run is, and what it is an item of.
#[derive(Clone, Copy)]
struct Run<'a> {
    user: &'a str,
    credential: CredentialId,
    parent: Option<ExecutionId>,
}

impl<'a> Resting<'a> {
    fn new(configs: &'a Configs) -> Self {
        Self {
            configs,
            disabled: BTreeSet::new(),
            removed: BTreeSet::new(),
            paused: BTreeSet::new(),
            aside: BTreeSet::new(),
            runs: BTreeMap::new(),
        }
    }

    fn is_paused(&self, mut id: ExecutionId) -> bool {
        loop {
            if self.paused.contains(&id) {
                return true;
            }
            match self.runs.get(&id).and_then(|run| run.parent) {
                Some(parent) => id = parent,
                None => return false,
            }
        }
    }

    /// Something rests from now on, or no more.
    fn switch(&mut self, user: &'a str, event: &Event) {
        match event {
            Event::UserSwitched(e) if e.enabled => {
                self.disabled.remove(user);
            }
            Event::UserSwitched(_) => {
                self.disabled.insert(user);
            }
            Event::CredentialRemoved(e) => {
                self.removed.insert(e.credential);
            }
            Event::ExecutionPaused(e) => {
                self.paused.insert(e.execution);
            }
            Event::ExecutionResumed(e) => {
                self.paused.remove(&e.execution);
            }
            _ => {}
        }
    }

    /// Why nothing of a run may begin, by the code that it is set aside with.
    fn why(&self, meta: &Meta, id: ExecutionId) -> Vec<&'static str> {
        let is_disabled = self.disabled.contains(meta.key.as_str());
        let whys = [
            (!self.configs.is_active(meta), "INTEGRATION_INACTIVE"),
            (is_disabled, "USER_DISABLED"),
            (self.is_paused(id), "EXECUTION_PAUSED"),
        ];
        whys.into_iter().filter_map(|(holds, why)| holds.then_some(why)).collect()
    }

    /// Steps begin. What they are performed with was looked up before.
    fn begin(&self, offset: i64, steps: &StepsStarted) -> Result<(), Breach> {
        for step in &steps.steps {
            let Some(run) = self.runs.get(&step.execution) else { continue };
            let is_held = self.disabled.contains(run.user) || self.is_paused(step.execution);
            if is_held || self.removed.contains(&run.credential) {
                let found = format!("a step of {} at {offset}", step.execution);
                return Err(Breach::new(NAME, "nothing", found));
            }
        }
        Ok(())
    }

    fn fold(&mut self, offset: i64, event: &'a Recorded<Event>) -> Result<(), Breach> {
        let user = event.meta.key.as_str();
        self.switch(user, &event.body);
        let (execution, what) = match &event.body {
            Event::ExecutionStarted(e) => {
                let run = Run { user, credential: e.credential, parent: None };
                self.runs.insert(e.execution, run);
                (e.execution, "a start")
            }
            Event::StepPaused(e) => {
                let whys = self.why(&event.meta, e.execution);
                if !whys.contains(&e.code.as_str()) {
                    let found = format!("{} for {} at {offset}", e.code, e.execution);
                    return Err(Breach::new("what is set aside rests", format!("{whys:?}"), found));
                }
                self.aside.insert(e.execution);
                return Ok(());
            }
            Event::ItemStarted(e) => {
                self.aside.remove(&e.parent);
                if let Some(outer) = self.runs.get(&e.parent).copied() {
                    self.runs.insert(e.execution, Run { parent: Some(e.parent), ..outer });
                }
                (e.execution, "an item")
            }
            Event::StepReady(e) if self.aside.remove(&e.execution) => (e.execution, "a step"),
            Event::StepSucceeded(e)
                if e.kind == StepKind::Delay && self.aside.remove(&e.execution) =>
            {
                (e.execution, "a step")
            }
            _ => return Ok(()),
        };
        match self.why(&event.meta, execution).first() {
            None => Ok(()),
            Some(why) => {
                let found = format!("{what} of {execution} at {offset}");
                Err(Breach::new(NAME, format!("nothing: {why}"), found))
            }
        }
    }
}
