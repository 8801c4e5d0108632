//! Ids that a file does not tell, derived from names, so that the same file means the same things.

use uuid::Uuid;

/// The id of a named thing within another: equal whenever both are. It has the shape of a version 4
/// UUID, which every client takes.
pub(super) fn derived(within: &Uuid, family: &str, name: &str) -> Uuid {
    let mut text = Vec::with_capacity(32 + family.len() + name.len());
    text.extend_from_slice(within.as_bytes());
    text.extend_from_slice(family.as_bytes());
    text.push(0);
    text.extend_from_slice(name.as_bytes());
    let hash = xxhash_rust::xxh3::xxh3_128(&text);
    uuid::Builder::from_random_bytes(hash.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_every_part_and_stay() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let id = derived(&one, "workflow", "announce");
        assert_eq!(id.to_string(), "d3cee62e-9e2c-4d27-9d99-502290e666f0");
        assert_eq!(id.get_version_num(), 4);
        assert_ne!(id, derived(&two, "workflow", "announce"));
        assert_ne!(id, derived(&one, "step", "announce"));
        assert_ne!(id, derived(&one, "workflow", "announces"));
        assert_ne!(derived(&one, "a", "bc"), derived(&one, "ab", "c"));
    }
}
