//! Requests by which a provider makes sure of an address: they are answered and start nothing.

use super::arrival::Arrival;
use super::verify::proof;
use crate::openapi::{Operation, Output};
use crate::reply::{Nothing, Reply};
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::webhook::{Handshake, Piece, Scheme, Template};
use serde_json::{Map, Value};

/// What any value fits.
const ANYTHING: &str = "*";

/// What a provider is answered.
pub(crate) enum Answer {
    /// The delivery is kept.
    Kept,
    /// What it wants to hear.
    Greeting(Response),
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Kept => Reply::<_>::new(Nothing {}).into_response(),
            Self::Greeting(response) => response,
        }
    }
}

impl Output for Answer {
    fn describe(operation: &mut Operation<'_>) {
        operation
            .answers_as_asked(StatusCode::OK.as_str(), "Taken in, or what the provider asks for.");
    }
}

/// The handshake that a request is.
pub(super) fn of<'s>(scheme: &'s Scheme, arrival: &Arrival<'_>) -> Option<&'s Handshake> {
    scheme.handshake.iter().find(|handshake| {
        let says = |(place, wanted): (&_, &String)| {
            let said = arrival.at(place, None);
            said.is_some_and(|said| wanted == ANYTHING || said == *wanted)
        };
        arrival.method.as_str() == handshake.method && handshake.when.iter().all(says)
    })
}

/// Its answer; `None`, if a stranger asks for what only a secret could be used for.
pub(super) fn answer(
    scheme: &Scheme,
    handshake: &Handshake,
    arrival: &Arrival<'_>,
    secret: &[u8],
) -> Option<Response> {
    let filled = |template: &Template| -> Option<String> {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Place(place) => arrival.at(place, None),
            Piece::Proof(place) => {
                proof(scheme.signature.as_ref()?, secret, &arrival.at(place, None)?)
            }
        };
        template.pieces().iter().map(piece).collect()
    };
    let mut response = if let Some(text) = &handshake.text {
        filled(text)?.into_response()
    } else {
        let fields = handshake.json.iter().flatten();
        let fields = fields.map(|(name, value)| Some((name.clone(), Value::from(filled(value)?))));
        Json(fields.collect::<Option<Map<_, _>>>()?).into_response()
    };
    // What somebody else wrote is shown as text, whatever it looks like.
    let sniffing = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, sniffing);
    for (name, value) in &handshake.headers {
        let name = HeaderName::try_from(name).ok()?;
        response.headers_mut().insert(name, HeaderValue::try_from(filled(value)?).ok()?);
    }
    Some(response)
}
