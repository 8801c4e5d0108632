//! Owner rows in the store: which table, which key, which bytes.
//!
//! Every key begins with the partition, so that one partition's rows can be scanned, moved and
//! rebuilt apart from the others.

use bytes::{BufMut, Bytes, BytesMut};
use domain::id::{CredentialId, EventId, ExecutionId, IntegrationId, ProjectId};
use domain::state::{Account, Row, RowKey, Settings, Start, User};
use domain::time::Timestamp;
use ports::{Error, Table};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How far an owner has come, per partition.
pub const CHECKPOINTS: Table = Table("owner.checkpoint");
/// Connected users.
pub const USERS: Table = Table("owner.user");
/// Live executions.
pub const EXECUTIONS: Table = Table("owner.execution");
/// Decided commands.
pub const SEEN: Table = Table("owner.seen");
/// Whose an account at a provider is.
pub const LINKS: Table = Table("owner.link");
/// Webhook deliveries that came before.
pub const DELIVERIES: Table = Table("owner.delivery");
/// Step budgets.
pub const BUDGETS: Table = Table("owner.budget");
/// Steps that wait in queues.
pub const READY: Table = Table("owner.ready");
/// Steps that have begun.
pub const STARTED: Table = Table("owner.started");
/// Steps that wait for a moment.
pub const TIMERS: Table = Table("owner.timer");

/// How far the Tells of other partitions were heard.
pub const HEARD: Table = Table("owner.heard");
/// What expires, by second.
pub const EXPIRIES: Table = Table("owner.expiry");

/// Steps that wait until their integration is active again, by integration.
pub const PAUSED: Table = Table("owner.paused");

/// Parts of what steps took and gave.
pub const PARTS: Table = Table("owner.part");

/// Schedules that wait for a moment.
pub const SCHEDULES: Table = Table("owner.schedule");

/// Replays that are under way, by address.
pub const REPLAYS: Table = Table("owner.replay");

/// Every table that is folded from events.
pub const FOLDED: [Table; 15] = [
    USERS, EXECUTIONS, SEEN, LINKS, DELIVERIES, BUDGETS, READY, STARTED, TIMERS, HEARD, EXPIRIES,
    PAUSED, PARTS, SCHEDULES, REPLAYS,
];

/// Where a row lies.
pub fn place(partition: u16, key: &RowKey) -> (Table, Bytes) {
    let mut bytes = BytesMut::with_capacity(64);
    bytes.put_u16(partition);
    let table = match key {
        RowKey::User(project, user) => {
            bytes.put_slice(project.bytes());
            bytes.put_slice(user.as_bytes());
            USERS
        }
        RowKey::Execution(id) => {
            bytes.put_slice(id.bytes());
            EXECUTIONS
        }
        RowKey::Seen(id) => {
            bytes.put_slice(id.bytes());
            SEEN
        }
        RowKey::Link(project, integration, account) => {
            put_address(&mut bytes, project, integration);
            put_account(&mut bytes, account);
            LINKS
        }
        RowKey::Delivery(project, integration, delivery) => {
            put_address(&mut bytes, project, integration);
            bytes.put_slice(delivery.as_bytes());
            DELIVERIES
        }
        RowKey::Budget(project) => {
            bytes.put_slice(project.bytes());
            BUDGETS
        }
        RowKey::Ready(project, user, since, execution) => {
            put_waiting(&mut bytes, (project, user), since, execution);
            READY
        }
        RowKey::Started(project, user, since, execution) => {
            put_waiting(&mut bytes, (project, user), since, execution);
            STARTED
        }
        RowKey::Timer(due, execution) => {
            bytes.put_i64(due.0);
            bytes.put_slice(execution.bytes());
            TIMERS
        }
        RowKey::Heard(sender) => {
            bytes.put_u16(*sender);
            HEARD
        }
        RowKey::Expiry(second) => {
            bytes.put_i64(*second);
            EXPIRIES
        }
        RowKey::Paused(integration, execution) => {
            bytes.put_slice(integration.bytes());
            bytes.put_slice(execution.bytes());
            PAUSED
        }
        RowKey::Part(execution, index, number) => {
            put_part(&mut bytes, execution, (*index, *number));
            PARTS
        }
        RowKey::Schedule(id) => {
            bytes.put_slice(id.bytes());
            SCHEDULES
        }
        RowKey::Replays(project, integration) => {
            put_address(&mut bytes, project, integration);
            REPLAYS
        }
    };
    (table, bytes.freeze())
}

fn put_part(bytes: &mut BytesMut, execution: &ExecutionId, (index, number): (u16, u32)) {
    bytes.put_slice(execution.bytes());
    bytes.put_u16(index);
    bytes.put_u32(number);
}

fn put_address(bytes: &mut BytesMut, project: &ProjectId, integration: &IntegrationId) {
    bytes.put_slice(project.bytes());
    bytes.put_slice(integration.bytes());
}

fn put_account(bytes: &mut BytesMut, account: &Account) {
    match account {
        Account::Provider(id) => {
            bytes.put_u8(0);
            bytes.put_slice(id.as_bytes());
        }
        Account::Credential(id) => {
            bytes.put_u8(1);
            bytes.put_slice(id.bytes());
        }
    }
}

fn put_waiting(
    bytes: &mut BytesMut,
    (project, user): (&ProjectId, &str),
    since: &EventId,
    execution: &ExecutionId,
) {
    put_queue(bytes, project, user);
    bytes.put_slice(since.bytes());
    bytes.put_slice(execution.bytes());
}

// The length in front keeps one user's rows apart from those of a user with a longer name.
fn put_queue(bytes: &mut BytesMut, project: &ProjectId, user: &str) {
    bytes.put_slice(project.bytes());
    bytes.put_u16(u16::try_from(user.len()).unwrap_or(u16::MAX));
    bytes.put_slice(user.as_bytes());
}

/// The beginning of the keys of one user's queue.
pub fn queue_prefix(partition: u16, project: &ProjectId, user: &str) -> Bytes {
    let mut bytes = BytesMut::with_capacity(64);
    bytes.put_u16(partition);
    put_queue(&mut bytes, project, user);
    bytes.freeze()
}

/// Reads the key of a row of [`READY`] or [`STARTED`]: the queue, and what waits or waited in it.
pub fn parse_ready(key: &[u8]) -> Option<(ProjectId, String, EventId, ExecutionId)> {
    let project = ProjectId(uuid(key.get(2..18)?)?);
    let length = usize::from(u16::from_be_bytes(key.get(18..20)?.try_into().ok()?));
    let user = std::str::from_utf8(key.get(20..20 + length)?).ok()?.to_owned();
    let rest = key.get(20 + length..)?;
    Some((project, user, EventId(uuid(rest.get(..16)?)?), ExecutionId(uuid(rest.get(16..32)?)?)))
}

/// The beginning of the keys of what waits for an integration.
pub fn paused_of(partition: u16, integration: IntegrationId) -> Bytes {
    let mut bytes = BytesMut::with_capacity(18);
    bytes.put_u16(partition);
    bytes.put_slice(integration.bytes());
    bytes.freeze()
}

/// Reads the key of a row of [`REPLAYS`].
pub fn parse_replays(key: &[u8]) -> Option<(ProjectId, IntegrationId)> {
    Some((ProjectId(uuid(key.get(2..18)?)?), IntegrationId(uuid(key.get(18..34)?)?)))
}

/// Reads the key of a row of [`PAUSED`].
pub fn parse_paused(key: &[u8]) -> Option<(IntegrationId, ExecutionId)> {
    Some((IntegrationId(uuid(key.get(2..18)?)?), ExecutionId(uuid(key.get(18..34)?)?)))
}

/// Reads the key of a row of [`USERS`]: the user.
pub fn user_in(key: &[u8]) -> Option<String> {
    std::str::from_utf8(key.get(18..)?).ok().map(str::to_owned)
}

/// Reads the key of a row of [`TIMERS`].
pub fn parse_timer(key: &[u8]) -> Option<(Timestamp, ExecutionId)> {
    let due = i64::from_be_bytes(key.get(2..10)?.try_into().ok()?);
    Some((Timestamp(due), ExecutionId(uuid(key.get(10..26)?)?)))
}

/// Reads the key of a row of [`EXPIRIES`].
pub fn parse_expiry(key: &[u8]) -> Option<i64> {
    Some(i64::from_be_bytes(key.get(2..10)?.try_into().ok()?))
}

fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes).ok()
}

/// A row as bytes. What users set came later than the first builds: it stands behind the user, where
/// those do not look, and where nobody set anything there is nothing.
pub fn encode(row: &Row) -> Result<Bytes, Error> {
    let bad = |error| Error::Corrupt(format!("a row cannot be encoded: {error}"));
    let bytes = postcard::to_allocvec(row).map_err(bad)?;
    let settings = match row {
        Row::User(user) => settings_of(user),
        _ => BTreeMap::new(),
    };
    if settings.is_empty() {
        return Ok(Bytes::from(bytes));
    }
    postcard::to_extend(&settings, bytes).map(Bytes::from).map_err(bad)
}

fn settings_of(user: &User) -> BTreeMap<CredentialId, &Settings> {
    let settings = user.credentials.iter().map(|(id, credential)| (*id, &credential.settings));
    settings.filter(|(_, settings)| **settings != Settings::default()).collect()
}

/// Bytes as a row.
pub fn decode(bytes: &[u8]) -> Result<Row, Error> {
    let bad = |error| Error::Corrupt(format!("a row cannot be decoded: {error}"));
    let (mut row, rest) = postcard::take_from_bytes(bytes).map_err(bad)?;
    if let Row::User(user) = &mut row
        && !rest.is_empty()
    {
        let settings: BTreeMap<CredentialId, Settings> = postcard::from_bytes(rest).map_err(bad)?;
        for (id, settings) in settings {
            if let Some(credential) = user.credentials.get_mut(&id) {
                credential.settings = settings;
            }
        }
    }
    Ok(row)
}

/// Bytes of a row of [`STARTED`].
pub fn decode_start(bytes: &[u8]) -> Result<Start, Error> {
    match decode(bytes)? {
        Row::Started(start) => Ok(start),
        other => Err(Error::Corrupt(format!("a row that says where a step began is {other:?}"))),
    }
}

/// Bytes of a row of [`EXPIRIES`].
pub fn decode_expiring(bytes: &[u8]) -> Result<Vec<RowKey>, Error> {
    match decode(bytes)? {
        Row::Expiring(named) => Ok(named.into_iter().collect()),
        other => Err(Error::Corrupt(format!("a row that names what expires is {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::payload::Payload;
    use domain::state::{Credential, Due, Saved};
    use std::collections::BTreeSet;

    #[test]
    fn keys_of_queues_timers_and_expiries_read_back() {
        let project = ProjectId(Uuid::from_u128(1));
        let (since, id) = (EventId(Uuid::from_u128(2)), ExecutionId(Uuid::from_u128(3)));
        let key = RowKey::Ready(project, "a/ü".into(), since, id);
        let (_, bytes) = place(7, &key);
        assert_eq!(parse_ready(&bytes), Some((project, "a/ü".into(), since, id)));
        let (_, bytes) = place(7, &RowKey::Timer(Timestamp(5), id));
        assert_eq!(parse_timer(&bytes), Some((Timestamp(5), id)));
        let (_, bytes) = place(7, &RowKey::Expiry(6));
        assert_eq!(parse_expiry(&bytes), Some(6));
    }

    #[test]
    fn what_a_user_set_stands_behind_the_row_of_an_older_build() {
        let credential = |set: Settings| Credential {
            integration: IntegrationId(Uuid::from_u128(1)),
            configuration: CredentialId(Uuid::from_u128(2)),
            provider_id: "acme".into(),
            external_id: String::new(),
            payload: Payload::Sealed(Bytes::from_static(b"sealed")),
            connected_at: Timestamp(1),
            refreshed_at: Timestamp(2),
            enabled: BTreeSet::new(),
            settings: set,
        };
        let shared = Saved { filled: BTreeSet::from(["channel".into()]), ..Saved::default() };
        let set = Settings { shared, ..Settings::default() };
        let ids = [3, 4].map(|id| CredentialId(Uuid::from_u128(id)));
        let user = |set: [Settings; 2]| {
            let credentials = ids.into_iter().zip(set.map(credential)).collect();
            Row::User(User { credentials, ..User::default() })
        };
        let nothing = user([Settings::default(), Settings::default()]);
        let older = postcard::to_allocvec(&nothing).unwrap();
        assert_eq!(encode(&nothing).unwrap(), older);
        assert_eq!(decode(&older).unwrap(), nothing);
        let something = user([Settings::default(), set]);
        let newer = encode(&something).unwrap();
        assert_eq!(decode(&newer).unwrap(), something);
        assert_eq!(postcard::from_bytes::<Row>(&newer).unwrap(), nothing, "to an older build");
    }

    #[test]
    fn a_due_step_is_stored_as_an_optional_moment_was() {
        let due = |due: Due| postcard::to_allocvec(&due).unwrap();
        let moment = |moment: Option<Timestamp>| postcard::to_allocvec(&moment).unwrap();
        let at = Timestamp(1_700_000_000_000);
        assert_eq!((due(Due::Now), due(Due::At(at))), (moment(None), moment(Some(at))));
    }
}
