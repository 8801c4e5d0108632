//! The description of the API, made from the table of addresses and from what the signatures of
//! their handlers say.

mod operation;
mod signature;

pub(crate) use operation::Operation;
pub(crate) use signature::{Handler, Input, Output};

use crate::problem;
use crate::router::{Access, ROUTES, Route};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use operation::{Shapes, parameter};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static TEXT: LazyLock<String> = LazyLock::new(document);

/// The description, as text.
pub(crate) struct Text;

/// `GET /openapi.json`.
pub(crate) async fn serve() -> Text {
    Text
}

impl IntoResponse for Text {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
    }
}

impl Output for Text {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers::<Map<String, Value>>("200", "This description.");
    }
}

/// The description as it is served and as `ingest/openapi.json` holds it (OpenAPI 3.1).
pub fn document() -> String {
    let (mut paths, mut shapes) = (Map::new(), Shapes::new());
    for route in ROUTES {
        let methods = paths.entry(path(route)).or_insert_with(|| json!({}));
        methods[route.method] = operation(route, &mut shapes);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Millrace", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": shapes.shared(),
            "securitySchemes": {
                "userToken": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "apiKey": { "type": "http", "scheme": "bearer" },
                "adminKey": { "type": "http", "scheme": "bearer" },
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// OpenAPI knows no part that spans slashes.
fn path(route: &Route) -> String {
    route.path.replace("{*rest}", "{rest}")
}

fn operation(route: &Route, shapes: &mut Shapes) -> Value {
    let mut told = Operation::new(shapes);
    (route.describe)(&mut told);
    told.answers::<problem::Body>("default", "What went wrong.");
    let mut parameters = parts(route);
    parameters.append(&mut told.parameters);
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "parameters": parameters,
        "responses": told.responses,
        "security": security(told.access),
    });
    if let Some(body) = told.request {
        operation["requestBody"] = body;
    }
    operation
}

fn security(access: Access) -> Value {
    match access {
        Access::Public | Access::Provider => json!([]),
        Access::User => json!([{ "userToken": [] }]),
        Access::Team => json!([{ "apiKey": [] }]),
        Access::Admin => json!([{ "adminKey": [] }]),
    }
}

/// The parts of the path that are not fixed.
fn parts(route: &Route) -> Vec<Value> {
    let path = path(route);
    let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    named.map(|name| parameter(name, "path", &json!({ "type": "string" }))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set `UPDATE=1` to write the file anew.
    #[test]
    fn the_file_describes_what_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == document(), "openapi.json is not what is served: run with UPDATE=1");
    }

    #[test]
    fn every_address_is_described_once_and_every_name_is_its_own() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for route in ROUTES {
            let operation = &document["paths"][path(route)][route.method];
            assert_eq!(operation["operationId"], route.id);
            assert!(names.insert(route.id), "{} is there twice", route.id);
            assert!(operation["responses"].as_object().unwrap().len() > 1, "{}", route.id);
        }
        let described = document["paths"].as_object().unwrap().values();
        let described: usize = described.map(|methods| methods.as_object().unwrap().len()).sum();
        assert_eq!(described, ROUTES.len());
    }

    /// What the table says of who may call, and what is checked, must not come apart.
    #[test]
    fn who_may_call_is_whom_the_handler_lets_in() {
        let mut shapes = Shapes::new();
        for route in ROUTES {
            let mut told = Operation::new(&mut shapes);
            (route.describe)(&mut told);
            let expected = match route.access {
                // A provider is known by its signature, which is no argument.
                Access::Provider => Access::Public,
                access => access,
            };
            assert_eq!(told.access, expected, "{}", route.id);
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document();
        let document: Value = serde_json::from_str(&text).unwrap();
        for part in text.split("#/components/schemas/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
