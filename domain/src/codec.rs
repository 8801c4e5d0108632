//! Records as bytes: Confluent wire format (0x00, schema id, Avro datum) over `schemas/`.
//!
//! Every schema is one flat record whose first field is `meta`. Avro writes a record as its fields
//! one after the other, so the envelope and the body are encoded separately, with the same bytes
//! as the flat record: the envelope can be read alone, and one Rust type serves all of them.

pub(crate) mod datum;
mod schema;

pub use schema::{Schema, published, schema_max};

use crate::meta::{Meta, Recorded};
use serde::{Serialize, de::DeserializeOwned};

/// The envelope: the first field of every schema, without an id of its own.
const META: &str = "Meta";

/// A record that cannot be written or read. An owner that meets one resigns; it never skips.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The value does not fit its schema, or an open payload was about to be written.
    #[error("a record of schema {schema} cannot be encoded")]
    Encode {
        /// The schema's name.
        schema: &'static str,
    },
    /// The bytes do not fit the schema they name.
    #[error("a record of schema {schema} cannot be decoded")]
    Decode {
        /// The schema's name.
        schema: &'static str,
    },
    /// The bytes name a schema that this build does not know.
    #[error("schema id {id} is unknown to this build")]
    Unknown {
        /// The id in the record.
        id: u32,
    },
    /// Not in wire format at all.
    #[error("not a record: {len} bytes without the wire format's head")]
    Malformed {
        /// Length of what was found.
        len: usize,
    },
}

/// A family of records: an enum with one variant per schema.
pub trait Family: Sized {
    /// The schema of this record.
    fn schema(&self) -> &'static Schema;
    /// Appends the body.
    fn write(&self, out: &mut Vec<u8>) -> Result<(), CodecError>;
    /// Reads the body of a record of the schema `id`.
    fn read(id: u32, bytes: &mut &[u8]) -> Result<Self, CodecError>;
}

/// A record that has a second layout, for what the first one has no word for.
pub(crate) trait Renewed {
    /// Whether the first schema, which older builds read too, has no word for it.
    fn is_renewed(&self) -> bool;
}

/// Writes a record.
pub fn encode<F: Family>(record: &Recorded<F>) -> Result<Vec<u8>, CodecError> {
    let schema = record.body.schema();
    let mut out = Vec::with_capacity(512);
    out.push(0);
    out.extend_from_slice(&schema.id.to_be_bytes());
    datum::write(&mut out, &record.meta).map_err(|_| CodecError::Encode { schema: META })?;
    record.body.write(&mut out)?;
    Ok(out)
}

/// Reads a record of one family; a record of the other family is `Unknown`.
pub fn decode<F: Family>(bytes: &[u8]) -> Result<Recorded<F>, CodecError> {
    let (id, mut rest) = head(bytes)?;
    let meta = read_meta(&mut rest)?;
    Ok(Recorded { meta, body: F::read(id, &mut rest)? })
}

/// Reads only the envelope: the schema id and the meta.
pub fn decode_meta(bytes: &[u8]) -> Result<(u32, Meta), CodecError> {
    let (id, mut rest) = head(bytes)?;
    Ok((id, read_meta(&mut rest)?))
}

/// The schema id that a record names.
pub fn schema_id(bytes: &[u8]) -> Result<u32, CodecError> {
    head(bytes).map(|(id, _)| id)
}

fn read_meta(bytes: &mut &[u8]) -> Result<Meta, CodecError> {
    datum::read(bytes).map_err(|_| CodecError::Decode { schema: META })
}

fn head(bytes: &[u8]) -> Result<(u32, &[u8]), CodecError> {
    match bytes {
        [0, a, b, c, d, rest @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), rest)),
        _ => Err(CodecError::Malformed { len: bytes.len() }),
    }
}

impl Schema {
    pub(crate) fn write<T: Serialize>(
        &self,
        out: &mut Vec<u8>,
        value: &T,
    ) -> Result<(), CodecError> {
        datum::write(out, value).map_err(|_| CodecError::Encode { schema: self.name })
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, bytes: &mut &[u8]) -> Result<T, CodecError> {
        datum::read(bytes).map_err(|_| CodecError::Decode { schema: self.name })
    }
}

/// Declares a family of records: `id Type "file"` per schema. An id is never used twice.
///
/// A second schema of a type is one whose bytes are read in the same way: it has more symbols in
/// an enum. A record is written in the first one that has a word for it, so that a log which needs
/// nothing new stays readable for older builds.
macro_rules! family {
    ($(#[$doc:meta])* $name:ident in $dir:literal {
        $($id:literal $body:ident $file:literal $(, then $new_id:literal $new_file:literal)?;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug)]
        pub enum $name { $(#[doc = concat!("`schemas/", $dir, "/", $file, ".avsc`")] $body($body),)* }

        $(impl From<$body> for $name {
            fn from(body: $body) -> Self { $name::$body(body) }
        })*

        impl $name {
            /// Every schema of the family.
            pub fn schemas() -> &'static [$crate::codec::Schema] {
                static SCHEMAS: std::sync::LazyLock<Vec<$crate::codec::Schema>> =
                    std::sync::LazyLock::new(|| {
                        let mut schemas = vec![
                            $($crate::codec::schema_of!($id $body $dir $file),)*
                            $($($crate::codec::schema_of!($new_id $body $dir $new_file),)?)*
                        ];
                        schemas.sort_by_key(|schema| schema.id);
                        schemas
                    });
                &SCHEMAS
            }

            /// The record's name, as its schema has it.
            pub fn name(&self) -> &'static str {
                match self { $($name::$body(_) => stringify!($body),)* }
            }

            /// Its fields as JSON, for people; sealed bytes are an array of numbers.
            pub fn fields(&self) -> serde_json::Value {
                let fields = match self { $($name::$body(body) => serde_json::to_value(body),)* };
                fields.unwrap_or_default()
            }
        }

        impl $crate::codec::Family for $name {
            fn schema(&self) -> &'static $crate::codec::Schema {
                let id = match self { $($name::$body(_body) => {
                    $(if $crate::codec::Renewed::is_renewed(_body) {
                        return Self::schema_of($new_id).unwrap_or(&Self::schemas()[0]);
                    })?
                    $id
                })* };
                Self::schema_of(id).unwrap_or(&Self::schemas()[0])
            }

            fn write(&self, out: &mut Vec<u8>) -> Result<(), $crate::codec::CodecError> {
                match self { $($name::$body(body) => self.schema().write(out, body),)* }
            }

            fn read(id: u32, bytes: &mut &[u8]) -> Result<Self, $crate::codec::CodecError> {
                let schema = Self::schema_of(id).ok_or($crate::codec::CodecError::Unknown { id })?;
                match id {
                    $($id $(| $new_id)? => schema.read::<$body>(bytes).map($name::$body),)*
                    _ => Err($crate::codec::CodecError::Unknown { id }),
                }
            }
        }

        impl $name {
            /// Whether records of this schema belong to the family.
            pub fn has(id: u32) -> bool {
                Self::schema_of(id).is_some()
            }

            fn schema_of(id: u32) -> Option<&'static $crate::codec::Schema> {
                let schemas = Self::schemas();
                schemas.binary_search_by_key(&id, |schema| schema.id).ok().map(|at| &schemas[at])
            }
        }
    };
}
pub(crate) use family;

/// One schema of a family, from its file.
macro_rules! schema_of {
    ($id:literal $body:ident $dir:literal $file:literal) => {
        $crate::codec::Schema::load(
            $id,
            ($dir, $file),
            stringify!($body),
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../schemas/",
                $dir,
                "/",
                $file,
                ".avsc"
            )),
        )
    };
}
pub(crate) use schema_of;

#[cfg(test)]
mod tests;
