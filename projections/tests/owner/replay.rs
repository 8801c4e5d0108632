//! Replays of many, when their partition changes hands.

use crate::bench::{INTEGRATION, PARTITIONS, now, project, ready};
use domain::command::ReplayExecutions;
use domain::id::CommandId;
use domain::key::Key;
use domain::time::Timestamp;
use uuid::Uuid;

#[test]
fn a_replay_goes_on_when_its_partition_is_held_again() {
    let mut bench = ready();
    let lane = Key::Lane(project(), 0, PARTITIONS);
    bench.send(
        &lane,
        ReplayExecutions {
            replay: CommandId(Uuid::from_u128(7)),
            integration: INTEGRATION,
            workflow: None,
            user: None,
            ending: None,
            code: String::new(),
            after: None,
            before: Timestamp(i64::MAX),
            current: false,
            from_failed: false,
            per_second: 1,
            partitions: 1,
        },
    );
    bench.settle();
    let owner = &mut bench.owners[0];
    assert_eq!(now(owner.take_replays()).unwrap().len(), 1);
    assert_eq!(now(owner.take_replays()).unwrap().len(), 0, "what was sent is waited for");
    // Another node is to have it, and then this one again: what it sent then nobody may have got.
    now(owner.follow()).unwrap();
    assert_eq!(now(owner.take_replays()).unwrap().len(), 0);
    now(owner.turn()).unwrap();
    assert_eq!(now(owner.take_replays()).unwrap().len(), 1);
}
