//! Integrations that come with Millrace: what a project file need not say.

use super::mistake::Mistakes;
use super::yaml::{self, Node};
use std::sync::LazyLock;

static BUILT_IN: LazyLock<Vec<(String, Node)>> = LazyLock::new(|| {
    // The file is compiled in, and a test reads it: a mistake in it never ships.
    let root = yaml::load(include_str!("builtin.yaml"), &mut Mistakes::default());
    let items = root.as_ref().map(Node::items).unwrap_or_default();
    let typed = |node: &Node| node.text_of("type").map(|kind| (kind.to_owned(), node.clone()));
    items.iter().filter_map(typed).collect()
});

/// What a file that is compiled in says, as JSON; nothing, if it has mistakes.
pub(crate) fn built_in(text: &str) -> serde_json::Value {
    let root = yaml::load(text, &mut Mistakes::default());
    root.as_ref().map(Node::value).unwrap_or_default()
}

/// Their types.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(kind, _)| kind.as_str())
}

/// What is known of one, written as in a project file.
pub(super) fn find(kind: &str) -> Option<&'static Node> {
    BUILT_IN.iter().find(|(known, _)| known == kind).map(|(_, node)| node)
}
