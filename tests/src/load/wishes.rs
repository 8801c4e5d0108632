//! What was wished of executions, and whether the log has just that.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Pauses and replays that were acknowledged.
#[derive(Default, Clone)]
pub(crate) struct Wishes {
    /// What replays of many repeat.
    pub(super) originals: BTreeSet<String>,
    pub(super) paused: BTreeSet<String>,
    pub(super) resumed: BTreeSet<String>,
    /// What began by single replays, with what each repeats.
    pub(super) replayed: BTreeMap<String, String>,
    /// Replays of many.
    pub(super) many: BTreeSet<String>,
    /// Answers that nobody should get.
    pub(super) odd: Vec<String>,
}

impl Wishes {
    /// What the log, as its reader tells, has otherwise than it was wished.
    pub(super) fn against(&self, log: &Value) -> Vec<String> {
        let mut found = self.odd.clone();
        for (wished, name) in [(&self.paused, "pauses"), (&self.resumed, "resumes")] {
            found.extend(otherwise(name, wished, &counts(&log[name])));
        }
        let replays = log["replays"].as_array().cloned().unwrap_or_default();
        let of = |replay: &Value| -> Vec<&Value> {
            replays.iter().filter(|one| one["replay"] == *replay).collect()
        };
        found.extend(self.single(&of(&Value::Null)));
        for id in &self.many {
            let mut repeated = BTreeMap::new();
            for one in of(&Value::from(id.as_str())) {
                *repeated.entry(text(&one["original"])).or_default() += 1;
            }
            found.extend(otherwise(&format!("replays by {id}"), &self.originals, &repeated));
        }
        let known = |one: &&Value| one["replay"].as_str().is_none_or(|id| self.many.contains(id));
        found.extend(replays.iter().filter(|one| !known(one)).map(|one| format!("unasked: {one}")));
        found
    }

    /// Each began one run, and no original was repeated by itself more often than that was asked.
    fn single(&self, replays: &[&Value]) -> Vec<String> {
        let mut begun: BTreeMap<(String, String), u64> = BTreeMap::new();
        for one in replays {
            *begun.entry((text(&one["execution"]), text(&one["original"]))).or_default() += 1;
        }
        let wished = self.replayed.clone().into_iter().collect();
        otherwise("replays", &wished, &begun)
    }
}

/// What is there not once, though it was wished; and what is there though it was not.
fn otherwise<T: Ord + std::fmt::Debug>(
    name: &str,
    wished: &BTreeSet<T>,
    found: &BTreeMap<T, u64>,
) -> Vec<String> {
    let count = |one: &T| found.get(one).copied().unwrap_or_default();
    let not_once = wished.iter().filter(|one| count(one) != 1);
    let unasked = found.keys().filter(|one| !wished.contains(one));
    let shown = not_once.chain(unasked);
    shown.map(|one| format!("{name}: {} of {one:?}", count(one))).collect()
}

fn counts(json: &Value) -> BTreeMap<String, u64> {
    let all = json.as_object().into_iter().flatten();
    all.map(|(id, count)| (id.clone(), count.as_u64().unwrap_or_default())).collect()
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Change = dyn Fn(&mut Value);

    fn wishes() -> Wishes {
        let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Wishes {
            originals: set(&["a", "b"]),
            paused: set(&["p", "q"]),
            resumed: set(&["p"]),
            replayed: [("n".to_owned(), "p".to_owned())].into(),
            many: set(&["m"]),
            odd: Vec::new(),
        }
    }

    fn log() -> Value {
        json!({
            "pauses": { "p": 1, "q": 1 },
            "resumes": { "p": 1 },
            "replays": [
                { "execution": "n", "original": "p", "replay": null },
                { "execution": "x", "original": "a", "replay": "m" },
                { "execution": "y", "original": "b", "replay": "m" },
            ],
        })
    }

    #[test]
    fn what_is_there_as_it_was_wished_is_nothing_to_tell() {
        assert_eq!(wishes().against(&log()), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_or_there_twice_is_told() {
        let found = |change: &Change| {
            let mut log = log();
            change(&mut log);
            wishes().against(&log)
        };
        let cases: [(&str, &Change); 7] = [
            ("pauses: 0 of \"q\"", &|log| log["pauses"] = json!({ "p": 1 })),
            ("pauses: 2 of \"q\"", &|log| log["pauses"]["q"] = json!(2)),
            ("resumes: 1 of \"q\"", &|log| log["resumes"]["q"] = json!(1)),
            ("replays: 0 of (\"n\", \"p\")", &|log| drop(log["replays"][0].take())),
            ("replays: 1 of (\"z\", \"p\")", &|log| log["replays"][0]["execution"] = json!("z")),
            ("replays by m: 2 of \"a\"", &|log| log["replays"][2]["original"] = json!("a")),
            ("replays by m: 0 of \"b\"", &|log| log["replays"][2]["replay"] = json!("other")),
        ];
        for (name, change) in cases {
            let found = found(change);
            assert!(found.iter().any(|one| one == name), "{name}: {found:?}");
        }
    }
}
