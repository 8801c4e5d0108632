//! Integrations of a file: built-in ones with what the file adds, and the project's own.

use super::identity::derived;
use super::mistake::{Mistakes, Path, nearest, quoted};
use super::yaml::{Node, Tree};
use super::{Asked, SecretSource, builtin, input};
use crate::config::{IntegrationSettings, WebhookSettings, webhook_secret_name};
use crate::id::{IntegrationId, ProjectId};
use crate::paging::Paging;
use crate::webhook::{Place, Scheme};
use crate::workflow::reference::{Root, references_in};
use crate::workflow::{Authorization, ClientAuth, ClientCredentials};
use std::collections::{BTreeMap, BTreeSet};

/// Where a webhook says which account it is about.
const ACCOUNT: &str = "provider_id";

/// The integrations of a file by type, and the secrets of their webhooks.
#[derive(Default)]
pub(super) struct Integrations {
    pub(super) settings: Vec<IntegrationSettings>,
    pub(super) secrets: Vec<Asked>,
    /// Every type that the file names, also where the rest is wrong.
    by_kind: BTreeMap<String, IntegrationId>,
}

impl Integrations {
    pub(super) fn id_of(&self, kind: &str) -> Option<IntegrationId> {
        self.by_kind.get(kind).copied()
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.by_kind.keys().map(String::as_str)
    }

    pub(super) fn of_kind(&self, kind: &str) -> Option<&IntegrationSettings> {
        self.settings.iter().find(|settings| settings.kind == kind)
    }

    /// Reads the list of integrations, as far as it is right.
    pub(super) fn read(node: &Node, project: ProjectId, mistakes: &mut Mistakes) -> Self {
        let mut found = Self::default();
        let mut ids = BTreeMap::new();
        for (index, item) in node.items().iter().enumerate() {
            let path = Path::default().key("integrations").index(index);
            let Some(kind) = item.text().or_else(|| item.text_of("type")) else { continue };
            let told = Told { node: item, known: builtin::find(kind) };
            let id = told.id(project, kind);
            if found.by_kind.insert(kind.to_owned(), id).is_some() {
                let problem = format!("there is another integration {}", quoted(kind));
                mistakes.add(item.at, &path, problem, "keep one of the two");
                continue;
            }
            if ids.insert(id, kind).is_some() {
                let at = item.get("id").map_or(item.at, |node| node.at);
                let mend = "give each an id of its own, or leave `id` out";
                mistakes.add(at, &path.key("id"), "another integration has this id", mend);
            }
            let webhook = told.webhook(&path, mistakes);
            if let Some(secret) = item.get("webhook").and_then(|webhook| webhook.get("secret")) {
                let path = path.key("webhook").key("secret");
                let name = webhook_secret_name(id);
                found.secrets.extend(Asked::read(name, secret, &path));
            }
            variables(item, &path, mistakes);
            let mut settings = told.settings(id, kind, webhook);
            let taken =
                input::of_accounts(&settings.base_url, &settings.authorization, &settings.headers);
            settings.inputs =
                input::read(item.get("inputs"), &path.key("inputs"), &taken, mistakes);
            found.settings.push(settings);
        }
        found
    }
}

/// What the file tells of an integration, and what is known of it.
struct Told<'a> {
    node: &'a Node,
    known: Option<&'static Node>,
}

impl<'a> Told<'a> {
    /// What the file says of a key, else what is known.
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).or_else(|| self.known.and_then(|known| known.get(key)))
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.text()
    }

    fn id(&self, project: ProjectId, kind: &str) -> IntegrationId {
        let told = self.node.text_of("id").and_then(|id| id.parse().ok());
        told.unwrap_or_else(|| IntegrationId(derived(&project.0, "integration", kind)))
    }

    fn settings(
        &self,
        id: IntegrationId,
        kind: &str,
        webhook: Option<WebhookSettings>,
    ) -> IntegrationSettings {
        let texts = |node: &Node| -> Vec<String> {
            node.items().iter().filter_map(Node::text).map(str::to_owned).collect()
        };
        IntegrationSettings {
            id,
            kind: kind.to_owned(),
            name: self.text("name").unwrap_or(kind).to_owned(),
            base_url: self.text("base_url").unwrap_or_default().trim_end_matches('/').to_owned(),
            hosts: self.get("hosts").map(texts).unwrap_or_default(),
            authorization: self.get("authorization").map(authorization).unwrap_or_default(),
            headers: self.get("headers").map(headers).unwrap_or_default(),
            active: self.node.get("active").and_then(Node::flag).unwrap_or(true),
            webhook,
            paging: self.get("pagination").and_then(paging),
            inputs: Vec::new(),
        }
    }

    /// How webhooks are verified. Only a file can say that there are any: it has the secret.
    fn webhook(&self, path: &Path, mistakes: &mut Mistakes) -> Option<WebhookSettings> {
        let node = self.node.get("webhook")?;
        let builtin = self.known.and_then(|known| known.get("webhook"));
        let text = |key: &str, doc: &str, mistakes: &mut Mistakes| -> String {
            let said = node.text_of(key).or_else(|| builtin?.text_of(key));
            if said.is_none() && node.get(key).is_none() && matches!(node.tree, Tree::Map(_)) {
                let problem = format!("`{key}` is missing");
                mistakes.add(node.at, &path.key("webhook"), problem, format!("add `{key}`: {doc}"));
            }
            said.unwrap_or_default().to_owned()
        };
        let (scheme, own) = match node.get("scheme").filter(|told| told.text().is_none()) {
            Some(told) => (String::new(), own_scheme(told, path, mistakes)),
            None => (text("scheme", "how webhooks are signed", mistakes), None),
        };
        // Of a scheme that there is not, or that is not right, nothing more is asked.
        let known = own.as_deref().or_else(|| Scheme::named(&scheme));
        let says_account = known.is_none_or(|scheme| scheme.account.is_some());
        let says_nothing =
            [Some(node), builtin].iter().flatten().all(|node| node.get(ACCOUNT).is_none());
        let provider_id = match says_nothing && says_account {
            true => String::new(),
            false => {
                text(ACCOUNT, "where one says which account it is about, `body.team_id`", mistakes)
            }
        };
        let is_said = |text: &str| text.parse().is_ok_and(|place: Place| place.is_said());
        if let Some(told) = node.get(ACCOUNT)
            && let Some(text) = told.text().filter(|text| !is_said(text))
        {
            let problem = format!("{} is no place in a webhook", quoted(text));
            let mend = "write `body.…`, `headers.…` or `params.…`";
            mistakes.add(told.at, &path.key("webhook").key(ACCOUNT), problem, mend);
        }
        let tolerance = node.get("tolerance_s").and_then(Node::whole);
        let tolerance_s = tolerance.and_then(|seconds| seconds.try_into().ok()).unwrap_or(300);
        Some(WebhookSettings { scheme, own, provider_id, tolerance_s })
    }
}

/// A scheme that the file tells, as far as it is right.
fn own_scheme(node: &Node, path: &Path, mistakes: &mut Mistakes) -> Option<Box<Scheme>> {
    let scheme: Scheme = serde_json::from_value(node.value()).ok()?;
    for (flaw, mend) in scheme.flaws() {
        mistakes.add(node.at, &path.key("webhook").key("scheme"), flaw, mend);
    }
    Some(Box::new(scheme))
}

/// How lists are parted into pages, as far as it is right.
fn paging(node: &Node) -> Option<Paging> {
    match node.text() {
        Some(name) => Some(Paging::Named(name.to_owned())),
        None => serde_json::from_value(node.value()).ok().map(|told| Paging::Own(Box::new(told))),
    }
}

fn headers(node: &Node) -> BTreeMap<String, String> {
    let texts = node
        .entries()
        .iter()
        .filter_map(|entry| entry.node.text().map(|value| (entry.key.clone(), value.to_owned())));
    texts.collect()
}

/// How something authenticates, as far as it is right.
pub(super) fn authorization(node: &Node) -> Authorization {
    let text = |node: &Node, key: &str| node.text_of(key).unwrap_or_default().to_owned();
    let Some(entry) = node.entries().first() else { return Authorization::None };
    let (key, inner) = (entry.key.as_str(), &entry.node);
    let (name, value) = (text(inner, "name"), text(inner, "value"));
    match key {
        "bearer" => Authorization::Bearer { token: inner.text().unwrap_or_default().to_owned() },
        "basic" => Authorization::Basic {
            username: text(inner, "username"),
            password: text(inner, "password"),
        },
        "header" => Authorization::Header { name, value },
        "query" => Authorization::Query { name, value },
        "oauth_client_credentials" => Authorization::OauthClientCredentials(ClientCredentials {
            token_url: text(inner, "token_url"),
            client_id: text(inner, "client_id"),
            client_secret: text(inner, "client_secret"),
            scope: text(inner, "scope"),
            audience: text(inner, "audience"),
            params: inner.get("params").map(headers).unwrap_or_default().into_iter().collect(),
            client_auth: match inner.text_of("client_auth") {
                Some("body") => ClientAuth::Body,
                Some(_) | None => ClientAuth::Basic,
            },
        }),
        _ => Authorization::None,
    }
}

/// Notes variables that an integration cannot know: it has no run, only a user and secrets.
fn variables(node: &Node, path: &Path, mistakes: &mut Mistakes) {
    for key in ["base_url", "authorization", "headers"] {
        if let Some(inner) = node.get(key) {
            texts(inner, &path.key(key), &mut |text, node, path| {
                for reference in references_in(text) {
                    let shown = quoted(&reference.text);
                    let mend = "use `{{settings.…}}`, what the user gave, or `{{secrets.…}}`";
                    match reference.root {
                        Root::Settings | Root::Secret(_) => {}
                        Root::Unreadable => {
                            mistakes.add(node.at, path, format!("{shown} is no variable"), mend);
                        }
                        Root::Trigger | Root::Number(_) | Root::Name(_) | Root::Own => {
                            let problem = format!("{shown} means nothing outside a workflow");
                            mistakes.add(node.at, path, problem, mend);
                        }
                    }
                }
            });
        }
    }
}

/// Notes secrets that an integration names and the file does not have.
pub(super) fn unknown_secrets(
    node: &Node,
    path: &Path,
    secrets: &BTreeSet<&str>,
    mistakes: &mut Mistakes,
) {
    for key in ["base_url", "authorization", "headers"] {
        let Some(inner) = node.get(key) else { continue };
        texts(inner, &path.key(key), &mut |text, node, path| {
            for reference in references_in(text) {
                let Root::Secret(name) = reference.root else { continue };
                if !secrets.contains(name.as_str()) {
                    let problem = format!("the project has no secret {}", quoted(&name));
                    let mend =
                        nearest(&name, secrets.iter().copied(), || "add it to `secrets`".into());
                    mistakes.add(node.at, path, problem, mend);
                }
            }
        });
    }
}

/// Calls with every text below a node.
fn texts(node: &Node, path: &Path, take: &mut impl FnMut(&str, &Node, &Path)) {
    match &node.tree {
        Tree::Text(text) => take(text, node, path),
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                texts(item, &path.index(index), take);
            }
        }
        Tree::Map(entries) => {
            for entry in entries {
                texts(&entry.node, &path.key(&entry.key), take);
            }
        }
        Tree::Null | Tree::Flag(_) | Tree::Number(_) => {}
    }
}

impl Asked {
    /// A value that a file tells or asks for; `None`: it is of the wrong kind.
    pub(super) fn read(name: String, node: &Node, path: &Path) -> Option<Self> {
        let source = match node.text() {
            Some(text) => match text.trim().strip_prefix("{{env.") {
                Some(rest) => SecretSource::Env(rest.strip_suffix("}}")?.trim().to_owned()),
                None => SecretSource::Literal(text.to_owned()),
            },
            None => SecretSource::Env(node.text_of("env")?.to_owned()),
        };
        let path = path.as_str().to_owned();
        Some(Self { name, source, line: node.at.line, column: node.at.column, path })
    }
}
