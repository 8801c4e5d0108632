//! Typed ids.
//!
//! Ids that an owner makes carry the 16-bit hash of the key they belong to in their first two
//! bytes, inside the shape of a version 4 UUID, so that any id finds its partition and the npm
//! client accepts it (sdk-contract, trap 1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        #[schemars(inline)]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id as its 16 bytes.
            pub fn bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map($name)
            }
        }
    };
}

id!(
    /// One record on the log (UUIDv7).
    EventId
);
id!(
    /// One command; made before it is first appended, and equal for every repeat of it.
    CommandId
);
id!(
    /// One environment of one customer.
    ProjectId
);
id!(
    /// A provider set up in a project.
    IntegrationId
);
id!(
    /// A workflow, over all its versions.
    WorkflowId
);
id!(
    /// A step of a workflow; it stays when the step is renamed.
    StepId
);
id!(
    /// One run of a workflow version. Routed: carries the hash of its key.
    ExecutionId
);
id!(
    /// One connected account. Routed: carries the hash of its key.
    CredentialId
);

/// Shapes 16 bytes of entropy into a version 4 UUID that starts with `hash16`.
pub fn routed(hash16: u16, entropy: [u8; 16]) -> Uuid {
    let mut bytes = entropy;
    bytes[..2].copy_from_slice(&hash16.to_be_bytes());
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// The hash of the key that a routed id belongs to.
pub fn hash16_of(id: &Uuid) -> u16 {
    let bytes = id.as_bytes();
    u16::from_be_bytes([bytes[0], bytes[1]])
}

impl CommandId {
    /// A fresh id: UUIDv7 of the moment and ten bytes of entropy.
    pub fn fresh(at: crate::time::Timestamp, entropy: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(at.millis_unsigned(), &entropy).into_uuid())
    }

    /// The id of a command that another record caused: equal whenever cause, recipient and
    /// position are equal, so that a repeated Tell is recognised (design §3).
    pub fn derived(cause: &Uuid, recipient: &crate::key::Key, position: u32) -> Self {
        let mut text = Vec::with_capacity(96);
        text.extend_from_slice(cause.as_bytes());
        text.extend_from_slice(&position.to_be_bytes());
        text.extend_from_slice(recipient.name().as_bytes());
        Self::from_hash(&text)
    }

    /// The id of a command sent with an `Idempotency-Key`.
    pub fn idempotent(project: &ProjectId, user: &str, route: &str, key: &str) -> Self {
        let mut text = Vec::with_capacity(128);
        text.extend_from_slice(project.bytes());
        for part in [user, route, key] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        Self::from_hash(&text)
    }

    fn from_hash(bytes: &[u8]) -> Self {
        let mut bytes = xxhash_rust::xxh3::xxh3_128(bytes).to_be_bytes();
        bytes[15] &= !TOLD;
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// The id of a Tell: it says which decision wanted it (version 8).
    pub fn telling(tell: Telling, recipient: &crate::key::Key) -> Self {
        let place = u32::from(tell.event & PLACE) << 10 | u32::from(tell.number & PLACE);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&tell.offset.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&tell.partition.to_be_bytes());
        // The first two bits of this byte are the variant's.
        bytes[8..12].copy_from_slice(&place.to_be_bytes());
        let name = xxhash_rust::xxh3::xxh3_64(recipient.name().as_bytes());
        bytes[12..].copy_from_slice(&name.to_be_bytes()[..4]);
        bytes[15] |= TOLD;
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Where the command comes from, if it is a Tell.
    pub fn told(&self) -> Option<Telling> {
        let bytes = self.bytes();
        if !self.is_derived() || bytes[15] & TOLD == 0 {
            return None;
        }
        let mut offset = [0; 8];
        offset[2..].copy_from_slice(&bytes[..6]);
        let place = u32::from_be_bytes([bytes[8] & 0x3f, bytes[9], bytes[10], bytes[11]]);
        Some(Telling {
            partition: u16::from_be_bytes([bytes[6] & 0x0f, bytes[7]]),
            offset: i64::from_be_bytes(offset),
            event: (place >> 10) as u16 & PLACE,
            number: place as u16 & PLACE,
        })
    }

    /// The id of an ask for slots: it says which of its lane's asks it is (version 8).
    pub fn asking(ask: Asking, recipient: &crate::key::Key) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&ask.epoch.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&ask.partition.to_be_bytes());
        // The first two bits of this byte are the variant's.
        bytes[8..12].copy_from_slice(&ask.number.to_be_bytes());
        let name = xxhash_rust::xxh3::xxh3_64(recipient.name().as_bytes());
        bytes[12..].copy_from_slice(&name.to_be_bytes()[..4]);
        bytes[15] &= !TOLD;
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Which ask of its lane the command is, if it is an ask for slots.
    pub fn asked(&self) -> Option<Asking> {
        let bytes = self.bytes();
        let mut epoch = [0; 8];
        epoch[2..].copy_from_slice(&bytes[..6]);
        self.is_derived().then(|| Asking {
            partition: u16::from_be_bytes([bytes[6] & 0x0f, bytes[7]]),
            epoch: i64::from_be_bytes(epoch),
            number: u32::from_be_bytes([bytes[8] & 0x3f, bytes[9], bytes[10], bytes[11]]),
        })
    }

    /// The id of a command that a run sent, from the id that it would have otherwise: it says how
    /// many runs, each started by the one before it, have led to it (version 5).
    pub fn led_to_by(self, runs: u8) -> Self {
        if runs == 0 {
            return self;
        }
        let mut bytes = *self.bytes();
        bytes[0] = runs;
        let named = uuid::Builder::from_bytes(bytes).with_version(uuid::Version::Sha1);
        Self(named.with_variant(uuid::Variant::RFC4122).into_uuid())
    }

    /// How many runs, each started by the one before it, have led to the command.
    pub fn runs_before(&self) -> u8 {
        if self.0.get_version_num() == 5 { self.bytes()[0] } else { 0 }
    }

    /// Whether the id was derived (version 8) rather than made fresh (version 7).
    pub fn is_derived(&self) -> bool {
        self.0.get_version_num() == 8
    }
}

/// The bit that tells the id of a Tell from a hash.
const TOLD: u8 = 1;
/// Ten bits: a decision has at most 1,000 events, and an event at most 1,000 Tells.
const PLACE: u16 = 0x3ff;

/// Which Tell of a partition's decisions. Those of one partition come in this order, or again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Telling {
    /// The partition that decided (12 bits).
    pub partition: u16,
    /// The offset of the command that was decided (48 bits).
    pub offset: i64,
    /// The event of that decision, from 0.
    pub event: u16,
    /// The Tell of that event, from 0.
    pub number: u16,
}

/// Which ask for slots of a lane. A later one is greater, whoever owned the partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Asking {
    /// The lane's partition (12 bits).
    pub partition: u16,
    /// The epoch of the owner that asked (48 bits).
    pub epoch: i64,
    /// Counts the asks of that owner (30 bits).
    pub number: u32,
}

impl EventId {
    /// Lower than every other.
    pub fn nil() -> Self {
        Self(Uuid::nil())
    }

    /// A fresh id: UUIDv7 of the moment and ten bytes of entropy.
    pub fn fresh(at: crate::time::Timestamp, entropy: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(at.millis_unsigned(), &entropy).into_uuid())
    }
}

impl ExecutionId {
    /// The execution that a command starts for the `position`-th workflow it reaches. Derived, so
    /// that the door can name it before it is decided.
    pub fn derived(command: CommandId, key: &crate::key::Key, position: u32) -> Self {
        Self(routed(key.hash16(), *CommandId::derived(&command.0, key, position).bytes()))
    }
}

/// The id of the execution of a step (or, by the workflow's id, of the trigger) in a run.
pub fn step_execution(execution: ExecutionId, step: &Uuid) -> Uuid {
    let mut text = [0u8; 32];
    text[..16].copy_from_slice(execution.bytes());
    text[16..].copy_from_slice(step.as_bytes());
    let hash = xxhash_rust::xxh3::xxh3_128(&text);
    routed(hash16_of(&execution.0), hash.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Key;

    #[test]
    fn an_id_says_how_many_runs_have_led_to_it() {
        let key = crate::key::Key::Project(ProjectId(Uuid::from_u128(1)));
        let fresh = CommandId::fresh(crate::time::Timestamp(1_700_000_000_000), [7; 10]);
        let derived = CommandId::derived(&Uuid::from_u128(2), &key, 3);
        for id in [fresh, derived] {
            assert_eq!((id.runs_before(), id.led_to_by(0)), (0, id));
            let led_to = id.led_to_by(100);
            assert_eq!((led_to.runs_before(), led_to.told(), led_to.asked()), (100, None, None));
            assert_eq!(led_to, id.led_to_by(100));
            assert_ne!(led_to, id.led_to_by(99));
        }
    }

    #[test]
    fn a_routed_id_is_a_v4_uuid_that_finds_its_partition() {
        let id = routed(0xbeef, [0xff; 16]);
        assert_eq!(id.get_version_num(), 4);
        assert_eq!(hash16_of(&id), 0xbeef);
    }

    #[test]
    fn a_derived_command_depends_on_cause_recipient_and_position() {
        let key = Key::Project(ProjectId(Uuid::from_u128(1)));
        let cause = Uuid::from_u128(2);
        let id = CommandId::derived(&cause, &key, 0);
        assert_eq!(id, CommandId::derived(&cause, &key, 0));
        assert_ne!(id, CommandId::derived(&cause, &key, 1));
        assert!(id.is_derived());
    }

    #[test]
    fn the_id_of_a_tell_says_where_it_comes_from() {
        let key = Key::Project(ProjectId(Uuid::from_u128(1)));
        for tell in [
            Telling { partition: 0, offset: 0, event: 0, number: 0 },
            Telling { partition: 4095, offset: (1 << 48) - 1, event: 1_000, number: 999 },
            Telling { partition: 7, offset: 123_456_789, event: 2, number: 3 },
        ] {
            let id = CommandId::telling(tell, &key);
            assert_eq!(id.told(), Some(tell));
            assert!(id.is_derived());
        }
        assert_eq!(CommandId::derived(&Uuid::from_u128(2), &key, 0).told(), None);
        assert_eq!(CommandId::fresh(crate::time::Timestamp(1), [0xff; 10]).told(), None);
    }

    #[test]
    fn the_id_of_an_ask_says_which_one_it_is() {
        let key = Key::Limit(ProjectId(Uuid::from_u128(1)));
        for ask in [
            Asking { partition: 0, epoch: 1, number: 1 },
            Asking { partition: 4095, epoch: (1 << 48) - 1, number: (1 << 30) - 1 },
        ] {
            let id = CommandId::asking(ask, &key);
            assert_eq!((id.asked(), id.told()), (Some(ask), None));
        }
    }

    #[test]
    fn idempotent_ids_do_not_run_parts_together() {
        let p = ProjectId(Uuid::from_u128(1));
        assert_ne!(
            CommandId::idempotent(&p, "ab", "c", "k"),
            CommandId::idempotent(&p, "a", "bc", "k")
        );
    }
}
