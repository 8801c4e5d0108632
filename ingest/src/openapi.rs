//! The description of the API, made from the table of addresses.

mod schema;
mod shape;

use crate::problem;
use crate::router::{Access, ROUTES, Route};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static TEXT: LazyLock<String> = LazyLock::new(document);

/// `GET /openapi.json`.
pub(crate) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// The description as it is served and as `ingest/openapi.json` holds it (OpenAPI 3.1).
pub fn document() -> String {
    let mut paths = Map::new();
    for route in ROUTES {
        // OpenAPI knows no part that spans slashes.
        let path = route.path.replace("{*rest}", "{rest}");
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            methods.insert(route.method.to_owned(), operation(route));
        }
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Millrace", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": {
            "schemas": schema::schemas(),
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

fn operation(route: &Route) -> Value {
    let mut responses = shape::responses(route.id);
    let problem = json!({
        "description": "What went wrong.",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    responses.insert("default".into(), problem);
    let mut operation = json!({
        "operationId": route.id,
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses,
        "security": security(route.access),
    });
    if let (Some(body), Some(fields)) = (shape::request(route.id), operation.as_object_mut()) {
        let content = json!({ "application/json": { "schema": body } });
        fields.insert("requestBody".into(), json!({ "required": true, "content": content }));
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

fn parameters(route: &Route) -> Vec<Value> {
    let named = route.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?.trim_start_matches('*');
        Some(parameter(name, "path", "", &json!({ "type": "string" })))
    });
    named.chain(shape::queries(route.id)).chain(headers(route)).collect()
}

fn headers(route: &Route) -> Vec<Value> {
    let mut headers = Vec::new();
    let text = || json!({ "type": "string", "maxLength": 255 });
    let changes = route.method != "get" && route.access != Access::Provider;
    if changes && route.id != "makeApiKey" {
        let what = "A repeat with the same key and body is answered as the first time.";
        headers.push(parameter("Idempotency-Key", "header", what, &text()));
    }
    if shape::SELECTED.contains(&route.id) {
        let what = "The connected account: its id, its external id, or ext:<external id>.";
        headers.push(parameter("X-Paragon-Credential", "header", what, &text()));
    }
    headers
}

fn parameter(name: &str, place: &str, what: &str, schema: &Value) -> Value {
    let mut parameter =
        json!({ "name": name, "in": place, "required": place == "path", "schema": schema });
    if let (false, Some(fields)) = (what.is_empty(), parameter.as_object_mut()) {
        fields.insert("description".into(), json!(what));
    }
    parameter
}

/// The names of every problem, for the description.
fn problems() -> Vec<&'static str> {
    problem::ALL.iter().map(|code| code.name).collect()
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
            let path = route.path.replace("{*rest}", "{rest}");
            let operation = &document["paths"][path][route.method];
            assert_eq!(operation["operationId"], route.id);
            assert!(names.insert(route.id), "{} is there twice", route.id);
            assert!(operation["responses"].as_object().unwrap().len() > 1, "{}", route.id);
        }
        let described = document["paths"].as_object().unwrap().values();
        let described: usize = described.map(|methods| methods.as_object().unwrap().len()).sum();
        assert_eq!(described, ROUTES.len());
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
