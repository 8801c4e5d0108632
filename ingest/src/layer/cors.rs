//! Cross-origin requests: browsers of the customers' users call from every origin, with a token
//! and without cookies.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
// `*` would not cover Authorization.
const HEADERS: &str = "Authorization, Content-Type, Accept, Idempotency-Key, X-Paragon-SDK-Version, \
     X-Paragon-Credential, X-Paragon-Configuration-Id, X-Paragon-User-Metadata, \
     X-Paragon-Use-Raw-Response";
const EXPOSED: &str = "X-Request-Id, Retry-After";
const MAX_AGE_S: &str = "7200";

/// Answers preflights, and lets browsers read every answer, errors too.
pub(crate) async fn cors(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if is_preflight {
        let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        return preflight(wanted);
    }
    let mut response = next.run(request).await;
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn preflight(wanted: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    set(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(&mut response, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    set(&mut response, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    set(&mut response, header::VARY, "Access-Control-Request-Headers");
    let allowed = wanted.unwrap_or_else(|| HeaderValue::from_static(HEADERS));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    response
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
