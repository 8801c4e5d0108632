//! The schemas of a log in a registry that others keep, by the API that Confluent's has: what reads
//! topics of other systems by that registry then reads Millrace's as well.

use crate::config::Kafka;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use connectors::guard::{Allow, Egress, Guard, SystemResolver};
use connectors::http::{Call, Client, Options};
use domain::codec::{Schema, published};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use hyper::{HeaderMap, Method, header::HeaderValue};
use log_kafka::{Identity, Registered};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const TIMEOUT_MS: u32 = 10_000;
const ANSWER_BYTES_MAX: u64 = 4 << 20;
const CONTENT: &str = "application/vnd.schemaregistry.v1+json";
/// Old readers read new records and the other way round, however many versions are between them.
const COMPATIBILITY: &str = "FULL_TRANSITIVE";

/// A registry that is configured.
struct Registry {
    client: Client,
    url: String,
    headers: HeaderMap,
}

impl Registry {
    /// The one that the settings name, if they do.
    ///
    /// # Errors
    /// A setting is wrong.
    fn open(kafka: &Kafka) -> Result<Option<Self>> {
        let url = kafka.registry.trim_end_matches('/');
        if url.is_empty() {
            return Ok(None);
        }
        let address = Call::get(url, TIMEOUT_MS, ANSWER_BYTES_MAX)
            .with_context(|| format!("kafka.registry is {url}: use http://… or https://…"))?
            .url;
        let host = address.host_str().context("kafka.registry names no host")?.to_owned();
        let port = address.port_or_known_default().context("kafka.registry names no port")?;
        // The operator has named it; it may well be private.
        let egress = Egress { allow: vec![Allow::Host { name: host, port }], ..Egress::default() };
        let guard = Guard::new(egress, Arc::new(SystemResolver::new(1)));
        let client = Client::new(guard, &Options::default()).context("cannot set up TLS")?;
        Ok(Some(Self { client, url: url.to_owned(), headers: headers(kafka)? }))
    }

    /// Asks whether it is there, and lets this user in.
    ///
    /// # Errors
    /// It is not, or does not.
    async fn check(&self) -> Result<()> {
        self.ask(Method::GET, "/subjects", &Value::Null).await.map(|_| ())
    }

    /// Registers every schema of this build; what is there already keeps its id.
    ///
    /// # Errors
    /// The registry cannot be used, or refuses a schema; repeat it then.
    async fn register(&self) -> Result<Registered> {
        let mut ids = BTreeMap::new();
        for schema in published() {
            ids.insert(schema.id, self.register_one(schema).await?);
        }
        Ok(Registered { registry: self.url.clone(), ids })
    }

    async fn register_one(&self, schema: &Schema) -> Result<u32> {
        let subject = schema.subject();
        let versions = format!("/subjects/{subject}/versions");
        let body = json!({ "schemaType": "AVRO", "schema": schema.text });
        let answer = self.ask(Method::POST, &versions, &body).await?;
        let id = answer["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let id = id.with_context(|| format!("{} gives {subject} no id", self.url))?;
        let rule = json!({ "compatibility": COMPATIBILITY });
        self.ask(Method::PUT, &format!("/config/{subject}"), &rule).await?;
        Ok(id)
    }

    /// Whether it has a schema under an id that records carry.
    ///
    /// # Errors
    /// It has not, has another one there, or cannot be used.
    async fn holds(&self, id: u32, schema: &Schema) -> Result<()> {
        let answer = self.ask(Method::GET, &format!("/schemas/ids/{id}"), &Value::Null).await?;
        if outline(answer["schema"].as_str().unwrap_or_default()) != outline(&schema.text) {
            bail!("the registry at {} has another schema than {} as {id}", self.url, schema.name);
        }
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let mut call = Call::get(&format!("{}{path}", self.url), TIMEOUT_MS, ANSWER_BYTES_MAX)?;
        call.headers = self.headers.clone();
        if method != Method::GET {
            call.body = Bytes::from(body.to_string());
        }
        call.method = method;
        let answer = self.client.send(call).await.with_context(|| {
            format!("no answer from the registry at {}: check kafka.registry", self.url)
        })?;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            200..=299 => Ok(said),
            401 | 403 => bail!(
                "the registry at {} refuses the user: check kafka.registry_user and \
                 kafka.registry_password",
                self.url
            ),
            status => bail!(
                "the registry at {} answers {path} with {status} {}: check kafka.registry",
                self.url,
                said["message"].as_str().unwrap_or_default()
            ),
        }
    }
}

/// What is to be registered for a log.
pub(crate) struct Registration {
    registry: Registry,
    /// Ids that records of the log carry already.
    known: BTreeMap<u32, u32>,
}

impl Registration {
    /// What is missing in the registry of a log, or of a new one. Registers nothing.
    ///
    /// # Errors
    /// The log is not for the registry that the settings name, or that cannot be used; with what to
    /// do about it.
    pub(crate) async fn plan(kafka: &Kafka, log: Option<&Identity>) -> Result<Option<Self>> {
        let configured = Registry::open(kafka)?;
        let registered = log.map(|log| log.registered.as_ref());
        let (registry, known) = match (configured, registered) {
            (Some(registry), None) => (registry, BTreeMap::new()),
            (Some(registry), Some(Some(registered))) => (registry, registered.ids.clone()),
            (Some(_), Some(None)) => bail!(
                "records of the log begin with Millrace's own ids: empty kafka.registry, or copy the \
                 log to another kafka.prefix"
            ),
            (None, Some(Some(registered))) => bail!(
                "records of the log begin with the ids of the registry at {}: set kafka.registry",
                registered.registry
            ),
            (None, Some(None) | None) => return Ok(None),
        };
        if published().all(|schema| known.contains_key(&schema.id)) {
            return Ok(None);
        }
        registry.check().await?;
        Ok(Some(Self { registry, known }))
    }

    /// What there is to do, for people.
    pub(crate) fn step(&self) -> String {
        let count = published().filter(|schema| !self.known.contains_key(&schema.id)).count();
        format!("register {count} schemas in {}", self.registry.url)
    }

    /// Registers them.
    ///
    /// # Errors
    /// The registry cannot be used, or is not the one that the log is for.
    pub(crate) async fn carry_out(&self) -> Result<Registered> {
        let registered = self.registry.register().await?;
        for (schema, id) in &self.known {
            let now = registered.ids.get(schema);
            if now.is_some_and(|now| now != id) {
                bail!(
                    "{} is not the registry that the log is for: it gives schema {schema} another id \
                     than {id}; set kafka.registry to that one",
                    self.registry.url
                );
            }
        }
        Ok(registered)
    }
}

/// Looks whether the registry of a log has every schema of this build that is registered; gives how
/// many those are.
///
/// # Errors
/// The settings name none, or it cannot be used, or is another one.
pub(crate) async fn check(kafka: &Kafka, log: &Registered) -> Result<usize> {
    let registry = Registry::open(kafka)?.context("set kafka.registry")?;
    registry.check().await?;
    let mut count = 0;
    for schema in published() {
        if let Some(id) = log.ids.get(&schema.id) {
            registry.holds(*id, schema).await?;
            count += 1;
        }
    }
    Ok(count)
}

/// What a registry does not write in another way: a record's name, and those of its fields.
fn outline(schema: &str) -> Option<(Value, Vec<Value>)> {
    let mut schema: Value = serde_json::from_str(schema).ok()?;
    let fields = schema["fields"].as_array()?.iter().map(|field| field["name"].clone()).collect();
    Some((schema["name"].take(), fields))
}

fn headers(kafka: &Kafka) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(CONTENT));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, */*"));
    if !kafka.registry_user.is_empty() {
        let pair = format!("{}:{}", kafka.registry_user, kafka.registry_password);
        let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
        let mut value = HeaderValue::from_str(&basic).context("kafka.registry_user is no text")?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(headers)
}
