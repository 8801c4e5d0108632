use super::*;
use crate::workflow::Scope;
use crate::workflow::template::Unresolved;
use proptest::prelude::*;
use serde_json::json;

fn rule(left: Value, operator: Operator, right: Value) -> Condition {
    Condition::Rule(Rule { left, operator, right })
}

fn scope() -> Scope {
    let trigger = json!({ "none": null, "five": 5, "list": ["a", "b"], "void": [] });
    let secrets = [("FIVE".to_owned(), "5".to_owned())].into();
    Scope { trigger, secrets, ..Scope::default() }
}

fn holds(left: Value, operator: Operator, right: Value) -> bool {
    evaluate(&rule(left, operator, right), &scope()).unwrap()
}

/// Each operator with its opposite.
const OPPOSITES: [(Operator, Operator); 9] = [
    (Operator::Contains, Operator::DoesNotContain),
    (Operator::ExactlyMatches, Operator::DoesNotExactlyMatch),
    (Operator::IsIn, Operator::IsNotIn),
    (Operator::StartsWith, Operator::DoesNotStartWith),
    (Operator::EndsWith, Operator::DoesNotEndWith),
    (Operator::Equals, Operator::DoesNotEqual),
    (Operator::IsNull, Operator::IsNotNull),
    (Operator::Exists, Operator::DoesNotExist),
    (Operator::IsEmpty, Operator::IsNotEmpty),
];

fn check(cases: &[(Value, Operator, Value, bool)]) {
    for (left, operator, right, expected) in cases {
        let actual = holds(left.clone(), *operator, right.clone());
        assert_eq!(actual, *expected, "{left} {operator:?} {right}");
    }
}

#[test]
fn texts_compare_as_text() {
    use Operator::*;
    check(&[
        (json!("[\"a\",\"b\",\"c\"]"), Contains, json!("a"), true),
        (json!("[\"a\",\"b\",\"c\"]"), DoesNotContain, json!("d"), true),
        (json!("abc"), Contains, json!(""), true),
        (json!("abc"), Contains, json!("B"), false),
        (json!(1234), Contains, json!("23"), true),
        (json!("{{1.list}}"), Contains, json!("b"), true),
        (json!(["ab", 5]), Contains, json!("a"), false),
        (json!(["ab", 5]), Contains, json!(5), true),
        (json!({ "a": 1 }), Contains, json!("a"), false),
        (json!(null), DoesNotContain, json!("a"), true),
        (json!("5"), ExactlyMatches, json!(5), true),
        (json!("{{1.five}}"), ExactlyMatches, json!("5"), true),
        (json!("{{secrets.FIVE}}"), ExactlyMatches, json!("{{1.five}}"), true),
        (json!("5 "), ExactlyMatches, json!("5"), false),
        (json!([1, 2]), ExactlyMatches, json!([1, 2]), true),
        (json!({ "a": 1 }), ExactlyMatches, json!({ "a": 2 }), false),
        (json!("{{1.gone}}"), ExactlyMatches, json!(""), false),
        (json!("abc"), StartsWith, json!("ab"), true),
        (json!("abc"), DoesNotStartWith, json!("bc"), true),
        (json!("abc"), EndsWith, json!("bc"), true),
        (json!("abc"), DoesNotEndWith, json!("ab"), true),
        (json!("b"), SortsAfter, json!("a"), true),
        (json!("B"), SortsBefore, json!("a"), true),
        (json!("a"), SortsBefore, json!(null), false),
    ]);
}

#[test]
fn a_list_is_an_array_or_its_json_or_text_with_commas() {
    use Operator::*;
    check(&[
        (json!("b"), IsIn, json!("{{1.list}}"), true),
        (json!("b"), IsIn, json!("a, b,c"), true),
        (json!("b"), IsIn, json!("[\"a\", \"b\"]"), true),
        (json!(5), IsIn, json!([5]), true),
        (json!("5"), IsIn, json!([5]), true),
        (json!(5), IsIn, json!(5), true),
        (json!("[a"), IsIn, json!("[a,b"), true),
        (json!(""), IsIn, json!(""), false),
        (json!("ab"), IsIn, json!("abc"), false),
        (json!(null), IsIn, json!(["a"]), false),
        (json!("d"), IsNotIn, json!("a, b,c"), true),
        (json!("d"), IsNotIn, json!("{{1.gone}}"), true),
    ]);
}

#[test]
fn numbers_compare_as_numbers_when_all_of_a_text_is_one() {
    use Operator::*;
    check(&[
        (json!("5"), Equals, json!(5), true),
        (json!(" 5.0 "), Equals, json!(5), true),
        (json!("{{secrets.FIVE}}"), Equals, json!(5), true),
        (json!("10"), GreaterThan, json!("9"), true),
        (json!(9), LessThan, json!("1e1"), true),
        (json!(5), AtLeast, json!(5), true),
        (json!(5), AtMost, json!(4.9), false),
        (json!("5 apples"), Equals, json!(5), false),
        (json!("5 apples"), DoesNotEqual, json!(5), true),
        (json!("abc"), GreaterThan, json!(5), false),
        (json!("abc"), LessThan, json!(5), false),
        (json!("inf"), GreaterThan, json!(5), false),
        (json!("nan"), Equals, json!("nan"), false),
        (json!(""), Equals, json!(0), false),
        (json!(true), Equals, json!(1), false),
        (json!(null), LessThan, json!(1), false),
        (json!(9_007_199_254_740_993_i64), GreaterThan, json!(9_007_199_254_740_992_i64), true),
        (json!(u64::MAX), Equals, json!("18446744073709551615"), true),
    ]);
}

#[test]
fn moments_compare_across_zones_and_forms() {
    use Operator::*;
    let noon_ms = json!(1_709_208_000_000_i64);
    for same in [
        json!("2024-02-29T12:00:00Z"),
        json!("2024-02-29T12:00:00.000Z"),
        json!("2024-02-29T12:00"),
        json!("2024-02-29 12:00:00"),
        json!("2024-02-29t12:00:00z"),
        json!("2024-02-29T14:00:00+02:00"),
        json!("2024-02-29T14:00+0200"),
        json!("2024-02-29T07:00:00-05"),
        json!("20240229T120000Z"),
        json!("1709208000000"),
        noon_ms.clone(),
    ] {
        assert!(holds(same.clone(), DateEquals, noon_ms.clone()), "{same}");
        assert!(!holds(same.clone(), After, noon_ms.clone()), "{same}");
        assert!(!holds(same.clone(), Before, noon_ms.clone()), "{same}");
    }
    check(&[
        (json!("2024-03-01"), After, noon_ms.clone(), true),
        (json!("2024-02-29"), Before, noon_ms.clone(), true),
        (json!("20240229"), DateEquals, json!("2024-02-29"), true),
        (json!("2024"), DateEquals, json!("2024-01-01T00:00:00Z"), true),
        (json!("2024-02"), DateEquals, json!("2024-02-01"), true),
        (json!("2024-02-30"), Before, noon_ms.clone(), false),
        (json!("2024-02-30"), After, noon_ms.clone(), false),
        (json!("yesterday"), Before, noon_ms.clone(), false),
        (json!("2024-02-29T12:00:00+99:00"), Before, noon_ms.clone(), false),
        (json!(1e300), After, noon_ms, false),
        (json!(null), Before, json!("2024-01-01"), false),
    ]);
}

#[test]
fn booleans_null_and_emptiness_have_one_side() {
    use Operator::*;
    let missing = || json!("{{1.gone}}");
    let none = || json!("{{1.none}}");
    check(&[
        (json!(true), IsTrue, json!(null), true),
        (json!(" TRUE"), IsTrue, json!(null), true),
        (json!(1), IsTrue, json!(null), false),
        (json!("false"), IsFalse, json!(null), true),
        (none(), IsFalse, json!(null), false),
        (none(), IsNull, json!(null), true),
        (missing(), IsNull, json!(null), false),
        (missing(), IsNotNull, json!(null), true),
        (json!(0), Exists, json!(null), true),
        (none(), Exists, json!(null), false),
        (missing(), DoesNotExist, json!(null), true),
        (json!("{{1.void}}"), IsEmpty, json!(null), true),
        (json!("{{1.list}}"), IsNotEmpty, json!(null), true),
        (missing(), IsEmpty, json!(null), true),
        (none(), IsEmpty, json!(null), true),
        (json!(""), IsEmpty, json!(null), true),
        (json!({}), IsEmpty, json!(null), true),
        (json!(0), IsEmpty, json!(null), false),
        (json!("{{settings}}"), IsEmpty, json!(null), true),
    ]);
}

#[test]
fn and_of_nothing_holds_and_or_of_nothing_does_not() {
    assert_eq!(evaluate(&Condition::All(vec![]), &scope()), Ok(true));
    assert_eq!(evaluate(&Condition::Any(vec![]), &scope()), Ok(false));
}

#[test]
fn and_and_or_stop_at_the_rule_that_decides() {
    let yes = || rule(json!(1), Operator::Equals, json!(1));
    let no = || rule(json!(1), Operator::Equals, json!(2));
    let gone = || rule(json!("{{secrets.GONE}}"), Operator::Exists, json!(null));
    assert_eq!(evaluate(&Condition::Any(vec![no(), yes(), gone()]), &scope()), Ok(true));
    assert_eq!(evaluate(&Condition::All(vec![yes(), no(), gone()]), &scope()), Ok(false));
    let unknown = Undecided::Unresolved(Unresolved::UnknownSecret("GONE".into()));
    assert_eq!(evaluate(&Condition::All(vec![yes(), gone()]), &scope()), Err(unknown));
}

#[test]
fn conditions_are_bounded() {
    let deep =
        |depth: usize| (0..depth).fold(Condition::All(vec![]), |c, _| Condition::All(vec![c]));
    assert_eq!(evaluate(&deep(CONDITION_DEPTH_MAX), &scope()), Ok(true));
    assert_eq!(evaluate(&deep(CONDITION_DEPTH_MAX + 1), &scope()), Err(Undecided::TooDeep));
    let wide =
        |count: usize| Condition::All(vec![rule(json!(1), Operator::Exists, json!(0)); count]);
    assert_eq!(evaluate(&wide(RULES_MAX), &scope()), Ok(true));
    assert_eq!(evaluate(&wide(RULES_MAX + 1), &scope()), Err(Undecided::TooManyRules));
}

#[test]
fn wire_names_come_back_and_the_trap_is_kept() {
    for operator in Operator::ALL {
        assert_eq!(Operator::from_wire(operator.wire()), Some(*operator));
    }
    assert_eq!(Operator::from_wire("$exists"), Some(Operator::IsNotNull));
    assert_eq!(Operator::from_wire("$doesNotExist"), Some(Operator::IsNull));
    assert_eq!(Operator::from_wire("$isNotUndefinedOrNull"), Some(Operator::Exists));
    assert_eq!(Operator::from_wire("$isUndefinedOrNull"), Some(Operator::DoesNotExist));
    assert_eq!(Operator::from_wire("$none"), None);
}

#[test]
fn a_condition_is_stored_as_it_was() {
    let condition = Condition::Any(vec![Condition::All(vec![rule(
        json!("{{1.event.status}}"),
        Operator::ExactlyMatches,
        json!("open"),
    )])]);
    let json = r#"{"any":[{"all":[{"rule":{"left":"{{1.event.status}}","operator":"exactly_matches","right":"open"}}]}]}"#;
    assert_eq!(serde_json::to_string(&condition).unwrap(), json);
    assert_eq!(serde_json::from_str::<Condition>(json).unwrap(), condition);
}

fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[-+0-9TZ:. ,\\[\\]\"e]{0,24}".prop_map(Value::from),
        "\\{\\{1\\.(five|list|none|gone)\\}\\}".prop_map(Value::from),
        Just(json!(["a", 1, null])),
        Just(json!({ "a": "{{1.five}}" })),
    ]
}

proptest! {
    #[test]
    fn evaluating_never_panics_and_not_is_the_opposite(left in operand(), right in operand()) {
        for operator in Operator::ALL {
            let _ = evaluate(&rule(left.clone(), *operator, right.clone()), &scope());
        }
        for (positive, negative) in OPPOSITES {
            let one = evaluate(&rule(left.clone(), positive, right.clone()), &scope());
            let other = evaluate(&rule(left.clone(), negative, right.clone()), &scope());
            prop_assert_eq!(one, other.map(|holds| !holds));
        }
    }

    #[test]
    fn of_two_moments_one_is_earlier_or_both_are_equal(a in -4e12f64..4e12, b in -4e12f64..4e12) {
        use Operator::*;
        let held = [Before, DateEquals, After]
            .iter()
            .filter(|operator| holds(json!(a), **operator, json!(b)))
            .count();
        prop_assert_eq!(held, 1);
    }
}
