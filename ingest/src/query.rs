//! The query of an address, parameter by parameter.

use crate::openapi::{Input, Operation};
use crate::problem::{Outcome, Problem, QUERY_MALFORMED};
use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use schemars::generate::SchemaGenerator;
use schemars::{JsonSchema, Schema};
use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::convert::Infallible;
use std::marker::PhantomData;
use url::form_urlencoded;

/// The query of an address, in which the parameters of a `T` are looked for once it is read.
pub(crate) struct Query<T> {
    uri: Uri,
    of: PhantomData<fn() -> T>,
}

/// What a query says.
pub(crate) trait Queried: Default + 'static {
    /// The parameters that are looked for; every other is passed over.
    const PARAMETERS: &'static [Parameter<Self>];
}

/// A parameter of a query.
pub(crate) struct Parameter<T> {
    name: &'static str,
    /// What it must be, for people.
    expected: &'static str,
    schema: fn(&mut SchemaGenerator) -> Schema,
    /// Puts its value where it belongs; `None`: it is not what is expected.
    put: fn(&mut T, &str) -> Option<()>,
}

impl<T> Parameter<T> {
    /// A parameter that is written as a `V`.
    pub(crate) const fn new<V: JsonSchema>(
        name: &'static str,
        expected: &'static str,
        put: fn(&mut T, &str) -> Option<()>,
    ) -> Self {
        Self { name, expected, schema: SchemaGenerator::subschema_for::<V>, put }
    }
}

impl<T: Queried> Query<T> {
    /// The names and values in it. The bound of a request's head bounds them, too.
    pub(crate) fn pairs(&self) -> form_urlencoded::Parse<'_> {
        form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes())
    }

    /// What it says. Of a parameter that is there more than once, the last counts.
    pub(crate) fn read(&self) -> Outcome<T> {
        let mut said = T::default();
        for (name, value) in self.pairs() {
            let named = T::PARAMETERS.iter().find(|parameter| parameter.name == name);
            let Some(parameter) = named else { continue };
            (parameter.put)(&mut said, &value).ok_or_else(|| parameter.malformed())?;
        }
        Ok(said)
    }
}

impl<T> Parameter<T> {
    fn malformed(&self) -> Problem {
        let Self { name, expected, .. } = self;
        QUERY_MALFORMED.because(format!("The parameter {name} must be {expected}."))
    }
}

impl<S: Send + Sync, T> FromRequestParts<S> for Query<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { uri: parts.uri.clone(), of: PhantomData })
    }
}

impl<T: Queried> Input for Query<T> {
    fn describe(operation: &mut Operation<'_>) {
        for parameter in T::PARAMETERS {
            operation.asks(parameter.name, parameter.schema);
        }
    }
}

/// One of a few words.
pub(crate) fn word<T: DeserializeOwned>(text: &str) -> Option<T> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    T::deserialize(text).ok()
}
