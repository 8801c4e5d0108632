//! Planted bugs, compiled only with the feature `canary`: a simulation that does not find them is
//! blind. Each is one deviation, at the place that asks [`planted`].

use std::sync::OnceLock;

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Canary {
    /// Readers take what an older owner writes late.
    IgnoredEpoch,
    /// The log acknowledges what may never land.
    UnsyncedAppend,
    /// A step takes a second outcome.
    RepeatedOutcome,
    /// A Tell that came before is decided again.
    RepeatedTell,
    /// Who takes over lets nothing out that the owner before may not have told.
    ForgottenTell,
    /// Rows that were only folded say that everything was told.
    OverstatedMark,
    /// A timer that has fired fires again.
    RepeatedTimer,
    /// A schedule fires for a moment that it does not wait for any more.
    StaleMoment,
    /// A schedule waits again for the moment that it has fired for.
    RepeatedMoment,
    /// A project's budget lends one slot more than there are.
    OverlentBudget,
    /// An ask for slots is decided though a later one of its lane was.
    OvertakenAsk,
    /// An acknowledged decision is taken to stand.
    TrustedAppend,
    /// A follower takes everything for told that it folds.
    TrustingFollower,
    /// Steps begin that the log does not know of.
    UnrecordedStart,
    /// Who takes over does not count what is under way.
    ForgottenStart,
    /// A decision that names no command stands a second time.
    RepeatedHandover,
}

impl Canary {
    /// Every planted bug.
    pub const ALL: [Self; 16] = [
        Self::IgnoredEpoch,
        Self::UnsyncedAppend,
        Self::RepeatedOutcome,
        Self::RepeatedTell,
        Self::ForgottenTell,
        Self::OverstatedMark,
        Self::RepeatedTimer,
        Self::StaleMoment,
        Self::RepeatedMoment,
        Self::OverlentBudget,
        Self::OvertakenAsk,
        Self::TrustedAppend,
        Self::TrustingFollower,
        Self::UnrecordedStart,
        Self::ForgottenStart,
        Self::RepeatedHandover,
    ];

    /// How people name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::IgnoredEpoch => "ignored-epoch",
            Self::UnsyncedAppend => "unsynced-append",
            Self::RepeatedOutcome => "repeated-outcome",
            Self::RepeatedTell => "repeated-tell",
            Self::ForgottenTell => "forgotten-tell",
            Self::OverstatedMark => "overstated-mark",
            Self::RepeatedTimer => "repeated-timer",
            Self::StaleMoment => "stale-moment",
            Self::RepeatedMoment => "repeated-moment",
            Self::OverlentBudget => "overlent-budget",
            Self::OvertakenAsk => "overtaken-ask",
            Self::TrustedAppend => "trusted-append",
            Self::TrustingFollower => "trusting-follower",
            Self::UnrecordedStart => "unrecorded-start",
            Self::ForgottenStart => "forgotten-start",
            Self::RepeatedHandover => "repeated-handover",
        }
    }
}

static PLANTED: OnceLock<Canary> = OnceLock::new();

/// Plants a bug for the rest of the process. Only the first call counts.
pub fn plant(canary: Canary) {
    PLANTED.get_or_init(|| canary);
}

/// Whether the bug is planted.
pub fn planted(canary: Canary) -> bool {
    PLANTED.get() == Some(&canary)
}
