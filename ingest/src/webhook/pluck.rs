//! One value out of a large JSON text, without building the rest.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The text, number or boolean at a path of keys and indexes; `None` if there is none.
pub(super) fn pluck(json: &str, path: &[&str]) -> Option<String> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    At(path).deserialize(&mut deserializer).ok()?
}

struct At<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl At<'_> {
    fn leaf(&self, value: &(impl ToString + ?Sized)) -> Option<String> {
        self.0.is_empty().then(|| value.to_string())
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.leaf(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.leaf(&value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.leaf(&value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.leaf(&value))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.leaf(&value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.0.split_first() {
                Some((first, rest)) if *first == key => found = map.next_value_seed(At(rest))?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted = self
            .0
            .split_first()
            .and_then(|(first, rest)| Some((first.parse::<usize>().ok()?, rest)));
        let (mut found, mut index) = (None, 0);
        loop {
            match wanted {
                Some((at, rest)) if at == index => match seq.next_element_seed(At(rest))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                },
                _ => {
                    if seq.next_element::<IgnoredAny>()?.is_none() {
                        return Ok(found);
                    }
                }
            }
            index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_path_names_is_found() {
        let json = r#"{"a":{"b":[{"c":"x"},{"c":7}]},"n":-1.5,"t":true,"z":null,"\u0061b":"e"}"#;
        let at = |path: &[&str]| pluck(json, path);
        assert_eq!(at(&["a", "b", "0", "c"]).as_deref(), Some("x"));
        assert_eq!(at(&["a", "b", "1", "c"]).as_deref(), Some("7"));
        assert_eq!(at(&["n"]).as_deref(), Some("-1.5"));
        assert_eq!(at(&["t"]).as_deref(), Some("true"));
        assert_eq!(at(&["ab"]).as_deref(), Some("e"));
        for missing in [&["z"][..], &["a"], &["a", "b", "2", "c"], &["n", "x"], &["q"], &[]] {
            assert_eq!(at(missing), None, "{missing:?}");
        }
        assert_eq!(pluck("{broken", &["a"]), None);
    }
}
