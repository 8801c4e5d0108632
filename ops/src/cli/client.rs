//! Calls of the node's admin API.

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Sends JSON and reads JSON.
pub(super) async fn send(method: &str, url: &str, key: &str, body: &Value) -> Result<(u16, Value)> {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let (status, bytes) = call(url, request).await?;
    let answer = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? };
    Ok((status, answer))
}

/// Reads a text that needs no key.
///
/// # Errors
/// No node answers.
pub(crate) async fn get(url: &str) -> Result<(u16, String)> {
    let (status, bytes) = call(url, Request::get(url).body(Full::default())?).await?;
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

async fn call(url: &str, request: Request<Full<Bytes>>) -> Result<(u16, Bytes)> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client
        .request(request)
        .await
        .with_context(|| format!("no node answers at {url}; is `millrace serve` running?"))?;
    let status = response.status().as_u16();
    Ok((status, response.into_body().collect().await?.to_bytes()))
}
