use super::{WANTED, migrated, opened, options};
use crate::{KafkaLog, Options, Wanted, plan};
use domain::codec;
use domain::time::Timestamp;
use ports::{Error, Log};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_it_does_and_then_there_is_nothing_left_to_do() {
    let options = options();
    let first = plan(&options, WANTED).await.expect("a plan");
    let steps = first.steps();
    assert_eq!(steps.len(), 6, "five topics and what the log is: {steps:#?}");
    assert!(steps.iter().any(|step| step.contains(".events: 8 partitions, 1 copies")), "{steps:?}");
    let made = first.carry_out(None, Timestamp(1)).await.expect("topics");
    let again = plan(&options, WANTED).await.expect("a plan");
    assert_eq!(again.steps(), Vec::<String>::new());
    assert_eq!(again.refusals(), Vec::<String>::new());
    assert_eq!(again.warnings().len(), 10, "one copy, one in sync: {:?}", again.warnings());
    assert_eq!(again.carry_out(None, Timestamp(2)).await.expect("the same"), made);
    let log = opened(&options).await;
    assert_eq!((log.identity(), log.partitions()), (made.id, 8));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_partitions_never_changes() {
    let options = options();
    migrated(&options).await;
    let more = plan(&options, Wanted { partitions: 16, ..WANTED }).await.expect("a plan");
    let made = more.carry_out(None, Timestamp(2)).await.expect("nothing to do");
    assert_eq!(made.partitions, 8, "what the log was made with counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_lose_records_is_refused_unless_it_is_for_development() {
    let options = Options { dev: false, ..options() };
    let refused = plan(&options, WANTED).await.expect("a plan");
    assert_eq!(refused.refusals(), Vec::<String>::new(), "there are no topics to judge yet");
    let many = plan(&options, Wanted { replication: 3, ..WANTED }).await.expect("a plan");
    assert!(
        many.refusals()[0].starts_with("3 copies need as many brokers"),
        "{:?}",
        many.refusals()
    );
    assert!(many.carry_out(None, Timestamp(1)).await.is_err(), "nothing is done");
    migrated(&Options { dev: true, ..options.clone() }).await;
    let judged = plan(&options, WANTED).await.expect("a plan");
    assert_eq!(judged.refusals().len(), 10, "{:#?}", judged.refusals());
    // Topics that are there are judged by themselves, however many brokers answer just now.
    let away = plan(&options, Wanted { replication: 3, ..WANTED }).await.expect("a plan");
    assert_eq!(away.refusals(), judged.refusals());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_says_which_records_may_be_written_and_a_build_that_reads_less_leaves_it_alone() {
    let options = options();
    migrated(&options).await;
    let plan = plan(&options, WANTED).await.expect("a plan");
    let log = plan.identity().expect("a log");
    assert_eq!(log.level, codec::schema_max(), "that of the build that made it");
    plan.raise_to(log.clone(), codec::schema_max() + 1, Timestamp(3))
        .await
        .expect_err("it reads less");
    let Err(Error::Corrupt(why)) = KafkaLog::open(options).await else { panic!("it opens") };
    assert!(why.ends_with(&format!("reads up to {}: update it", codec::schema_max())), "{why}");
}
