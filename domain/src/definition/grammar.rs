//! The shape of a project file, as data: one table that the checker and the published JSON Schema
//! both read, so that they cannot disagree.

mod check;
mod form;
mod input;
mod paging;
mod project;
mod schema;
mod scheme;
mod workflow;

pub(super) use check::check;
pub(super) use project::FILE;
pub use schema::schema;

use form::Form;

/// What may stand somewhere.
pub(super) enum Shape {
    /// Text of some form.
    Text(Form),
    /// `true` or `false`.
    Flag,
    /// Only `true`: the key is there or it is not.
    Yes,
    /// A whole number.
    Whole { min: u64, max: u64 },
    /// One of some words.
    Choice(fn() -> &'static [&'static str]),
    /// Text, a number, `true` or `false`.
    Scalar,
    /// Text or a number.
    Amount,
    /// Whatever JSON can say.
    Value,
    /// A list.
    List { of: &'static Shape, max: usize },
    /// A mapping with keys of the writer's own.
    Map { keys: Form, of: &'static Shape, max: usize },
    /// A mapping with known keys.
    Object(&'static Object),
    /// One of some shapes, which differ in kind (text, list, mapping).
    Either(&'static [&'static Shape]),
    /// The rules of a conditional.
    Condition,
}

/// A mapping with known keys.
pub(super) struct Object {
    /// Its name in the JSON Schema.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) doc: &'static str,
    /// Its keys.
    pub(super) fields: &'static [Field],
    /// What holds between the keys.
    pub(super) rules: &'static [Rule],
}

/// A key of a mapping.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: &'static Shape,
    pub(super) required: bool,
    pub(super) doc: &'static str,
    /// What people write instead by mistake.
    pub(super) mistaken: &'static [&'static str],
}

/// What holds between the keys of a mapping.
pub(super) enum Rule {
    /// Exactly one of them.
    One(&'static [&'static str]),
    /// At least one of them.
    Some(&'static [&'static str]),
    /// One of them at most.
    Single(&'static [&'static str]),
    /// The first only beside the second.
    With(&'static str, &'static str),
    /// If the text of a key begins so, these keys are required.
    Prefix { key: &'static str, prefix: &'static str, needs: &'static [&'static str] },
    /// If a key is this word, that key is required.
    Word { key: &'static str, word: &'static str, needs: &'static str },
}

const fn required(name: &'static str, shape: &'static Shape, doc: &'static str) -> Field {
    Field { name, shape, required: true, doc, mistaken: &[] }
}

const fn optional(name: &'static str, shape: &'static Shape, doc: &'static str) -> Field {
    Field { name, shape, required: false, doc, mistaken: &[] }
}

impl Field {
    const fn not(self, mistaken: &'static [&'static str]) -> Self {
        Self { mistaken, ..self }
    }
}

impl Object {
    /// The key that a writer may have meant.
    fn meant(&self, wrong: &str) -> Option<&'static str> {
        let lower = wrong.to_lowercase();
        let mistaken = |field: &&Field| field.mistaken.contains(&lower.as_str());
        self.fields.iter().find(mistaken).map(|field| field.name)
    }
}
