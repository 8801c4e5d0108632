//! What is wrong in a file, where, and how to mend it.

use super::yaml::Place;

/// How many mistakes are told at once, at most.
pub const MISTAKES_MAX: usize = 100;

/// Mistakes that are looked at, at most, before the first [`MISTAKES_MAX`] of the file are told.
const FOUND_MAX: usize = 10_000;

/// One mistake. Shown as one line: `12:7 workflows[0].steps[2].delay.unit: <problem>; <mend>`.
/// It never quotes a value that may be secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mistake {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// Where in the document: `workflows[0].steps[2].delay.unit`; empty for the document itself.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = if self.path.is_empty() { "document" } else { &self.path };
        write!(f, "{}:{} {path}: {}; {}", self.line, self.column, self.problem, self.mend)
    }
}

/// Where in the document something stands: `workflows[0].steps[2]`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn key(&self, key: &str) -> Self {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if key.is_empty() || !key.chars().all(plain) {
            return Self(format!("{}[{}]", self.0, quoted(key)));
        }
        if self.0.is_empty() { Self(key.to_owned()) } else { Self(format!("{}.{key}", self.0)) }
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text as it is shown in a message: in quotes, on one line, not too long.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 60;
    if text.chars().count() <= SHOWN_CHARS_MAX {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    format!("{:?}", start + "…")
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(
        &mut self,
        at: Place,
        path: &Path,
        problem: impl Into<String>,
        mend: impl Into<String>,
    ) {
        if !self.is_full() {
            let (problem, mend) = (problem.into(), mend.into());
            let path = path.as_str().to_owned();
            self.0.push(Mistake { line: at.line, column: at.column, path, problem, mend });
        }
    }

    /// Whether further mistakes are not kept any more.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= FOUND_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something is wrong at a path or below it.
    pub(super) fn within(&self, path: &Path) -> bool {
        let path = path.as_str();
        self.0.iter().any(|mistake| {
            let rest = mistake.path.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// The mistakes in the order of the file.
    pub(super) fn sorted(mut self) -> Vec<Mistake> {
        self.0.sort();
        self.0.dedup();
        self.0.truncate(MISTAKES_MAX);
        self.0
    }
}

/// The known name that a wrong one is nearest to, if any is near.
pub(super) fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Likeness takes time by the square of the length, and no one mistypes a page.
    const LENGTH_MAX: usize = 100;
    if wrong.len() > LENGTH_MAX {
        return None;
    }
    let lower = wrong.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        // A word that was cut short or made longer is near as well.
        let shared = lower.len() >= 4 && (name.starts_with(&lower) || lower.starts_with(&name));
        let likeness = strsim::normalized_damerau_levenshtein(&lower, &name);
        if shared && name.len() >= 4 { likeness.max(LIKENESS_MIN) } else { likeness }
    };
    known
        .into_iter()
        .filter(|name| name.len() <= LENGTH_MAX)
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// From 0 (nothing in common) to 1 (equal).
const LIKENESS_MIN: f64 = 0.6;

/// "did you mean `x`?", if a known name is near; else what `otherwise` says.
pub(super) fn nearest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    near(wrong, known).map_or_else(otherwise, |name| format!("did you mean `{name}`?"))
}

/// "a, b or c".
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const NAMES_SHOWN_MAX: usize = 30;
    let names: Vec<&str> = names.into_iter().take(NAMES_SHOWN_MAX).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", rest.join(", "))
        }
    }
}
