//! The table of a project file: what users are asked for.

use super::form::Form;
use super::{Object, Rule, Shape, optional, required};

static TEXT: Shape = Shape::Text(Form::Any);
static FILLED: Shape = Shape::Text(Form::Filled);
static FLAG: Shape = Shape::Flag;

/// What users are asked for.
pub(super) static INPUTS: Shape = Shape::List { of: &INPUT, max: 100 };

static ID: Shape = Shape::Text(Form::Input);
static TYPE: Shape = Shape::Choice(|| {
    &[
        "text",
        "textarea",
        "password",
        "number",
        "email",
        "url",
        "boolean",
        "switch",
        "enum",
        "custom_dropdown",
        "field_mapping",
    ]
});
static OPTIONS: Shape = Shape::List { of: &Shape::Either(&[&Shape::Scalar, &OPTION]), max: 1_000 };
static OPTION: Shape = Shape::Object(&Object {
    name: "option",
    doc: "A value that can be chosen.",
    fields: &[
        required("value", &Shape::Scalar, "What is saved.").not(&["id"]),
        required("label", &FILLED, "What people read.").not(&["title", "name"]),
    ],
    rules: &[],
});
static FIELDS: Shape = Shape::List { of: &FILLED, max: 500 };

static INPUT: Shape = Shape::Object(&Object {
    name: "input",
    doc: "A setting that users are asked for: `{{settings.<id>}}` in a workflow.",
    fields: &[
        required("id", &ID, "Its id.").not(&["name"]),
        required("type", &TYPE, "What is asked for.").not(&["kind"]),
        optional("title", &FILLED, "What people call it; its id.").not(&["label"]),
        optional("required", &FLAG, "Whether nothing runs without it; false.").not(&["mandatory"]),
        optional("default", &Shape::Value, "What it is until the user sets it.")
            .not(&["default_value", "defaultvalue"]),
        optional("tooltip", &TEXT, "A hint beside the field.").not(&["help", "description"]),
        optional("placeholder", &TEXT, "A hint in the empty field."),
        optional("options", &OPTIONS, "The values of an enum.").not(&["values", "choices"]),
        optional("key", &FILLED, "Under which name the page gives options; its id."),
        optional("fields", &FIELDS, "The application's fields that are mapped."),
        optional("object", &FILLED, "Under which name the page gives fields instead."),
    ],
    rules: &[Rule::Word { key: "type", word: "enum", needs: "options" }],
});
