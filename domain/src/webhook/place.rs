//! Where a webhook says something, and texts that are made of such places.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A part of a request.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// The raw body.
    Body,
    /// The fields of a form by name, each followed by its value; of another body nothing.
    Form,
    /// The address as it was called.
    Url,
    /// The address as it was called, with what need not be encoded decoded.
    Uri,
    /// `POST`.
    Method,
    /// A header, in small letters.
    Header(String),
    /// A path into the body: keys and indexes.
    Field(Vec<String>),
    /// A parameter of the address.
    Parameter(String),
    /// What stands under a key of the signature.
    Pair(String),
}

impl Place {
    /// Whether a provider says something there, and not only by how it calls.
    pub fn is_said(&self) -> bool {
        matches!(self, Self::Header(_) | Self::Field(_) | Self::Parameter(_))
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |name: &str| name.to_owned();
        match text.split_once('.') {
            None => match text {
                "body" => Ok(Self::Body),
                "form" => Ok(Self::Form),
                "url" => Ok(Self::Url),
                "uri" => Ok(Self::Uri),
                "method" => Ok(Self::Method),
                _ => Err(format!("{text:?} is no place")),
            },
            Some(("headers", rest)) => Ok(Self::Header(rest.to_ascii_lowercase())),
            Some(("body", rest)) => Ok(Self::Field(rest.split('.').map(name).collect())),
            Some(("params", rest)) => Ok(Self::Parameter(name(rest))),
            Some(("pair", rest)) => Ok(Self::Pair(name(rest))),
            Some(_) => Err(format!("{text:?} is no place")),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Form => f.write_str("form"),
            Self::Url => f.write_str("url"),
            Self::Uri => f.write_str("uri"),
            Self::Method => f.write_str("method"),
            Self::Header(name) => write!(f, "headers.{name}"),
            Self::Field(path) => write!(f, "body.{}", path.join(".")),
            Self::Parameter(name) => write!(f, "params.{name}"),
            Self::Pair(name) => write!(f, "pair.{name}"),
        }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        let piece = |piece: Piece| match piece {
            Piece::Text(text) => text,
            Piece::Place(place) => format!("{{{place}}}"),
            Piece::Proof(place) => format!("{{hmac:{place}}}"),
        };
        template.0.into_iter().map(piece).collect()
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A text with places in braces: `v0:{headers.x-time}:{body}`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(Vec<Piece>);

/// A piece of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// What stands at a place.
    Place(Place),
    /// `{hmac:…}`: the signature of what stands at a place.
    Proof(Place),
}

impl Template {
    /// Its pieces, in their order.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), text.as_str());
        while let Some((before, behind)) = rest.split_once('{') {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (place, behind) =
                behind.split_once('}').ok_or_else(|| format!("{text:?} lacks a brace"))?;
            pieces.push(match place.strip_prefix("hmac:") {
                Some(place) => Piece::Proof(place.parse()?),
                None => Piece::Place(place.parse()?),
            });
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_texts_and_places_in_their_order() {
        let written = "v0:{headers.x-time}:{body}{hmac:body.a.0}!";
        let template = Template::try_from(written.to_owned());
        assert_eq!(template.clone().map(String::from), Ok(written.to_owned()));
        let template = Template::try_from("v0:{headers.X-Time}:{body}{hmac:body.a.0}!".to_owned());
        let field =
            |path: &[&str]| Place::Field(path.iter().map(|key| (*key).to_owned()).collect());
        let pieces = [
            Piece::Text("v0:".into()),
            Piece::Place(Place::Header("x-time".into())),
            Piece::Text(":".into()),
            Piece::Place(Place::Body),
            Piece::Proof(field(&["a", "0"])),
            Piece::Text("!".into()),
        ];
        assert_eq!(template.unwrap().pieces(), pieces);
        for wrong in ["{body", "{nothing}", "{cookies.a}", "{hmac:}"] {
            assert!(Template::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
