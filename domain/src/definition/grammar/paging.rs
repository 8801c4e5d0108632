//! The table of a project file: how an integration parts lists into pages.

use super::form::Form;
use super::{Object, Rule, Shape, optional, required};
use crate::paging;

static FILLED: Shape = Shape::Text(Form::Filled);
static PLACE: Shape = Shape::Text(Form::Place);
static PLACES: Shape = Shape::List { of: &PLACE, max: 16 };
static COUNT: Shape = Shape::Whole { min: 0, max: 1_000_000 };
static SIZE_MAX: Shape = Shape::Whole { min: 1, max: 1_000_000 };

static CURSOR: Shape = Shape::Object(&Object {
    name: "cursor",
    doc: "The answer gives something that the next page is asked for with.",
    fields: &[
        required("param", &FILLED, "The query parameter."),
        required("at", &PLACES, "Where the answer has it."),
    ],
    rules: &[],
});
static COUNTED: Shape = Shape::Object(&Object {
    name: "counted",
    doc: "A count that the next page is asked for with.",
    fields: &[
        required("param", &FILLED, "The query parameter."),
        optional("first", &COUNT, "What it is for the first page; 0 for an offset, 1 for a page."),
    ],
    rules: &[],
});
static SIZE: Shape = Shape::Object(&Object {
    name: "size",
    doc: "How many results a page has.",
    fields: &[
        required("param", &FILLED, "The query parameter."),
        required("max", &SIZE_MAX, "As many as the provider gives."),
    ],
    rules: &[],
});
static STRATEGY: Shape = Shape::Object(&Object {
    name: "strategy",
    doc: "How the integration parts lists into pages.",
    fields: &[
        optional("results", &PLACES, "Where a page's results are, `body.items`; else a step says.")
            .not(&["output"]),
        optional("cursor", &CURSOR, "The answer gives what the next page is asked for with."),
        optional("link", &PLACES, "The answer gives the next page's address: `headers.link`."),
        optional("offset", &COUNTED, "The next page is asked for by how many results were before."),
        optional("page", &COUNTED, "The next page is asked for by its number."),
        optional("size", &SIZE, "How many results a page has.").not(&["limit"]),
        optional("more", &PLACE, "`false` on the last page.").not(&["has_more"]),
        optional("last", &PLACE, "`true` on the last page.").not(&["is_last"]),
        optional("total", &PLACE, "How many results there are."),
        optional("pages", &PLACE, "How many pages there are."),
    ],
    rules: &[Rule::Some(&["cursor", "link", "offset", "page"])],
});

static KNOWN: Shape = Shape::Choice(paging::names);
/// A known one by its provider's type, or one of the file's own.
pub(super) static PAGING: Shape = Shape::Either(&[&KNOWN, &STRATEGY]);
