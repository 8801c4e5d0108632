//! What the readers of the newest records of a partition are about.
//!
//! Readers have no names: those of one partition count as one. It is *eager* while it waits in
//! `changed`, and from when it was woken or handed records until it asks again. An eager reader of
//! commands owes answers; by asking for more, or by appending events, it has given them.

use ports::log::Offset;

#[derive(Default)]
pub(super) struct Reader {
    /// How many wait in `changed`.
    waiting: u32,
    /// One has been woken or handed records, and has not asked again.
    busy: bool,
    /// Everything before this is answered.
    answered: Offset,
    /// Everything before this was handed out.
    handed: Offset,
}

impl Reader {
    /// It asks for records from here on.
    pub(super) fn ask(&mut self, from: Offset) {
        self.answered = self.answered.max(from);
    }

    /// It begins to wait.
    pub(super) fn wait(&mut self, from: Offset) {
        self.ask(from);
        self.waiting += 1;
        self.busy = false;
    }

    /// It waits no more.
    pub(super) fn leave(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// It has been woken.
    pub(super) fn attend(&mut self) {
        self.busy = true;
    }

    /// It gets records up to here.
    pub(super) fn hand(&mut self, end: Offset) {
        self.busy = true;
        self.handed = self.handed.max(end);
    }

    /// There was nothing for it.
    pub(super) fn rest(&mut self) {
        self.busy = false;
    }

    /// It has appended; true if that answers something.
    pub(super) fn answered(&mut self) -> bool {
        let answers = self.handed > self.answered;
        self.answered = self.answered.max(self.handed);
        answers
    }

    /// It is too slow to be waited for until it shows up again.
    pub(super) fn lapse(&mut self) {
        self.busy = false;
    }

    /// Whether waiting for it makes sense.
    pub(super) fn owes(&self, end: Offset) -> bool {
        (self.busy || self.waiting > 0) && self.answered < end
    }

    pub(super) fn has_seen(&self, start: Offset) -> bool {
        self.handed > start
    }
}
