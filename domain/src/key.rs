//! What is ordered and decided together.

use crate::id::{IntegrationId, ProjectId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A user of a project, or an address.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Key {
    /// A connected user: `sub` of the user token.
    User(ProjectId, String),
    /// The webhook address of an integration: matches deliveries with users.
    App(ProjectId, IntegrationId),
    /// The budget of step executions of a project.
    Limit(ProjectId),
    /// The share of a project's budget that one partition holds: `(project, partition, of)`.
    Lane(ProjectId, u16, u16),
    /// The project itself: configuration.
    Project(ProjectId),
}

impl Key {
    /// The project that the key belongs to.
    pub fn project(&self) -> ProjectId {
        match self {
            Key::User(project, _)
            | Key::App(project, _)
            | Key::Limit(project)
            | Key::Lane(project, _, _)
            | Key::Project(project) => *project,
        }
    }

    /// The user, where the key is one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Key::User(_, user) => Some(user),
            Key::App(..) | Key::Limit(_) | Key::Lane(..) | Key::Project(_) => None,
        }
    }

    /// The key as text: `user/<project>/<sub>`, `app/<project>/<integration>`, …
    pub fn name(&self) -> String {
        match self {
            Key::User(project, user) => format!("user/{project}/{user}"),
            Key::App(project, integration) => format!("app/{project}/{integration}"),
            Key::Limit(project) => format!("limit/{project}"),
            Key::Lane(project, partition, of) => format!("lane/{project}/{partition}/{of}"),
            Key::Project(project) => format!("project/{project}"),
        }
    }

    /// Reads what [`Key::name`] wrote.
    pub fn parse(name: &str) -> Option<Self> {
        let (kind, rest) = name.split_once('/')?;
        if kind == "limit" || kind == "project" {
            let project = ProjectId(Uuid::parse_str(rest).ok()?);
            return Some(if kind == "limit" { Key::Limit(project) } else { Key::Project(project) });
        }
        let (project, rest) = rest.split_once('/')?;
        let project = ProjectId(Uuid::parse_str(project).ok()?);
        match kind {
            "user" => Some(Key::User(project, rest.to_owned())),
            "app" => Some(Key::App(project, IntegrationId(Uuid::parse_str(rest).ok()?))),
            "lane" => {
                let (partition, of) = rest.split_once('/')?;
                Some(Key::Lane(project, partition.parse().ok()?, of.parse().ok()?))
            }
            _ => None,
        }
    }

    /// The 16 bits that decide the partition. A lane lies in the partition it serves.
    pub fn hash16(&self) -> u16 {
        if let Key::Lane(_, partition, of) = self {
            return lane_hash(*partition, *of);
        }
        (xxhash_rust::xxh3::xxh3_64(self.name().as_bytes()) >> 48) as u16
    }

    /// The partition of the key, of `of` partitions.
    pub fn partition(&self, of: u16) -> u16 {
        partition_of(self.hash16(), of)
    }
}

/// The partition of a hash, of `of` partitions: `hash16 · of >> 16`.
pub fn partition_of(hash16: u16, of: u16) -> u16 {
    ((u32::from(hash16) * u32::from(of)) >> 16) as u16
}

/// The smallest hash that falls into `partition` of `of`.
fn lane_hash(partition: u16, of: u16) -> u16 {
    (u32::from(partition) << 16).div_ceil(u32::from(of.max(1))) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back() {
        let project = ProjectId(Uuid::from_u128(7));
        let keys = [
            Key::User(project, "a/b c".into()),
            Key::App(project, IntegrationId(Uuid::from_u128(8))),
            Key::Limit(project),
            Key::Lane(project, 3, 8),
            Key::Project(project),
        ];
        for key in keys {
            assert_eq!(Key::parse(&key.name()), Some(key));
        }
    }

    #[test]
    fn a_lane_lies_in_the_partition_it_serves() {
        let project = ProjectId(Uuid::from_u128(7));
        for of in [1u16, 2, 3, 7, 8, 24, 100, 1000] {
            for partition in 0..of {
                assert_eq!(Key::Lane(project, partition, of).partition(of), partition);
            }
        }
    }
}
