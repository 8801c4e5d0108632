//! Logs that are cut and carried, on the disk.

mod carry;
mod cut;

use bytes::Bytes;
use domain::codec::{self, Family};
use domain::command::{Command, RecordUnsealing};
use domain::event::{Event, EventReceived};
use domain::id::{CommandId, EventId};
use domain::meta::{Meta, Recorded};
use domain::time::Timestamp;
use log_embedded::{EmbeddedLog, Options};
use ports::{Headers, Log, Offset, Partition, Record};
use std::path::Path;

const PARTITIONS: u16 = 2;

fn open(folder: &Path) -> EmbeddedLog {
    EmbeddedLog::open(Options::new(folder, PARTITIONS)).unwrap()
}

fn record<F: Family>(meta: Meta, body: F) -> Record {
    let headers = Headers {
        kind: body.schema().id,
        epoch: meta.epoch,
        incarnation: meta.incarnation,
        i: meta.i,
        n: meta.n,
    };
    let value = Bytes::from(codec::encode(&Recorded { meta, body }).unwrap());
    Record { headers, key: Bytes::new(), value }
}

fn meta(at: i64) -> Meta {
    let at = Timestamp(at);
    Meta::keyless(EventId::fresh(at, [0; 10]), at)
}

/// A command of a moment.
fn command(at: i64, id: CommandId) -> Record {
    let (who, command, filter) = (String::new(), String::new(), String::new());
    let body = Command::from(RecordUnsealing { who, command, filter });
    record(Meta { command_id: id, ..meta(at) }, body)
}

/// A command of a moment that nobody told.
fn asked(at: i64) -> Record {
    command(at, CommandId::fresh(Timestamp(at), [1; 10]))
}

/// An event of a decision on the command at an offset: the i-th of n, of a moment.
fn decided(at: i64, command_offset: Offset, (i, n): (i32, i32)) -> Record {
    let body = Event::EventReceived(EventReceived { name: "e".into(), executions: 0, size: 0 });
    let owner = Meta { epoch: 1, incarnation: 1, ..meta(at) };
    record(Meta { command_offset, config_offset: -1, i, n, ..owner }, body)
}

async fn append(log: &dyn Log, partition: Partition, record: Record) -> Offset {
    log.append(vec![(partition, record)]).await.unwrap()[0]
}
