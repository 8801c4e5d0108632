//! How providers sign and name their webhooks, as data. A provider that signs in a way that is
//! here already needs no code.

/// How a signature is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// One signature in hex after a prefix.
    Hex { prefix: &'static str },
    /// Signatures in Base64, each after a prefix, parted by spaces: one per secret in use.
    Base64List { prefix: &'static str },
}

/// A piece of the text that is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Body,
    Header(&'static str),
    Text(&'static str),
}

/// How a secret is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SecretForm {
    /// Its bytes are the key.
    Text,
    /// The key in Base64, maybe after a prefix.
    Base64 { prefix: &'static str },
}

/// Where a delivery says something: a header, or a path into the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Header(&'static str),
    Body(&'static str),
}

/// One way of signing and naming webhooks. All of them are HMAC with SHA-256.
#[derive(Debug)]
pub(super) struct Scheme {
    /// Its name in an integration's settings.
    pub(super) name: &'static str,
    /// The header with the signature.
    pub(super) signature: &'static str,
    /// How the signature is written.
    pub(super) form: Form,
    /// What is signed.
    pub(super) signed: &'static [Piece],
    /// How the secret is written.
    pub(super) secret: SecretForm,
    /// The header with the time of signing, in seconds since 1970.
    pub(super) timestamp: Option<&'static str>,
    /// The header with the delivery's id.
    pub(super) delivery: &'static str,
    /// What happened.
    pub(super) kind: Place,
    /// A path into the body to what is put behind the kind, after a dot.
    pub(super) action: Option<&'static str>,
    /// Which account it is about, where the integration's settings do not say.
    pub(super) provider_id: &'static str,
}

/// Every scheme.
pub(super) static SCHEMES: [Scheme; 2] = [
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    Scheme {
        name: "github",
        signature: "x-hub-signature-256",
        form: Form::Hex { prefix: "sha256=" },
        signed: &[Piece::Body],
        secret: SecretForm::Text,
        timestamp: None,
        delivery: "x-github-delivery",
        kind: Place::Header("x-github-event"),
        action: Some("action"),
        provider_id: "body.installation.id",
    },
    // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    Scheme {
        name: "standard",
        signature: "webhook-signature",
        form: Form::Base64List { prefix: "v1," },
        signed: &[
            Piece::Header("webhook-id"),
            Piece::Text("."),
            Piece::Header("webhook-timestamp"),
            Piece::Text("."),
            Piece::Body,
        ],
        secret: SecretForm::Base64 { prefix: "whsec_" },
        timestamp: Some("webhook-timestamp"),
        delivery: "webhook-id",
        kind: Place::Body("type"),
        action: None,
        provider_id: "",
    },
];

impl Scheme {
    /// The scheme of that name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        SCHEMES.iter().find(|scheme| scheme.name == name)
    }
}
