//! One operation of the description, while it is being told.

use crate::router::Access;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{ReplaceBoolSchemas, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

/// Where shared shapes stand in the description.
const SHARED_PATH: &str = "/components/schemas";
/// The media type of every body that is described.
const MEDIA_TYPE: &str = "application/json";

/// The shapes of bodies, as the types that are read and written say.
pub(super) struct Shapes {
    /// Of what is read: a field that may be left out is not required.
    sent: SchemaGenerator,
    /// Of what is written: a field that is always there is required.
    answered: SchemaGenerator,
}

/// One operation: what it takes and what it answers.
pub(crate) struct Operation<'a> {
    shapes: &'a mut Shapes,
    pub(super) access: Access,
    pub(super) parameters: Vec<Value>,
    pub(super) request: Option<Value>,
    pub(super) responses: Map<String, Value>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SHARED_PATH.into();
        });
        let answered = settings.clone().for_serialize().into_generator();
        Self { sent: settings.into_generator(), answered }
    }

    /// The shapes that were referred to, by name.
    pub(super) fn shared(mut self) -> Map<String, Value> {
        let mut shared = self.sent.take_definitions(false);
        shared.extend(self.answered.take_definitions(false));
        shared.into_iter().map(|(name, schema)| (name, plain(schema))).collect()
    }
}

impl<'a> Operation<'a> {
    pub(super) fn new(shapes: &'a mut Shapes) -> Self {
        let (parameters, request, responses) = (Vec::new(), None, Map::new());
        Self { shapes, access: Access::Public, parameters, request, responses }
    }

    /// Only these may call it.
    pub(crate) fn opens_to(&mut self, access: Access) {
        self.access = access;
    }

    /// It reads a body.
    pub(crate) fn takes<T: JsonSchema>(&mut self) {
        let content = content(self.shapes.sent.subschema_for::<T>());
        self.request = Some(json!({ "required": true, "content": content }));
    }

    /// It looks at a parameter of the query.
    pub(crate) fn asks(&mut self, name: &str, schema: fn(&mut SchemaGenerator) -> Schema) {
        let schema = plain(schema(&mut self.shapes.sent).to_value());
        self.parameters.push(parameter(name, "query", &schema));
    }

    /// It looks at a header, and what for.
    pub(crate) fn hears(&mut self, name: &str, what: &str, len_max: usize) {
        let mut header =
            parameter(name, "header", &json!({ "type": "string", "maxLength": len_max }));
        header["description"] = json!(what);
        self.parameters.push(header);
    }

    /// It answers with whatever was asked for, a text or JSON.
    pub(crate) fn answers_as_asked(&mut self, status: &str, when: &str) {
        let text = json!({ "schema": { "type": "string" } });
        let content = json!({ MEDIA_TYPE: { "schema": {} }, "text/plain": text });
        let answer = json!({ "description": when, "content": content });
        self.responses.insert(status.to_owned(), answer);
    }

    /// It answers with an empty body.
    pub(crate) fn answers_nothing(&mut self, status: &str, when: &str) {
        self.responses.insert(status.to_owned(), json!({ "description": when }));
    }

    /// It answers with a body: its status (`2XX` is any such, `default` every other), and when.
    pub(crate) fn answers<T: JsonSchema>(&mut self, status: &str, when: &str) {
        let content = content(self.shapes.answered.subschema_for::<T>());
        let answer = json!({ "description": when, "content": content });
        self.responses.insert(status.to_owned(), answer);
    }
}

/// A parameter of an address.
pub(super) fn parameter(name: &str, place: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "schema": schema })
}

fn content(schema: Schema) -> Value {
    json!({ MEDIA_TYPE: { "schema": plain(schema.to_value()) } })
}

/// Not every reader knows that `true` is a schema, too.
fn plain(schema: Value) -> Value {
    let Ok(mut schema) = Schema::try_from(schema) else { return json!({}) };
    ReplaceBoolSchemas::default().transform(&mut schema);
    schema.to_value()
}
