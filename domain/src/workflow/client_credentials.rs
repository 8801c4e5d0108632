//! OAuth 2.0 client credentials: how an application gets a token for itself.

use serde::{Deserialize, Serialize};

/// What a token is asked for with (RFC 6749, 4.4). Texts may hold `{{…}}`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClientCredentials {
    /// Where: the token endpoint.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// By what that is proved.
    pub client_secret: String,
    /// What for: names separated by blanks; empty: whatever the server gives.
    #[serde(default)]
    pub scope: String,
    /// For which API, where the server wants to know; empty: it is not said.
    #[serde(default)]
    pub audience: String,
    /// Further parameters that a server wants, by name.
    #[serde(default)]
    pub params: Vec<(String, String)>,
    /// Where id and secret stand.
    #[serde(default)]
    pub client_auth: ClientAuth,
}

/// Where a client's id and secret stand (RFC 6749, 2.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// In `Authorization: Basic …`, which every server must take.
    #[default]
    Basic,
    /// In the body.
    Body,
}

impl ClientCredentials {
    /// Every text that may hold variables.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let own =
            [&self.token_url, &self.client_id, &self.client_secret, &self.scope, &self.audience];
        let params = self.params.iter().flat_map(|(name, value)| [name, value]);
        own.into_iter().chain(params).map(String::as_str)
    }

    /// The same with every text replaced.
    ///
    /// # Errors
    /// The first that the replacing has.
    pub fn replaced<E>(&self, mut text: impl FnMut(&str) -> Result<String, E>) -> Result<Self, E> {
        let mut params = Vec::with_capacity(self.params.len());
        for (name, value) in &self.params {
            params.push((text(name)?, text(value)?));
        }
        Ok(Self {
            token_url: text(&self.token_url)?,
            client_id: text(&self.client_id)?,
            client_secret: text(&self.client_secret)?,
            scope: text(&self.scope)?,
            audience: text(&self.audience)?,
            params,
            client_auth: self.client_auth,
        })
    }
}
