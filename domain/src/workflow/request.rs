//! Requests of steps: what is sent, how it authenticates, and how it goes on to further pages.

use super::{ClientCredentials, Condition};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An HTTP request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Absolute, or for integration requests a path below the integration's base URL.
    pub url: String,
    /// Query parameters, added to those of the URL.
    #[serde(default)]
    pub params: Vec<(String, Value)>,
    /// Headers.
    #[serde(default)]
    pub headers: Vec<(String, Value)>,
    /// The body.
    #[serde(default)]
    pub body: Body,
    /// `Authorization`, where the step sends one.
    #[serde(default)]
    pub authorization: Authorization,
    /// When to give up, in milliseconds; `None`: the project's setting.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// How it goes on to further pages; `None`: it does not.
    #[serde(default)]
    pub pagination: Option<Pagination>,
}

/// How a request goes on to further pages (seeds: requests/request-pagination).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pagination {
    /// As the step says.
    Custom(CustomPagination),
    /// As the integration parts lists into pages.
    Preconfigured(PreconfiguredPagination),
}

/// How the step says that it goes on. `{{self.…}}` is the answer to the page before,
/// `{{self.pageToken}}` in the request what it gave for the next.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CustomPagination {
    /// The results of a page: a `{{self.…}}` that is an array.
    pub output: Value,
    /// What the next page is asked for with.
    pub page_token: Value,
    /// When a page is the last one; `None`: when it gives no token.
    #[serde(default)]
    pub stop_when: Option<Condition>,
}

/// What the step says where its integration knows how to go on.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PreconfiguredPagination {
    /// The results of a page, where the integration does not say or says something else.
    pub output: Option<Value>,
    /// So many results at most.
    pub limit: Option<Value>,
    /// So many results are left out first.
    pub skip: Option<Value>,
    /// The token of the page to begin with.
    pub previous_page: Option<Value>,
}

/// An HTTP method.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
    /// Reads only the head.
    Head,
    /// Asks what is possible.
    Options,
}

impl Method {
    /// The method in capitals.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
        }
    }
}

/// A request's body.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// None.
    #[default]
    None,
    /// JSON.
    Json(Value),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<(String, Value)>),
    /// `multipart/form-data`: texts, and file objects as files (behaviours.md 13).
    Multipart(Vec<(String, Value)>),
    /// XML: a text whose variables are escaped, or an object that is turned into elements.
    Xml(Value),
    /// The bytes of a file object, with its MIME type.
    Binary(Value),
    /// As it is; JSON if it parses as such and no `Content-Type` says otherwise.
    Raw(Value),
}

/// How a request or an integration authenticates. Strings may hold `{{…}}`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorization {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Bearer …`
    Bearer {
        /// The token.
        token: String,
    },
    /// `Authorization: Basic …`
    Basic {
        /// The user.
        username: String,
        /// The password.
        #[serde(default)]
        password: String,
    },
    /// Any header.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// `Authorization: Bearer …` with a token that the application gets for itself.
    OauthClientCredentials(ClientCredentials),
}
