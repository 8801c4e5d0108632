//! Nested steps, as people write them, into the flat list that a run walks.
//!
//! Steps are numbered as they stand in the file, those within others included: `{{2.…}}` is the
//! first, a conditional comes before its branches, `then` before `else`, and a fan out before the
//! steps that run for each item.

use super::identity::derived;
use super::mistake::{Mistakes, Path, quoted};
use super::step;
use super::yaml::Node;
use crate::id::{StepId, WorkflowId};
use crate::workflow::{Action, Step};
use std::collections::BTreeMap;

/// A step and where it stands in the file.
pub(super) struct Placed<'a> {
    pub(super) step: Step,
    pub(super) node: &'a Node,
    pub(super) path: Path,
    /// Whether the file does not say what it does: `step` holds its place.
    pub(super) unknown: bool,
}

/// The keys below which a step has others.
const WITHIN: [&str; 3] = ["then", "else", "steps"];

/// How many steps a list has, those within others included.
pub(super) fn count(list: &Node) -> usize {
    list.items().iter().map(size).sum()
}

/// How many steps a step is, with those within it.
fn size(node: &Node) -> usize {
    1 + WITHIN.iter().filter_map(|key| node.get(key)).map(count).sum::<usize>()
}

/// The steps of a workflow, flat. `count` of them must fit into 16 bits.
pub(super) fn flatten<'a>(
    list: &'a Node,
    path: &Path,
    workflow: WorkflowId,
    mistakes: &mut Mistakes,
) -> Vec<Placed<'a>> {
    let mut walk = Walk { workflow, steps: Vec::new(), lines: BTreeMap::new(), mistakes };
    walk.list(list, path, None);
    walk.steps
}

struct Walk<'a, 'm> {
    workflow: WorkflowId,
    steps: Vec<Placed<'a>>,
    lines: BTreeMap<&'a str, u32>,
    mistakes: &'m mut Mistakes,
}

impl<'a> Walk<'a, '_> {
    /// Appends a list whose last step leads on to `after`; gives the index of its first step.
    fn list(&mut self, list: &'a Node, path: &Path, after: Option<u16>) -> Option<u16> {
        let items = list.items();
        let mut at = index(self.steps.len());
        let first = at.filter(|_| !items.is_empty());
        for (number, node) in items.iter().enumerate() {
            let following = at.and_then(|at| index(usize::from(at) + size(node)));
            let is_last = number + 1 == items.len();
            self.step(node, &path.index(number), if is_last { after } else { following });
            at = following;
        }
        first
    }

    fn step(&mut self, node: &'a Node, path: &Path, next: Option<u16>) {
        let name = node.text_of("name").unwrap_or_default();
        if let Some(at) = node.get("name").map(|node| node.at).filter(|_| !name.is_empty()) {
            match self.lines.get(name) {
                Some(first) => {
                    let problem =
                        format!("another step is called {}, on line {first}", quoted(name));
                    let mend = "give each step a name of its own";
                    self.mistakes.add(at, &path.key("name"), problem, mend);
                }
                None => {
                    self.lines.insert(name, at.line);
                }
            }
        }
        let told = node.text_of("id").and_then(|id| id.parse().ok());
        let id = told.unwrap_or_else(|| StepId(derived(&self.workflow.0, "step", name)));
        let flag = |key: &str| node.get(key).and_then(Node::flag).unwrap_or(false);
        let action = step::action(node);
        let unknown = action.is_none();
        let place = self.steps.len();
        self.steps.push(Placed {
            step: Step {
                id,
                name: name.to_owned(),
                action: action.unwrap_or_else(step::unknown),
                next,
                auto_retry: flag("auto_retry"),
                continue_on_error: flag("continue_on_error"),
            },
            node,
            path: path.clone(),
            unknown,
        });
        // What runs for each item leads nowhere: the fan out waits for all of them.
        let ends = [next, next, None];
        let mut firsts = WITHIN
            .iter()
            .zip(ends)
            .map(|(key, end)| node.get(key).and_then(|list| self.list(list, &path.key(key), end)));
        let (yes, no, each) = (firsts.next(), firsts.next(), firsts.next());
        match self.steps.get_mut(place).map(|placed| &mut placed.step.action) {
            Some(Action::Conditional(choice)) => {
                (choice.yes, choice.no) = (yes.flatten(), no.flatten());
            }
            Some(Action::FanOut(fan_out)) => fan_out.first = each.flatten(),
            _ => {}
        }
    }
}

fn index(place: usize) -> Option<u16> {
    u16::try_from(place).ok()
}
