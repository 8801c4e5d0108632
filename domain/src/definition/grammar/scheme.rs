//! The table of a project file: how webhooks are signed, where none of the known schemes fits.

use super::form::Form;
use super::{Object, Rule, Shape, optional, required};

static TEXT: Shape = Shape::Text(Form::Any);
static FILLED: Shape = Shape::Text(Form::Filled);
static FLAG: Shape = Shape::Flag;
static PLACE: Shape = Shape::Text(Form::Place);
static PLACES: Shape = Shape::List { of: &PLACE, max: 16 };
static TEMPLATE: Shape = Shape::Text(Form::Template);
static CHARACTER: Shape = Shape::Text(Form::Character);
static ENCODING: Shape = Shape::Choice(|| &["hex", "base64"]);
static HASH: Shape = Shape::Choice(|| &["sha256", "sha1"]);
static SECRET_FORM: Shape = Shape::Choice(|| &["text", "hex", "base64", "whsec"]);
static UNIT: Shape = Shape::Choice(|| &["s", "ms", "iso"]);

static SIGNATURE: Shape = Shape::Object(&Object {
    name: "signature",
    doc: "An HMAC of what is sent.",
    fields: &[
        required("at", &PLACES, "Where signatures stand; any of them may fit.").not(&["header"]),
        optional("pair", &FILLED, "It is one of several `key=value`, under this key."),
        optional("list", &CHARACTER, "Signatures are parted by this, and any may fit."),
        optional("prefix", &TEXT, "What stands in front of one."),
        required("as", &ENCODING, "How one is written.").not(&["encoding"]),
        optional("with", &HASH, "The hash; sha256.").not(&["hash", "algorithm"]),
        required("of", &TEMPLATE, "What is signed: `{body}`.").not(&["signed", "payload"]),
        optional(
            "body_hash",
            &PLACE,
            "Where the SHA-256 of a body that is no form stands, in hex.",
        ),
        optional("secret", &SECRET_FORM, "How the secret is written; text."),
    ],
    rules: &[],
});
static TOKEN: Shape = Shape::Object(&Object {
    name: "token",
    doc: "What is sent instead of a signature: the secret, or a JWT that it signs (HS256).",
    fields: &[
        required("at", &PLACE, "Where it stands.").not(&["header"]),
        optional("prefix", &TEXT, "What stands in front of it."),
        optional("base64", &FLAG, "Whether it is the secret in Base64; false."),
        optional("jwt", &FLAG, "Whether it is a JWT; false."),
    ],
    rules: &[],
});
static TIME: Shape = Shape::Object(&Object {
    name: "signed_at",
    doc: "When a webhook was signed.",
    fields: &[
        required("at", &PLACE, "Where it stands.").not(&["header"]),
        required("unit", &UNIT, "Seconds or milliseconds since 1970, or ISO 8601."),
    ],
    rules: &[],
});

static METHOD: Shape = Shape::Choice(|| &["POST", "GET"]);
static SAYS: Shape = Shape::Map { keys: Form::Place, of: &FILLED, max: 16 };
static FILLED_IN: Shape = Shape::Map { keys: Form::Filled, of: &TEMPLATE, max: 16 };
static HANDSHAKES: Shape = Shape::List { of: &HANDSHAKE, max: 8 };
static HANDSHAKE: Shape = Shape::Object(&Object {
    name: "handshake",
    doc: "A request by which a provider makes sure of the address: it is answered, and starts nothing.",
    fields: &[
        optional("method", &METHOD, "How it comes; POST."),
        optional("when", &SAYS, "What it says, where; `*`: anything."),
        optional("signed", &FLAG, "Whether it counts only if it is signed; false."),
        optional("keep", &FLAG, "Whether it is kept, so that the secret in it can be read; false."),
        optional("text", &TEMPLATE, "The answer, as text."),
        optional("json", &FILLED_IN, "The answer, as an object."),
        optional("headers", &FILLED_IN, "Headers of the answer."),
    ],
    rules: &[Rule::Single(&["text", "json"])],
});

/// A scheme that a file tells.
pub(super) static SCHEME: Shape = Shape::Object(&Object {
    name: "scheme",
    doc: "How webhooks are signed, where none of the known schemes fits.",
    fields: &[
        optional("signature", &SIGNATURE, "The signature of what is sent.").not(&["hmac"]),
        optional("token", &TOKEN, "What is sent instead of a signature."),
        optional("function", &FILLED, "JavaScript that gives `true` for what is genuine.")
            .not(&["verify", "verifier"]),
        optional("time", &TIME, "When it was signed.").not(&["timestamp"]),
        optional(
            "delivery",
            &PLACE,
            "The id of the delivery; one that comes again starts nothing.",
        ),
        optional("kind", &PLACE, "What happened; `received`, if it is not said.").not(&["event"]),
        optional("action", &PLACE, "What is put behind the kind, after a dot."),
        optional("account", &PLACE, "Which account it is about, where `provider_id` does not say."),
        optional("handshake", &HANDSHAKES, "Requests that are answered and start nothing.")
            .not(&["handshakes", "challenge"]),
        optional("source", &FILLED, "Where the provider describes it."),
    ],
    rules: &[Rule::One(&["signature", "token", "function"]), Rule::With("action", "kind")],
});
