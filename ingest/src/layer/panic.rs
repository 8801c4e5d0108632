//! A defect in one request is one answer, not a closed connection.

use crate::problem::INTERNAL;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;

/// Answers for a handler that panicked. What it shared is behind locks that survive that.
pub(crate) async fn panic(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a handler panicked");
            INTERNAL.plain().into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::panic;
    use axum::body::Body;
    use axum::http::{Request, StatusCode, header};
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    #[tokio::test]
    async fn a_panic_is_answered_in_json() {
        async fn defect() -> &'static str {
            assert!(std::env::args().next().is_none(), "a defect");
            ""
        }
        let router: Router =
            Router::new().route("/", get(defect)).layer(middleware::from_fn(panic));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["code"], "INTERNAL");
    }
}
