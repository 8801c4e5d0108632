//! Bytes into values.

use super::DatumError;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Bytes of an id, the only `fixed` there is.
const FIXED_BYTES: usize = 16;

/// Reads from the front of the bytes.
pub(super) struct Reader<'a, 'b> {
    pub(super) bytes: &'b mut &'a [u8],
}

impl<'a> Reader<'a, '_> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DatumError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(DatumError)?;
        *self.bytes = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, DatumError> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn long(&mut self) -> Result<i64, DatumError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(DatumError)
    }

    /// Bytes with their length in front.
    fn counted(&mut self) -> Result<&'a [u8], DatumError> {
        let count = usize::try_from(self.long()?).map_err(|_| DatumError)?;
        self.take(count)
    }

    fn text(&mut self) -> Result<&'a str, DatumError> {
        std::str::from_utf8(self.counted()?).map_err(|_| DatumError)
    }
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = DatumError;

    fn is_human_readable(&self) -> bool {
        false
    }

    /// Nothing says what is next but the type that is read.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, DatumError> {
        Err(DatumError)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(DatumError),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_i32(i32::try_from(self.long()?).map_err(|_| DatumError)?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_i64(self.long()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_str(self.text()?)
    }

    /// What is not asked for as a buffer is an id.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_bytes(self.take(FIXED_BYTES)?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_borrowed_bytes(self.counted()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        match self.long()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(DatumError),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DatumError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DatumError> {
        visitor.visit_seq(Items { reader: self, left: 0, ended: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DatumError> {
        visitor.visit_seq(Fields { reader: self, left: fields.len() })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DatumError> {
        let index = u32::try_from(self.long()?).map_err(|_| DatumError)?;
        visitor.visit_enum(Symbol(index))
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct tuple tuple_struct map
        identifier ignored_any
    }
}

/// The fields of a record, one after the other.
struct Fields<'r, 'a, 'b> {
    reader: &'r mut Reader<'a, 'b>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Fields<'_, 'de, '_> {
    type Error = DatumError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DatumError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// An array, in blocks; an empty one ends it.
struct Items<'r, 'a, 'b> {
    reader: &'r mut Reader<'a, 'b>,
    /// Of this block.
    left: u64,
    ended: bool,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de, '_> {
    type Error = DatumError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DatumError> {
        if self.left == 0 && !self.ended {
            let count = self.reader.long()?;
            if count < 0 {
                // The size of the block, for readers that skip it.
                self.reader.long()?;
            }
            self.left = count.unsigned_abs();
            self.ended = count == 0;
        }
        if self.ended {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// A symbol of an enum, by its index.
struct Symbol(u32);

impl<'de> EnumAccess<'de> for Symbol {
    type Error = DatumError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self), DatumError> {
        let index = serde::de::value::U32Deserializer::new(self.0);
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Symbol {
    type Error = DatumError;

    fn unit_variant(self) -> Result<(), DatumError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DatumError> {
        Err(DatumError)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DatumError> {
        Err(DatumError)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DatumError> {
        Err(DatumError)
    }
}
