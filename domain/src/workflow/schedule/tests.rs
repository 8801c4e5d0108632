use super::*;
use serde_json::json;

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule { cron: cron.into(), timezone: Some(zone.into()), exact: true, missed: Missed::Once }
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// The next moments, in UTC.
fn next(cron: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
    let moments = schedule(cron, zone).moments(zone).unwrap();
    let mut moment = at(from);
    let next = std::iter::repeat_with(|| {
        moment = moments.after(moment).unwrap();
        jiff::Timestamp::from_millisecond(moment.0).unwrap().to_string()
    });
    next.take(count).collect()
}

#[test]
fn patterns_have_five_fields_or_six() {
    let from = "2026-01-01T00:00:00Z";
    let ten = ["2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"];
    assert_eq!(next("*/10 * * * * *", "UTC", from, 2), ten);
    let half = ["2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"];
    assert_eq!(next("*/30 * * * *", "UTC", from, 2), half);
    let monday = ["2026-01-05T12:00:00Z", "2026-01-12T12:00:00Z"];
    assert_eq!(next("0 0 12 * * 1", "UTC", from, 2), monday);
}

#[test]
fn an_hour_that_clocks_skip_is_made_up_for_once() {
    // In New York 02:30 does not exist on 8 March 2026.
    let from = "2026-03-07T12:00:00Z";
    let found = next("30 2 * * *", "America/New_York", from, 2);
    assert_eq!(found, ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]);
}

#[test]
fn an_hour_that_clocks_repeat_counts_once_for_a_daily_schedule() {
    // In Berlin 02:30 comes twice on 25 October 2026.
    let from = "2026-10-24T12:00:00Z";
    let found = next("30 2 * * *", "Europe/Berlin", from, 2);
    assert_eq!(found, ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
}

#[test]
fn what_repeats_within_the_hour_goes_on_through_the_change() {
    let from = "2026-10-25T00:00:00Z";
    let found = next("*/30 * * * *", "Europe/Berlin", from, 4);
    let expected = [
        "2026-10-25T00:30:00Z",
        "2026-10-25T01:00:00Z",
        "2026-10-25T01:30:00Z",
        "2026-10-25T02:00:00Z",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_pattern_never_comes_or_has_no_zone_is_told() {
    for cron in ["", "* * *", "61 * * * *", "* * * * * * 2030", "every day"] {
        let error = schedule(cron, ZONE).moments(ZONE).err();
        assert_eq!(error, Some(Unscheduled::CronInvalid(cron.into())));
    }
    let never = schedule("0 0 30 2 *", ZONE).moments(ZONE).unwrap();
    assert_eq!(never.after(Timestamp(0)).unwrap_err().code(), "SCHEDULE_INVALID");
    let nowhere = schedule("* * * * *", "Mars/Olympus").moments("Mars/Olympus").err();
    assert_eq!(nowhere.unwrap().code(), "TIME_ZONE_UNKNOWN");
}

#[test]
fn the_zone_may_be_the_user_s_to_say() {
    let schedule = schedule("0 9 * * *", "{{settings.zone}}");
    let of = |value: Value| {
        let settings = json!({ "zone": value }).as_object().cloned().unwrap();
        schedule.zone(&Scope { settings, ..Scope::default() })
    };
    assert_eq!(of(json!("Asia/Tokyo")), Ok("Asia/Tokyo".into()));
    assert_eq!(schedule.zone(&Scope::default()), Ok(ZONE.into()));
    assert!(of(json!(5)).is_err());
}

#[test]
fn many_schedules_of_one_moment_are_spread_unless_they_are_exact() {
    let daily = Schedule { exact: false, ..schedule("0 12 * * *", "UTC") };
    let moments = daily.moments("UTC").unwrap();
    let due = at("2026-01-01T12:00:00Z");
    let spread: Vec<i64> =
        (0..10_000).map(|lot| moments.spread(due, lot * 7_919).unwrap().since_ms(due)).collect();
    assert!(spread.iter().all(|ms| (0..SPREAD_MS_MAX).contains(ms)));
    let in_one_second = spread.iter().filter(|ms| (0..1_000).contains(*ms)).count();
    assert!(in_one_second < 500, "{in_one_second} in one second");
    let often = Schedule { cron: "*/5 * * * * *".into(), ..daily };
    let moments = often.moments("UTC").unwrap();
    assert!((0..100).all(|lot| moments.spread(due, lot).unwrap().since_ms(due) < 500));
    let exact = schedule("0 12 * * *", "UTC").moments("UTC").unwrap();
    assert_eq!(exact.spread(due, 12_345), Ok(due));
}

#[test]
fn missed_moments_are_counted_up_to_a_bound() {
    let moments = schedule("* * * * *", "UTC").moments("UTC").unwrap();
    let due = at("2026-01-01T12:00:00Z");
    assert_eq!(moments.between(due, due), 0);
    assert_eq!(moments.between(due, due.plus_ms(10 * 60_000)), 10);
    assert_eq!(moments.between(due, due.plus_ms(10_000 * 60_000)), MISSED_MAX);
}
