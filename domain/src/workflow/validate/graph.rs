//! Which steps can come after which.

use crate::workflow::{Action, Step, Workflow};

/// Which steps can come after which: one bit for each pair.
pub(super) struct Graph {
    /// For each step, the set of steps that some way leads to from it.
    after: Vec<Vec<u64>>,
}

/// The successors that a step names, and where.
pub(super) fn successor_fields(step: &Step) -> impl Iterator<Item = (&'static str, u16)> {
    let named = match &step.action {
        Action::Conditional(conditional) => {
            [("next", step.next), ("yes", conditional.yes), ("no", conditional.no)]
        }
        Action::FanOut(fan_out) => [("next", step.next), ("first", fan_out.first), ("", None)],
        Action::Request(_)
        | Action::IntegrationRequest(_)
        | Action::Function(_)
        | Action::Delay(_)
        | Action::Response(_) => [("next", step.next), ("", None), ("", None)],
    };
    named.into_iter().filter_map(|(field, index)| Some((field, index?)))
}

/// Where a run can go from a step. A conditional goes to its own `next` only by an empty branch:
/// else the ends of its branches say where they rejoin.
fn successors(step: &Step) -> [Option<u16>; 2] {
    match &step.action {
        Action::Conditional(conditional) => {
            [conditional.yes.or(step.next), conditional.no.or(step.next)]
        }
        Action::FanOut(fan_out) => [fan_out.first, step.next],
        Action::Request(_)
        | Action::IntegrationRequest(_)
        | Action::Function(_)
        | Action::Delay(_)
        | Action::Response(_) => [step.next, None],
    }
}

impl Graph {
    pub(super) fn of(workflow: &Workflow) -> Self {
        let joins = joins(workflow);
        let count = workflow.steps.len();
        let after = (0..count).map(|from| reached(workflow, &joins, from)).collect();
        Self { after }
    }

    /// Whether some way leads from one step to the other.
    pub(super) fn is_before(&self, earlier: usize, later: usize) -> bool {
        let word = self.after.get(earlier).and_then(|set| set.get(later / 64));
        word.is_some_and(|word| word & (1 << (later % 64)) != 0)
    }
}

/// Where the ends of items are joined: for each step, the steps after the fan outs that it is in.
fn joins(workflow: &Workflow) -> Vec<Vec<u16>> {
    let mut joins = vec![Vec::new(); workflow.steps.len()];
    for (index, step) in (0..=u16::MAX).zip(&workflow.steps) {
        let Some(next) = step.next.filter(|_| matches!(step.action, Action::FanOut(_))) else {
            continue;
        };
        for inner in workflow.body_of(index) {
            if let Some(joined) = joins.get_mut(usize::from(inner)) {
                joined.push(next);
            }
        }
    }
    joins
}

/// The steps that some way of at least one step leads to.
fn reached(workflow: &Workflow, joins: &[Vec<u16>], from: usize) -> Vec<u64> {
    let mut set = vec![0u64; workflow.steps.len().div_ceil(64)];
    let mut open = vec![from];
    while let Some(index) = open.pop() {
        let Some(step) = workflow.steps.get(index) else { continue };
        let joined = joins.get(index).into_iter().flatten().copied();
        for next in successors(step).into_iter().flatten().chain(joined).map(usize::from) {
            let Some(word) = set.get_mut(next / 64) else { continue };
            let bit = 1 << (next % 64);
            if *word & bit == 0 {
                *word |= bit;
                open.push(next);
            }
        }
    }
    set
}
