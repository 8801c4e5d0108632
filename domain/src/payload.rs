//! What may hold customers' data or secrets.

use crate::codec::datum::BYTES;
use bytes::Bytes;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that reach the log only encrypted.
///
/// A decision may carry an open payload; the owner's shell seals it before it is encoded, and
/// encoding an open one is an error, so that clear text cannot reach the log by mistake.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// Clear bytes, in memory only.
    Open(Bytes),
    /// Encrypted under the key of the user or address it belongs to (see `ports::vault`).
    Sealed(Bytes),
}

impl Payload {
    /// An open payload of a JSON value.
    pub fn json(value: &serde_json::Value) -> Self {
        Payload::Open(Bytes::from(value.to_string()))
    }

    /// An empty payload; it holds nothing, so it counts as sealed.
    pub fn empty() -> Self {
        Payload::Sealed(Bytes::new())
    }

    /// The encrypted bytes; `None` while the payload is open.
    pub fn sealed(&self) -> Option<&Bytes> {
        match self {
            Payload::Sealed(bytes) => Some(bytes),
            Payload::Open(_) => None,
        }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Payload::Open(bytes) => write!(f, "open({} bytes)", bytes.len()),
            Payload::Sealed(bytes) => write!(f, "sealed({} bytes)", bytes.len()),
        }
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Payload::Sealed(bytes) => serializer.serialize_newtype_struct(BYTES, bytes),
            Payload::Open(_) => Err(S::Error::custom("an open payload cannot be written")),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Bytes::deserialize(deserializer).map(Payload::Sealed).map_err(D::Error::custom)
    }
}
