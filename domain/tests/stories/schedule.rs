//! Workflows that run by themselves.

use crate::story::{Story, sealed};
use domain::command::{
    Command, DescribeUser, FireSchedule, RemoveCredential, SetSchedule, SwitchUser, SwitchWorkflow,
};
use domain::state::RowKey;
use serde_json::{Value, json};

const MINUTE_MS: i64 = 60_000;

fn every_minute() -> Value {
    json!({ "cron": "* * * * *", "timezone": "UTC", "exact": true })
}

/// A schedule that is switched on for the user's account.
fn scheduled(schedule: &Value) -> Story {
    let mut story = Story::given_schedule(schedule);
    let switch = switch(&story, true);
    story.when(switch);
    story
}

fn switch(story: &Story, enabled: bool) -> SwitchWorkflow {
    SwitchWorkflow { workflow: story.by_schedule(), credential: None, enabled }
}

fn set(story: &Story) -> SetSchedule {
    SetSchedule { workflow: story.by_schedule(), credential: story.account() }
}

/// The moment that the schedule waits for has come.
fn due(story: &mut Story) -> Command {
    let at = story.schedule().unwrap().at;
    story.later(at.since_ms(story.now));
    FireSchedule { workflow: story.by_schedule(), credential: story.account(), at }.into()
}

#[test]
fn it_runs_at_each_moment_once_from_when_it_is_switched_on() {
    let mut story = Story::given_schedule(&every_minute());
    let first = MINUTE_MS - story.now.0 % MINUTE_MS;
    let on = switch(&story, true);
    let set = format!("schedule set in {first} ms");
    story.when(on).then(&["switched on", &set]);
    for _ in 0..3 {
        let fire = due(&mut story);
        story.when(fire.clone()).then(&[
            "schedule fired, 0 missed, starts 1",
            "started",
            "step 0 ready now, attempt 1",
            "schedule set in 60000 ms",
        ]);
        story.when(fire).then(&["rejected: TIMER_LATE"]);
    }
}

#[test]
fn it_is_on_from_when_the_account_is_connected_where_it_is_on_by_default() {
    let mut story = Story::given_schedule(&every_minute());
    let remove = RemoveCredential { integration: story.integration, credential: None };
    story.when(remove);
    let connect = story.connect();
    story.when(connect);
    assert!(story.schedule().is_some());
}

#[test]
fn one_run_makes_up_for_moments_that_were_missed_and_they_are_counted() {
    let mut story = scheduled(&every_minute());
    let fire = due(&mut story);
    story.later(90 * MINUTE_MS);
    story.when(fire).then(&[
        "schedule fired, 90 missed, starts 1",
        "started",
        "step 0 ready now, attempt 1",
        "schedule set in 60000 ms",
    ]);
}

#[test]
fn missed_moments_can_be_let_go_by() {
    let mut schedule = every_minute();
    schedule["missed"] = json!("skip");
    let mut story = scheduled(&schedule);
    let fire = due(&mut story);
    story.later(90 * MINUTE_MS);
    story.when(fire).then(&["schedule fired, 90 missed, starts 0", "schedule set in 60000 ms"]);
}

#[test]
fn what_is_off_or_gone_waits_for_no_further_moment() {
    let offs: [fn(&mut Story); 4] = [
        |story| drop(story.when(switch(story, false))),
        |story| drop(story.when(SwitchUser { enabled: false })),
        |story| story.set_active(false),
        |story| story.remove_integration(),
    ];
    for off in offs {
        let mut story = scheduled(&every_minute());
        let fire = due(&mut story);
        off(&mut story);
        story.when(fire).then(&["schedule unset: WORKFLOW_DISABLED"]);
        let left = |key: &RowKey| matches!(key, RowKey::Schedule(_) | RowKey::Timer(..));
        assert!(!story.all().keys().any(left));
    }
}

#[test]
fn it_goes_on_when_the_user_is_enabled_again() {
    let mut story = scheduled(&every_minute());
    let fire = due(&mut story);
    story.when(SwitchUser { enabled: false });
    story.when(fire);
    story.when(SwitchUser { enabled: true }).then(&["UserSwitched", "schedule set in 60000 ms"]);
}

#[test]
fn what_is_deployed_later_is_set_and_what_is_set_as_deployed_is_kept() {
    let mut story = scheduled(&every_minute());
    let again = set(&story);
    story.when(again).then(&["rejected: SCHEDULE_KEPT"]);
    story.deploy_schedule("0 * * * *");
    let hourly = 60 * MINUTE_MS - story.now.0 % (60 * MINUTE_MS);
    let again = set(&story);
    story.when(again).then(&[&format!("schedule set in {hourly} ms")]);
}

#[test]
fn a_moment_of_a_schedule_that_is_not_deployed_any_more_starts_nothing() {
    let mut story = scheduled(&every_minute());
    let fire = due(&mut story);
    story.deploy_schedule("30 * * * *");
    let fire = story.command(fire);
    let run = story.decided(&fire);
    let names: Vec<&str> = run.iter().map(|event| event.body.name()).collect();
    assert_eq!(names, ["ScheduleFired", "ScheduleSet"]);
}

#[test]
fn the_user_s_zone_is_followed_when_it_changes() {
    let zone = json!({ "cron": "0 9 * * *", "timezone": "{{settings.zone}}", "exact": true });
    let mut story = scheduled(&zone);
    let of = |story: &Story| story.schedule().map(|set| set.due.0.rem_euclid(24 * 60 * MINUTE_MS));
    let describe = |zone: &str| DescribeUser { sealed: sealed(&json!({ "zone": zone })) };
    story.when(describe("Asia/Tokyo"));
    assert_eq!(of(&story), Some(0));
    story.when(describe("Europe/Berlin"));
    // November: an hour before UTC.
    assert_eq!(of(&story), Some(8 * 60 * MINUTE_MS));
    story
        .when(describe("Mars/Olympus"))
        .then(&["UserDescribed", "schedule unset: TIME_ZONE_UNKNOWN"]);
    assert_eq!(of(&story), None);
    story.when(describe("Asia/Tokyo"));
    assert_eq!(of(&story), Some(0));
}
