//! The public API of one project, as its callers see it.

use super::{Answer, Client, Node, Signer};
use crate::github;
use anyhow::{Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// One project on the node at an address.
#[derive(Clone)]
pub struct Api {
    /// The client.
    pub client: Client,
    /// Where the node listens.
    pub at: SocketAddr,
    /// The project's id.
    pub project: String,
    /// Sent with every command, if any: who sends the same again gets the same answer.
    pub idempotency_key: Option<String>,
}

/// A webhook as GitHub would send it.
pub struct Delivery<'a> {
    /// `X-GitHub-Event`.
    pub kind: &'a str,
    /// `X-GitHub-Delivery`.
    pub id: &'a str,
    /// `X-GitHub-Hook-Installation-Target-ID`.
    pub account: &'a str,
    /// What the body is signed with.
    pub secret: &'a str,
    /// The body.
    pub body: Bytes,
}

impl Api {
    /// Writes the project file into the folder of the node, and applies it.
    ///
    /// # Errors
    /// The file has mistakes, or the node refuses it.
    pub async fn apply(node: &Node, data: &Path, project: &Value) -> Result<(Self, Signer)> {
        let file = data.join("project.json");
        std::fs::write(&file, serde_json::to_string_pretty(project)?)?;
        Node::run(data, &["apply", &file.to_string_lossy()]).await?;
        let id = project["project"]["id"].as_str().unwrap_or_default().to_owned();
        let signer = Signer::load(data, &id)?;
        let (client, at) = (Client::default(), node.address);
        Ok((Self { client, at, project: id, idempotency_key: None }, signer))
    }

    /// An address below `/projects/<id>`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/projects/{}{path}", self.at, self.project)
    }

    /// The same project on a node that has moved.
    pub fn moved(&self, at: SocketAddr) -> Self {
        Self { at, ..self.clone() }
    }

    /// The same, with a key for what is sent.
    pub fn keyed(&self, key: &str) -> Self {
        Self { idempotency_key: Some(key.to_owned()), ..self.clone() }
    }

    /// Sends a request below `/projects/<id>`, with a bearer token and a JSON body.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.url(path))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.client.send(request.body(Full::new(body))?).await
    }

    /// Sends a request to the admin API, below `/admin/v1/projects/<id>`.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn admin(&self, method: Method, path: &str, key: &str) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}/admin/v1/projects/{}{path}", self.at, self.project))
            .header("authorization", format!("Bearer {key}"));
        self.client.send(request.body(Full::default())?).await
    }

    /// The same with a JSON body, and the key of a command.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn steer(&self, path: &str, key: &str, body: &Value) -> Result<Answer> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}/admin/v1/projects/{}{path}", self.at, self.project))
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/json");
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.client.send(request.body(Full::new(Bytes::from(body.to_string())))?).await
    }

    /// Sends an app event.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn event(&self, token: &str, name: &str, payload: &Value) -> Result<Answer> {
        let body = json!({ "name": name, "payload": payload });
        self.call(Method::POST, "/sdk/events/trigger", token, Some(&body)).await
    }

    /// Runs a workflow that has a request trigger.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn request(&self, token: &str, workflow: &str, body: &Value) -> Result<Answer> {
        let path = format!("/sdk/triggers/{workflow}");
        self.call(Method::POST, &path, token, Some(body)).await
    }

    /// Connects an account of the token's user.
    ///
    /// # Errors
    /// No answer came, or a refusal.
    pub async fn connect(&self, token: &str, integration: &str, account: &str) -> Result<()> {
        let body = json!({
            "integrationId": integration,
            "providerId": account,
            "payload": { "accessToken": format!("token-of-{account}") },
        });
        let answer = self.call(Method::POST, "/sdk/credentials", token, Some(&body)).await?;
        if answer.status != 200 {
            bail!("connecting {integration}: {}", answer.shown());
        }
        Ok(())
    }

    /// Delivers a webhook to the address of an integration.
    ///
    /// # Errors
    /// No whole answer came.
    pub async fn webhook(&self, integration: &str, delivery: Delivery<'_>) -> Result<Answer> {
        let Delivery { kind, id, account, secret, body } = delivery;
        let path = format!("triggers/connect/{}/{integration}", self.project);
        let request = Request::post(format!("http://{}/{path}", self.at))
            .header("content-type", "application/json")
            .header("user-agent", "GitHub-Hookshot/044aadd")
            .header("x-github-event", kind)
            .header("x-github-delivery", id)
            .header("x-github-hook-installation-target-id", account)
            .header("x-hub-signature-256", github::sign(secret, &body));
        self.client.send(request.body(Full::new(body))?).await
    }

    /// How many executions have this status (`EXECUTING`, `DELAYED`, `SUCCEEDED`, `FAILED`; empty:
    /// any), by the Task History API.
    ///
    /// # Errors
    /// No answer came, or a refusal.
    pub async fn executions(&self, api_key: &str, status: &str) -> Result<u64> {
        let filter = if status.is_empty() { String::new() } else { format!("status={status}") };
        self.executions_of(api_key, &filter).await
    }

    /// How many executions a filter of the Task History API lets pass, as `userId=…&workflowId=…`.
    ///
    /// # Errors
    /// No answer came, or a refusal.
    pub async fn executions_of(&self, api_key: &str, filter: &str) -> Result<u64> {
        let path = format!("/task-history/workflow-executions?{filter}");
        let answer = self.call(Method::GET, &path, api_key, None).await?;
        match (answer.status, answer.json()["total"].as_u64()) {
            (200, Some(total)) => Ok(total),
            _ => bail!("Task History: {}", answer.shown()),
        }
    }
}
