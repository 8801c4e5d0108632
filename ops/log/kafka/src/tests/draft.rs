//! A log that is filled from elsewhere.

use super::{WANTED, opened, options};
use crate::{Draft, KafkaLog, plan};
use domain::time::Timestamp;
use ports::{Headers, Log, Partition, Record};

const FIRST: i64 = 50_000;

fn record(n: i64) -> Record {
    Record {
        headers: Headers { kind: 200, epoch: n, n: 1, ..Headers::default() },
        key: bytes::Bytes::new(),
        value: bytes::Bytes::from(n.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_no_log_before_it_is_finished() {
    let options = options();
    let partition = Partition::events(3);
    let draft = Draft::open(&options, WANTED, None).await.expect("topics");
    draft.log().append(vec![(partition, record(0))]).await.expect("it is appended");
    assert!(KafkaLog::open(options.clone()).await.is_err(), "no one opens it");
    let refused = plan(&options, WANTED).await.expect("a plan");
    assert!(refused.refusals()[0].contains("run it again"), "{:?}", refused.refusals());
    // Whoever goes on finds what is there.
    let draft = Draft::open(&options, WANTED, None).await.expect("the same topics");
    assert_eq!(draft.log().append(vec![(partition, record(1))]).await.expect("it is"), [1]);
    let id = draft.finish(Timestamp(1)).await.expect("a log");
    let log = opened(&options).await;
    assert_eq!((log.identity(), log.end(partition).await.expect("an end")), (id, 2));
    let plan = plan(&options, WANTED).await.expect("a plan");
    assert_eq!((plan.refusals().len(), plan.steps().len()), (0, 0));
    let again = Draft::open(&options, WANTED, None).await.err().expect("it is a log").to_string();
    assert!(again.contains("there is a log") && again.contains("kafka.prefix"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_whose_first_are_forgotten_keep_their_offsets() {
    let options = options();
    let partition = Partition::commands(2);
    let draft = Draft::open(&options, WANTED, None).await.expect("topics");
    // As if a first try had been broken off.
    draft.log().append(vec![(partition, Record::gap()); 10]).await.expect("gaps");
    draft.begin(partition, FIRST).await.expect("it begins");
    let offsets = draft.log().append(vec![(partition, record(7))]).await.expect("it is appended");
    assert_eq!(offsets, [FIRST]);
    draft.finish(Timestamp(1)).await.expect("a log");
    let log = opened(&options).await;
    assert_eq!(log.start(partition).await.expect("a start"), FIRST);
    assert_eq!(log.start(Partition::events(2)).await.expect("a start"), 0);
    let found = log.read(partition, FIRST, 1_000).await.expect("it reads");
    assert_eq!(
        found.iter().map(|one| (one.offset, &one.record)).collect::<Vec<_>>(),
        [(FIRST, &record(7))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_keeps_a_place_and_comes_back_as_one() {
    let options = options();
    let partition = Partition::events(0);
    let draft = Draft::open(&options, WANTED, None).await.expect("topics");
    let records = vec![(partition, Record::gap()), (partition, record(1))];
    assert_eq!(draft.log().append(records).await.expect("they are appended"), [0, 1]);
    let found = draft.look().expect("a client").read(partition, 0, 1_000).await.expect("it reads");
    assert!(found[0].record.is_gap() && found[1].record == record(1), "{found:?}");
}
