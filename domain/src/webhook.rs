//! How providers sign their webhooks, what they call them, and how they shake hands, as data:
//! `webhook/schemes.yaml`. A provider that signs in a way that is there needs no code, and one that
//! is not there is told in a project file, in the same words.

mod kept;
mod place;

pub use kept::{Content, Said};
pub use place::{Piece, Place, Template};

use crate::definition::built_in;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One way of signing and naming webhooks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    /// Where the provider describes it; empty where a project file tells the scheme.
    #[serde(default)]
    pub source: String,
    /// The signature of what is sent.
    pub signature: Option<Signature>,
    /// What is sent instead of a signature.
    pub token: Option<Token>,
    /// JavaScript that says whether it is genuine, where neither is enough: only a project file
    /// tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// When it was signed.
    pub time: Option<Time>,
    /// The delivery's id.
    pub delivery: Option<Place>,
    /// What happened.
    pub kind: Option<Place>,
    /// What is put behind the kind, after a dot.
    pub action: Option<Place>,
    /// Which account it is about, where the integration's settings do not say.
    pub account: Option<Place>,
    /// Requests that are answered and start nothing.
    #[serde(default)]
    pub handshake: Vec<Handshake>,
}

/// A signature: an HMAC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// Where signatures stand; any of them may fit.
    pub at: Vec<Place>,
    /// It is one of several `key=value` parted by commas, under this key.
    pub pair: Option<String>,
    /// Signatures are parted by this, and any of them may fit.
    pub list: Option<char>,
    /// What stands in front of one.
    #[serde(default)]
    pub prefix: String,
    /// How one is written.
    #[serde(rename = "as")]
    pub encoding: Encoding,
    /// The hash.
    #[serde(default, rename = "with")]
    pub hash: Hash,
    /// What is signed.
    #[serde(rename = "of")]
    pub signed: Template,
    /// Where the SHA-256 of a body that is no form stands, in hex; where only a form is signed.
    pub body_hash: Option<Place>,
    /// How the secret is written.
    #[serde(default)]
    pub secret: SecretForm,
}

/// How bytes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// In small letters.
    Hex,
    /// With padding.
    Base64,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, which is no weakness in an HMAC.
    Sha1,
}

/// How a secret is written.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretForm {
    /// Its bytes are the key.
    #[default]
    Text,
    /// The key in hex.
    Hex,
    /// The key in Base64.
    Base64,
    /// The key in Base64 after `whsec_`.
    Whsec,
}

/// What is sent to prove that one knows the secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Where it stands.
    pub at: Place,
    /// What stands in front of it.
    #[serde(default)]
    pub prefix: String,
    /// It is the secret in Base64.
    #[serde(default)]
    pub base64: bool,
    /// It is a JWT that the secret signs (HS256).
    #[serde(default)]
    pub jwt: bool,
}

/// When a webhook was signed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Time {
    /// Where it stands.
    pub at: Place,
    /// How it is written.
    pub unit: Unit,
}

/// How a moment is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Unit {
    /// Seconds since 1970.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds since 1970.
    #[serde(rename = "ms")]
    Millis,
    /// As in ISO 8601.
    #[serde(rename = "iso")]
    Iso,
}

/// A request by which a provider makes sure of an address, and its answer (200).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// How it comes.
    #[serde(default = "Handshake::post")]
    pub method: String,
    /// What it says, where; `*`: anything.
    #[serde(default)]
    pub when: BTreeMap<Place, String>,
    /// It counts only if it is signed like a delivery.
    #[serde(default)]
    pub signed: bool,
    /// It is kept among the refused deliveries, so that somebody can read the secret in it.
    #[serde(default)]
    pub keep: bool,
    /// The answer, as text.
    pub text: Option<Template>,
    /// The answer, as an object.
    pub json: Option<BTreeMap<String, Template>>,
    /// Headers of the answer.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
}

impl Handshake {
    /// Whether its answer proves that one knows the secret.
    fn proves(&self) -> bool {
        let json = self.json.iter().flat_map(BTreeMap::values);
        let given = json.chain(&self.text).chain(self.headers.values());
        given.flat_map(Template::pieces).any(|piece| matches!(piece, Piece::Proof(_)))
    }

    fn post() -> String {
        "POST".to_owned()
    }
}

/// What happened, where a provider says only that something did.
const RECEIVED: &str = "received";

/// Every scheme. The file is compiled in, and a test reads it: a mistake in it never ships.
static SCHEMES: LazyLock<BTreeMap<String, Scheme>> = LazyLock::new(|| {
    serde_json::from_value(built_in(include_str!("webhook/schemes.yaml"))).unwrap_or_default()
});

impl Scheme {
    /// What cannot be meant by it, in words for people, and the mend.
    pub fn flaws(&self) -> Vec<(&'static str, &'static str)> {
        let mut flaws = Vec::new();
        let signature = self.signature.as_ref();
        let pieces = || signature.into_iter().flat_map(|known| known.signed.pieces());
        let signs = |wanted: fn(&Place) -> bool| {
            pieces().any(|piece| matches!(piece, Piece::Place(place) if wanted(place)))
        };
        let is_of_body =
            |place: &Place| matches!(place, Place::Body | Place::Form | Place::Field(_));
        if signature.is_some() && !signs(is_of_body) {
            flaws.push(("nothing of the body is signed", "put `{body}` into `signature.of`"));
        }
        let signs_form = signs(|place| *place == Place::Form);
        if signs_form != signature.is_some_and(|known| known.body_hash.is_some()) {
            let mend = "use `{form}` and `body_hash` together, or neither of them";
            flaws.push(("only a form is signed, or nothing but a form has a hash", mend));
        }
        let of_pair = |place: &Place| matches!(place, Place::Pair(_));
        let is_timed_by_pair = self.time.as_ref().is_some_and(|time| of_pair(&time.at));
        if (signs(of_pair) || is_timed_by_pair)
            && signature.is_none_or(|known| known.pair.is_none())
        {
            let mend = "say in `signature.pair` under which key the signature is";
            flaws.push(("`pair.…` is used, and the signature is no pair", mend));
        }
        if self.handshake.iter().any(|handshake| !handshake.signed && handshake.proves()) {
            let mend = "add `signed: true`, so that it answers signed questions only";
            flaws.push(("a handshake signs whatever a stranger sends", mend));
        }
        flaws
    }

    /// What happened, by what a webhook says of it; `received`, where a provider says only that
    /// something did.
    pub fn name(&self, kind: Option<String>, action: Option<String>) -> String {
        match (kind, action) {
            (Some(kind), Some(action)) => format!("{kind}.{action}"),
            (Some(kind), None) => kind,
            (None, _) if self.kind.is_none() => RECEIVED.to_owned(),
            (None, _) => String::new(),
        }
    }

    /// The scheme of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SCHEMES.get(name)
    }
}

/// The names of all schemes, as project files write them.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| SCHEMES.keys().map(String::as_str).collect());
    &NAMES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_is_read_named_and_proves_something() {
        let schemes = built_in(include_str!("webhook/schemes.yaml"));
        let schemes: BTreeMap<String, Scheme> = serde_json::from_value(schemes).unwrap();
        assert_eq!(names(), schemes.keys().collect::<Vec<_>>());
        assert!(names().is_sorted() && names().len() > 50);
        for (name, scheme) in &schemes {
            assert!(scheme.source.starts_with("https://"), "{name}");
            assert_ne!(scheme.signature.is_some(), scheme.token.is_some(), "{name}");
            let written = serde_json::to_value(scheme).unwrap();
            assert_eq!(serde_json::from_value::<Scheme>(written).unwrap(), *scheme, "{name}");
            // LinkedIn signs nothing then: `proof` takes no more than its own form.
            let mut flaws = scheme.flaws();
            if name == "linkedin" {
                flaws.retain(|(flaw, _)| !flaw.contains("stranger"));
            }
            assert_eq!(flaws, [], "{name}");
        }
    }
}
