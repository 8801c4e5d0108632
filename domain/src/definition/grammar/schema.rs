//! The table as a JSON Schema (draft 2020-12), for editors and for other people's tools.

use super::form::Form;
use super::{FILE, Object, Rule, Shape};
use crate::definition::condition;
use serde_json::{Map, Value, json};

/// The JSON Schema of a project file: what `schemas/project.schema.json` holds. What it cannot
/// say (that names are known, that variables point backwards) the parser still finds.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    let Value::Object(root) = shape(&FILE, &mut definitions) else { return Value::Null };
    let mut schema = Map::new();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!("Millrace project file"));
    schema.extend(root);
    schema.insert("$defs".into(), Value::Object(definitions));
    Value::Object(schema)
}

fn shape(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        Shape::Text(form) => text(*form),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Yes => json!({ "const": true }),
        Shape::Whole { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Shape::Choice(words) => json!({ "enum": words() }),
        Shape::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        Shape::Amount => json!({ "type": ["string", "number"] }),
        Shape::Value => json!(true),
        Shape::List { of, max } => {
            json!({ "type": "array", "items": self::shape(of, definitions), "maxItems": max })
        }
        Shape::Map { keys, of, max } => {
            let mut map = json!({
                "type": "object",
                "additionalProperties": self::shape(of, definitions),
                "maxProperties": max,
            });
            if let Some(pattern) = keys.pattern() {
                map["propertyNames"] = json!({ "pattern": pattern });
            }
            map
        }
        Shape::Object(known) => {
            if !definitions.contains_key(known.name) {
                // Noted before its fields are: steps hold steps.
                definitions.insert(known.name.into(), Value::Null);
                let definition = object(known, definitions);
                definitions.insert(known.name.into(), definition);
            }
            reference(known.name)
        }
        Shape::Either(shapes) => {
            let shapes: Vec<Value> =
                shapes.iter().map(|shape| self::shape(shape, definitions)).collect();
            json!({ "anyOf": shapes })
        }
        Shape::Condition => {
            definitions.insert("condition".into(), condition::schema());
            reference("condition")
        }
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn text(form: Form) -> Value {
    match form.pattern() {
        Some(pattern) => json!({ "type": "string", "pattern": pattern }),
        None => json!({ "type": "string" }),
    }
}

fn object(known: &Object, definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in known.fields {
        let mut property = match shape(field.shape, definitions) {
            Value::Object(property) => property,
            // `true`: any value.
            _ => Map::new(),
        };
        property.insert("description".into(), json!(field.doc));
        properties.insert(field.name.into(), Value::Object(property));
    }
    let required: Vec<&str> =
        known.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    let mut schema = json!({
        "type": "object",
        "description": known.doc,
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    let rules: Vec<Value> = known.rules.iter().map(rule).collect();
    if !rules.is_empty() {
        schema["allOf"] = json!(rules);
    }
    schema
}

fn rule(rule: &Rule) -> Value {
    let each = |names: &[&str]| -> Vec<Value> {
        names.iter().map(|name| json!({ "required": [name] })).collect()
    };
    match rule {
        Rule::One(names) => json!({ "oneOf": each(names) }),
        Rule::Some(names) => json!({ "anyOf": each(names) }),
        Rule::Single(names) => {
            let mut choices = each(names);
            choices.push(json!({ "not": { "anyOf": each(names) } }));
            json!({ "oneOf": choices })
        }
        Rule::With(name, beside) => json!({ "dependentRequired": { *name: [beside] } }),
        Rule::Prefix { key, prefix, needs } => {
            let pattern = format!("^{}", prefix.replace('.', r"\."));
            json!({
                "if": { "properties": { *key: { "type": "string", "pattern": pattern } } },
                "then": { "required": needs },
            })
        }
        Rule::Word { key, word, needs } => json!({
            "if": { "properties": { *key: { "const": word } }, "required": [key] },
            "then": { "required": [needs] },
        }),
    }
}
