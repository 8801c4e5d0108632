//! One measured number beside what it must be.

use serde::Serialize;
use std::process::ExitCode;

/// Which way is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Better {
    Higher,
    Lower,
}

/// One number.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    row: u8,
    name: String,
    /// `None`: it could not be measured; `conditions` says why.
    value: Option<f64>,
    unit: &'static str,
    better: Better,
    /// What it must reach; `None` for what is only told.
    must: Option<f64>,
    aim: Option<f64>,
    conditions: String,
}

impl Figure {
    /// A number that is only told.
    pub(super) fn told(
        row: u8,
        name: &str,
        (value, unit): (f64, &'static str),
        better: Better,
    ) -> Self {
        let (must, aim) = (None, None);
        let value = Some((value * 1_000.0).round() / 1_000.0);
        Self { row, name: name.into(), value, unit, better, must, aim, conditions: String::new() }
    }

    /// What the number must reach, and what it should.
    pub(super) fn against(mut self, must: f64, aim: Option<f64>) -> Self {
        (self.must, self.aim) = (Some(must), aim);
        self
    }

    /// Under which conditions it was measured.
    pub(super) fn under(mut self, conditions: &str) -> Self {
        self.conditions = conditions.to_owned();
        self
    }

    /// The same number, of a log on Kafka.
    pub(super) fn on_kafka(mut self) -> Self {
        self.name.push_str(", on Kafka");
        (self.must, self.aim) = (None, None);
        self
    }

    /// What the number must reach, and why.
    pub(super) fn must(&mut self, must: f64, why: &str) {
        self.must = Some(must);
        self.conditions = format!("{why}; {}", self.conditions);
    }

    /// What was measured.
    pub(super) fn value(&self) -> Option<f64> {
        self.value
    }

    /// A row that could not be measured.
    pub(super) fn failed(row: u8, error: &anyhow::Error) -> Self {
        let told = Self::told(row, "not measured", (0.0, ""), Better::Higher);
        Self { value: None, ..told }.under(&format!("{error:#}"))
    }

    /// Whether it is what it must be. What is only told always is.
    fn is_reached(&self) -> bool {
        match (self.value, self.must) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(value), Some(must)) => self.meets(value, must),
        }
    }

    fn meets(&self, value: f64, bound: f64) -> bool {
        match self.better {
            Better::Higher => value >= bound,
            Better::Lower => value <= bound,
        }
    }

    fn verdict(&self) -> &'static str {
        match (self.is_reached(), self.must, self.value.zip(self.aim)) {
            (false, _, _) => "NOT REACHED",
            (true, None, _) => "",
            (true, Some(_), Some((value, aim))) if self.meets(value, aim) => "aim reached",
            (true, Some(_), _) => "reached",
        }
    }

    /// Prints it as a line of the table.
    pub(super) fn print(&self) {
        let shown = |number: Option<f64>| number.map_or("-".to_owned(), shown);
        println!(
            "{:>3}  {:<44} {:>11} {:<8} must {:>9}  aim {:>9}  {}",
            self.row,
            self.name,
            shown(self.value),
            self.unit,
            shown(self.must),
            shown(self.aim),
            self.verdict()
        );
        println!("     {}", self.conditions);
    }
}

fn shown(number: f64) -> String {
    if number.abs() >= 1_000.0 { format!("{number:.0}") } else { format!("{number:.2}") }
}

/// Says what is not reached; the exit code is 0 only if that is nothing.
pub(super) fn conclude(figures: &[Figure]) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for figure in figures.iter().filter(|figure| !figure.is_reached()) {
        println!("not reached: row {}, {}", figure.row, figure.name);
        code = ExitCode::FAILURE;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_compared_in_the_direction_that_is_better() {
        let rate = Figure::told(1, "rate", (10.0, "1/s"), Better::Higher);
        assert!(rate.clone().against(10.0, Some(20.0)).is_reached());
        assert!(!rate.clone().against(10.1, None).is_reached());
        let time = Figure::told(1, "time", (10.0, "ms"), Better::Lower);
        assert!(time.clone().against(10.0, None).is_reached());
        assert!(!time.against(9.9, None).is_reached());
        assert!(rate.is_reached());
        assert!(!Figure::failed(1, &anyhow::anyhow!("why")).is_reached());
    }
}
