//! When a schedule is due.
//!
//! A cron pattern in a time zone, read as Vixie cron reads it where clocks change: what names an
//! hour runs once a day, right behind a gap if it falls into one, and in the first of two hours
//! that are called the same; what repeats within the hour follows the clock on the wall.

use super::template::{Unresolved, has_braces, resolve};
use super::{Missed, Schedule, Scope};
use crate::time::Timestamp;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The zone of schedules that name none (behaviours.md 11).
pub const ZONE: &str = "America/Los_Angeles";

/// Moments of one schedule may come so much later than they are due, so that those of many users do
/// not come at once, in milliseconds: up to a minute, and up to a tenth of the way to the next.
const SPREAD_MS_MAX: i64 = 60_000;
/// The share of the way to the next moment that is spread over.
const SPREAD_SHARE: i64 = 10;

/// Moments that are counted as missed.
const MISSED_MAX: i32 = 1_000;

/// A moment of a schedule that is skipped if missed is missed after so long, in milliseconds.
pub const MISSED_AFTER_MS: i64 = 60_000;

/// Patterns that a thread keeps as it has read them.
const PATTERNS_MAX: usize = 256;

/// How large a time zone's name may be, in bytes.
const ZONE_BYTES_MAX: usize = 256;

/// Why a schedule has no moments.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unscheduled {
    /// The pattern is none.
    #[error("{0:?} is no cron pattern of five or six fields.")]
    CronInvalid(String),
    /// The pattern has no moment.
    #[error("{0:?} never comes.")]
    Never(String),
    /// There is no such zone.
    #[error("There is no time zone {0:?}.")]
    ZoneUnknown(String),
    /// The zone's variable has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
}

impl Unscheduled {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Unscheduled::CronInvalid(_) | Unscheduled::Never(_) => "SCHEDULE_INVALID",
            Unscheduled::ZoneUnknown(_) => "TIME_ZONE_UNKNOWN",
            Unscheduled::Unresolved(unresolved) => unresolved.code(),
        }
    }
}

/// A pattern as it was read.
#[derive(Clone)]
struct Pattern {
    cron: Arc<Cron>,
    words: Arc<str>,
}

thread_local! {
    // To read a pattern takes thirty times as long as to find its next moment, and the schedules of
    // thousands of users have the same. What is read depends on the text alone.
    static PATTERNS: RefCell<BTreeMap<String, Pattern>> = RefCell::default();
}

impl Pattern {
    fn of(text: &str) -> Result<Self, Unscheduled> {
        if let Some(known) = PATTERNS.with_borrow(|known| known.get(text).cloned()) {
            return Ok(known);
        }
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed);
        let cron = parser.build().parse(text);
        let cron = cron.map_err(|_| Unscheduled::CronInvalid(text.to_owned()))?;
        let words = cron.describe().trim_end_matches('.').into();
        let pattern = Self { cron: Arc::new(cron), words };
        PATTERNS.with_borrow_mut(|known| {
            if known.len() >= PATTERNS_MAX {
                known.clear();
            }
            known.insert(text.to_owned(), pattern.clone());
        });
        Ok(pattern)
    }
}

/// The moments of a schedule for one user.
pub struct Moments {
    cron: Arc<Cron>,
    zone: TimeZone,
    text: String,
    exact: bool,
}

impl Schedule {
    /// Whether the zone is the user's to say.
    pub fn follows_user(&self) -> bool {
        self.timezone.as_deref().is_some_and(has_braces)
    }

    /// The zone of a user.
    ///
    /// # Errors
    /// Its variable has no value, or one that is no text.
    pub fn zone(&self, scope: &Scope) -> Result<String, Unscheduled> {
        let Some(zone) = &self.timezone else { return Ok(ZONE.to_owned()) };
        match resolve(&Value::String(zone.clone()), scope, ZONE_BYTES_MAX)? {
            Value::String(zone) => Ok(zone),
            // Whoever never said where they are is where the seeds' schedules are.
            Value::Null => Ok(ZONE.to_owned()),
            other => Err(Unscheduled::ZoneUnknown(other.to_string())),
        }
    }

    /// The moments in a zone.
    ///
    /// # Errors
    /// The pattern or the zone is none.
    pub fn moments(&self, zone: &str) -> Result<Moments, Unscheduled> {
        let Pattern { cron, .. } = Pattern::of(&self.cron)?;
        let zone = TimeZone::get(zone).map_err(|_| Unscheduled::ZoneUnknown(zone.to_owned()))?;
        Ok(Moments { cron, zone, text: self.cron.clone(), exact: self.exact })
    }

    /// In words: `Every 5 minutes`.
    pub fn in_words(&self) -> String {
        Pattern::of(&self.cron)
            .map_or_else(|_| self.cron.clone(), |pattern| pattern.words.as_ref().to_owned())
    }

    /// Whether a moment that came so late is let go by.
    pub fn lets_go(&self, late_ms: i64) -> bool {
        self.missed == Missed::Skip && late_ms > MISSED_AFTER_MS
    }
}

impl Moments {
    /// The first moment after another.
    ///
    /// # Errors
    /// There is none.
    pub fn after(&self, at: Timestamp) -> Result<Timestamp, Unscheduled> {
        let never = || Unscheduled::Never(self.text.clone());
        let at = jiff::Timestamp::from_millisecond(at.0).map_err(|_| never())?;
        let next = self.cron.find_next_occurrence(&at.to_zoned(self.zone.clone()), false);
        next.map(|next| Timestamp(next.timestamp().as_millisecond())).map_err(|_| never())
    }

    /// When a moment comes for one of many, who is told from the others by `lot`.
    ///
    /// # Errors
    /// As [`Moments::after`].
    pub fn spread(&self, due: Timestamp, lot: u64) -> Result<Timestamp, Unscheduled> {
        if self.exact {
            return Ok(due);
        }
        let apart = self.after(due)?.since_ms(due);
        let room = (apart / SPREAD_SHARE).clamp(1, SPREAD_MS_MAX);
        Ok(due.plus_ms((lot % room.unsigned_abs()) as i64))
    }

    /// How many moments there are after one and up to another; a thousand at most.
    pub fn between(&self, after: Timestamp, until: Timestamp) -> i32 {
        let mut at = after;
        for count in 0..MISSED_MAX {
            match self.after(at) {
                Ok(next) if next <= until => at = next,
                Ok(_) | Err(_) => return count,
            }
        }
        MISSED_MAX
    }
}

#[cfg(test)]
mod tests;
