//! Values into bytes.

use super::{BYTES, DatumError};
use serde::Serialize;
use serde::ser::{Impossible, SerializeSeq, SerializeStruct, Serializer};

/// Appends one value.
pub(super) struct Writer<'a> {
    pub(super) out: &'a mut Vec<u8>,
    /// Whether bytes have their length in front.
    pub(super) has_length: bool,
}

impl<'a> Writer<'a> {
    fn long(self, value: i64) {
        put_long(self.out, value);
    }

    fn again(&mut self) -> Writer<'_> {
        Writer { out: self.out, has_length: false }
    }
}

/// Zigzag, seven bits a byte, the lowest first.
fn put_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn length(length: usize) -> Result<i64, DatumError> {
    i64::try_from(length).map_err(|_| DatumError)
}

/// Kinds of values that no schema has.
macro_rules! absent {
    ($($name:ident($($type:ty),*) -> $ok:ty;)*) => { $(
        fn $name(self, $(_: $type),*) -> Result<$ok, DatumError> {
            Err(DatumError)
        }
    )* };
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = DatumError;
    type SerializeSeq = Items<'a>;
    type SerializeStruct = Writer<'a>;
    type SerializeTuple = Impossible<(), DatumError>;
    type SerializeTupleStruct = Impossible<(), DatumError>;
    type SerializeTupleVariant = Impossible<(), DatumError>;
    type SerializeMap = Impossible<(), DatumError>;
    type SerializeStructVariant = Impossible<(), DatumError>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), DatumError> {
        self.out.push(u8::from(value));
        Ok(())
    }

    fn serialize_i32(self, value: i32) -> Result<(), DatumError> {
        self.long(i64::from(value));
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), DatumError> {
        self.long(value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), DatumError> {
        put_long(self.out, length(value.len())?);
        self.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), DatumError> {
        if self.has_length {
            put_long(self.out, length(value.len())?);
        }
        self.out.extend_from_slice(value);
        Ok(())
    }

    /// Every union is `null` and one other type.
    fn serialize_none(self) -> Result<(), DatumError> {
        self.long(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Result<(), DatumError> {
        self.again().long(1);
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<(), DatumError> {
        self.long(i64::from(index));
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), DatumError> {
        value.serialize(Writer { out: self.out, has_length: name == BYTES })
    }

    fn serialize_seq(self, count: Option<usize>) -> Result<Items<'a>, DatumError> {
        let count = count.ok_or(DatumError)?;
        if count > 0 {
            put_long(self.out, length(count)?);
        }
        Ok(Items { out: self.out })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Writer<'a>, DatumError> {
        Ok(self)
    }

    absent! {
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_map(Option<usize>) -> Self::SerializeMap;
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), DatumError> {
        Err(DatumError)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, DatumError> {
        Err(DatumError)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, DatumError> {
        Err(DatumError)
    }
}

impl SerializeStruct for Writer<'_> {
    type Ok = ();
    type Error = DatumError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        _: &'static str,
        value: &T,
    ) -> Result<(), DatumError> {
        value.serialize(self.again())
    }

    fn end(self) -> Result<(), DatumError> {
        Ok(())
    }
}

/// An array: one block with everything, and an empty one.
pub(super) struct Items<'a> {
    out: &'a mut Vec<u8>,
}

impl SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = DatumError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), DatumError> {
        value.serialize(Writer { out: self.out, has_length: false })
    }

    fn end(self) -> Result<(), DatumError> {
        put_long(self.out, 0);
        Ok(())
    }
}
