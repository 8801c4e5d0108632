//! What the log is, and which nodes are at it: the records of the stream `cluster`.

use serde::{Deserialize, Serialize};

crate::codec::family! {
    /// Every record that the stream `cluster` can hold.
    Notice in "cluster" {
        300 LogCreated "log_created.1";
        301 NodeSeen "node_seen.1";
        302 NodeLeft "node_left.1";
        312 LevelRaised "level_raised.1";
        313 SchemasRegistered "schemas_registered.1";
    }
}

/// What the log is, written once, when its topics were made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "LogCreated")]
pub struct LogCreated {
    /// The identity of the log (a UUID); a recreated log has another.
    pub identity: String,
    /// Partitions of commands and of events, for ever.
    pub partitions: i32,
    /// The version of the layout of the topics.
    pub format: i32,
}

/// A node says that it is there; it repeats it while it lives.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "NodeSeen")]
pub struct NodeSeen {
    /// The node, in this life.
    pub node: String,
    /// Where it answers HTTP, for people.
    pub address: String,
    /// Whether its rows have caught up, so that it can take partitions over.
    pub ready: bool,
    /// The build that it runs.
    pub version: String,
    /// The highest schema id that it can read.
    pub schema_max: i32,
}

/// A node stops, and takes no partition any more.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "NodeLeft")]
pub struct NodeLeft {
    /// The node, in the life that ends.
    pub node: String,
}

/// Records of newer schemas may be written from now on: every node that comes reads them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "LevelRaised")]
pub struct LevelRaised {
    /// The highest schema id that may be written.
    pub level: i32,
}

/// The ids that a schema registry gave: records of the log begin with them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "SchemasRegistered")]
pub struct SchemasRegistered {
    /// The registry's address, without credentials.
    pub registry: String,
    /// Every schema that may be written.
    pub schemas: Vec<RegisteredSchema>,
}

/// The id of one schema.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisteredSchema {
    /// Millrace's own id, which stands in the header `type`.
    pub schema: i32,
    /// The id in the registry.
    pub id: i32,
}
