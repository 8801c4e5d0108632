//! When a delay is over.

use super::condition::finite;
use super::template::{Unresolved, resolve};
use super::{Delay, DelayUnit, Scope};
use crate::time::Timestamp;

/// The longest delay: 365 days, in milliseconds.
pub const DELAY_MS_MAX: i64 = 365 * 24 * 60 * 60 * 1_000;

/// How large a delay's value may be, in bytes.
const VALUE_BYTES_MAX: usize = 1_024;

/// Why a delay has no end.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Undelayable {
    /// Its value has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// Its value is neither a number nor text that is one.
    #[error("The delay is not a number.")]
    NotANumber,
    /// Its value is negative.
    #[error("The delay is negative.")]
    Negative,
    /// It is longer than [`DELAY_MS_MAX`].
    #[error("The delay is longer than 365 days.")]
    TooLong,
}

impl Undelayable {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Undelayable::Unresolved(unresolved) => unresolved.code(),
            Undelayable::NotANumber | Undelayable::Negative | Undelayable::TooLong => {
                "DELAY_INVALID"
            }
        }
    }
}

impl DelayUnit {
    /// How many milliseconds one of it has.
    pub fn millis(self) -> i64 {
        match self {
            DelayUnit::Seconds => 1_000,
            DelayUnit::Minutes => 60_000,
            DelayUnit::Hours => 3_600_000,
            DelayUnit::Days => 86_400_000,
        }
    }
}

/// When a delay that begins `now` is over. Fractions count, to the millisecond; none is over at
/// once.
///
/// # Errors
/// The value cannot be resolved, is no number, is negative or is longer than a year.
pub fn due(delay: &Delay, scope: &Scope, now: Timestamp) -> Result<Timestamp, Undelayable> {
    let value = resolve(&delay.value, scope, VALUE_BYTES_MAX)?;
    let count = finite(&value).ok_or(Undelayable::NotANumber)?;
    span_ms(count, delay.unit).map(|millis| now.plus_ms(millis))
}

/// How many milliseconds so many units are.
pub(crate) fn span_ms(count: f64, unit: DelayUnit) -> Result<i64, Undelayable> {
    let millis = (count * unit.millis() as f64).round();
    if count < 0.0 {
        return Err(Undelayable::Negative);
    }
    if millis > DELAY_MS_MAX as f64 {
        return Err(Undelayable::TooLong);
    }
    Ok(millis as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp(1_000_000);

    fn after(value: Value, unit: DelayUnit) -> Result<i64, Undelayable> {
        let scope = Scope { trigger: json!({ "event": { "wait": "5" } }), ..Scope::default() };
        due(&Delay { value, unit }, &scope, NOW).map(|at| at.since_ms(NOW))
    }

    #[test]
    fn five_minutes_are_the_same_as_a_number_as_text_and_as_a_variable() {
        assert_eq!(after(json!(5), DelayUnit::Minutes), Ok(300_000));
        assert_eq!(after(json!(" 5 "), DelayUnit::Minutes), Ok(300_000));
        assert_eq!(after(json!("{{1.event.wait}}"), DelayUnit::Minutes), Ok(300_000));
    }

    #[test]
    fn every_unit_has_its_length_and_fractions_count() {
        assert_eq!(after(json!(1.5), DelayUnit::Seconds), Ok(1_500));
        assert_eq!(after(json!(2), DelayUnit::Hours), Ok(7_200_000));
        assert_eq!(after(json!(365), DelayUnit::Days), Ok(DELAY_MS_MAX));
        assert_eq!(after(json!(0), DelayUnit::Days), Ok(0));
    }

    #[test]
    fn negative_absurd_and_wordy_delays_are_refused() {
        assert_eq!(after(json!(-1), DelayUnit::Seconds), Err(Undelayable::Negative));
        assert_eq!(after(json!(365.01), DelayUnit::Days), Err(Undelayable::TooLong));
        assert_eq!(after(json!(1e300), DelayUnit::Days), Err(Undelayable::TooLong));
        for wordy in [json!("soon"), json!("inf"), json!(""), json!(null), json!([1])] {
            assert_eq!(after(wordy, DelayUnit::Seconds), Err(Undelayable::NotANumber));
        }
        assert_eq!(
            after(json!("{{secrets.WAIT}}"), DelayUnit::Seconds),
            Err(Undelayable::Unresolved(Unresolved::UnknownSecret("WAIT".into())))
        );
    }
}
