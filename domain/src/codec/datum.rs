//! Avro's binary encoding of one datum, field after field.
//!
//! A type's fields stand in the order of its schema, and a record is read with the schema that it
//! was written with, so nothing has to be looked up: see `ops/docs/decisions/0001-datum.md`. The
//! golden tests compare every byte with apache-avro, which walks the schema.

mod read;
mod write;

use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

/// The name under which a payload announces itself: Avro `bytes`, with their length in front. Other
/// bytes are `fixed`.
pub(crate) const BYTES: &str = "Payload";

/// A value that cannot be written, or bytes that cannot be read. It holds no value.
#[derive(Debug)]
pub(super) struct DatumError;

impl fmt::Display for DatumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a datum")
    }
}

impl std::error::Error for DatumError {}

impl serde::ser::Error for DatumError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        // The text may show the value.
        Self
    }
}

impl serde::de::Error for DatumError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Appends a value.
pub(super) fn write<T: Serialize>(out: &mut Vec<u8>, value: &T) -> Result<(), DatumError> {
    value.serialize(write::Writer { out, has_length: false })
}

/// Reads a value from the front of the bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, DatumError> {
    T::deserialize(&mut read::Reader { bytes })
}

#[cfg(test)]
mod tests;
