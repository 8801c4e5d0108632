//! Nested steps, as people write them, into the flat list that a run walks.
//!
//! Steps are numbered as they stand in the file, branches included: `{{2.…}}` is the first, a
//! conditional comes before its branches, `then` before `else`.

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

/// How many steps a list has, branches included.
pub(super) fn count(list: &Node) -> usize {
    let branch = |node: &Node, key: &str| node.get(key).map_or(0, count);
    list.items().iter().map(|node| 1 + branch(node, "then") + branch(node, "else")).sum()
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
            let size =
                1 + branch(node, "then").map_or(0, count) + branch(node, "else").map_or(0, count);
            let following = at.and_then(|at| index(usize::from(at) + size));
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
        let yes = branch(node, "then").and_then(|list| self.list(list, &path.key("then"), next));
        let no = branch(node, "else").and_then(|list| self.list(list, &path.key("else"), next));
        if let Some(Action::Conditional(choice)) =
            self.steps.get_mut(place).map(|placed| &mut placed.step.action)
        {
            (choice.yes, choice.no) = (yes, no);
        }
    }
}

fn branch<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key)
}

fn index(place: usize) -> Option<u16> {
    u16::try_from(place).ok()
}
