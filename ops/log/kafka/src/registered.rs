//! The ids that a schema registry gave to the schemas of a log.
//!
//! Inside Millrace a record's value begins with the schema's own id. In the topics of a log whose
//! schemas are in a registry it begins with the id of the registry, so that any deserializer finds
//! it; Millrace's own stands in the header `type`, from which it is put back when it is read.

use bytes::{Bytes, BytesMut};
use ports::{Error, Record};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Where the id stands in the wire format: behind a zero byte.
const ID: std::ops::Range<usize> = 1..5;

/// What a registry says of the schemas of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registered {
    /// The registry's address, without credentials.
    pub registry: String,
    /// Its ids by Millrace's own.
    pub ids: BTreeMap<u32, u32>,
}

impl Registered {
    /// The value of a record as strangers read it.
    ///
    /// # Errors
    /// `Corrupt`: its schema is not registered.
    pub(crate) fn value<'a>(&self, record: &'a Record) -> Result<Cow<'a, [u8]>, Error> {
        let kind = record.headers.kind;
        if !is_avro(kind, &record.value) {
            return Ok(Cow::Borrowed(&record.value));
        }
        let Some(id) = self.ids.get(&kind) else {
            return Err(Error::Corrupt(format!(
                "schema {kind} has no id in the registry at {}: run `millrace migrate`",
                self.registry
            )));
        };
        let mut value = record.value.to_vec();
        value[ID].copy_from_slice(&id.to_be_bytes());
        Ok(Cow::Owned(value))
    }
}

/// The value of a record that was read, as Millrace has it.
pub(crate) fn restored(kind: u32, payload: &[u8]) -> Bytes {
    let mut value = BytesMut::from(payload);
    if is_avro(kind, payload) {
        value[ID].copy_from_slice(&kind.to_be_bytes());
    }
    value.freeze()
}

fn is_avro(kind: u32, value: &[u8]) -> bool {
    kind != 0 && value.first() == Some(&0) && value.len() >= ID.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use ports::Headers;

    fn record(kind: u32, value: &'static [u8]) -> Record {
        let headers = Headers { kind, ..Headers::default() };
        Record { headers, key: Bytes::new(), value: Bytes::from_static(value) }
    }

    #[test]
    fn strangers_see_the_registrys_id_and_millrace_its_own() {
        let ids = BTreeMap::from([(200, 7)]);
        let registered = Registered { registry: String::new(), ids };
        let own = record(200, &[0, 0, 0, 0, 200, 1, 2]);
        let theirs = registered.value(&own).expect("it is registered");
        assert_eq!(*theirs, [0, 0, 0, 0, 7, 1, 2]);
        assert_eq!(restored(200, &theirs), own.value);
        assert!(registered.value(&record(201, &[0, 0, 0, 0, 201])).is_err());
    }

    #[test]
    fn what_is_not_avro_stays_as_it_is() {
        let registered = Registered { registry: String::new(), ids: BTreeMap::new() };
        for other in [record(0, &[0, 0, 0, 0, 200]), record(200, b""), record(200, b"text")] {
            assert_eq!(*registered.value(&other).expect("it has no schema"), other.value);
            assert_eq!(restored(other.headers.kind, &other.value), other.value);
        }
    }
}
