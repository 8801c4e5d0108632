//! Up to where a log is taken, so that no effect is without its cause.
//!
//! A command may come from a decision in another partition (a Tell), a decision needs its command,
//! and both need the configuration that they saw.

use super::carry::Reader;
use anyhow::{Result, bail};
use domain::codec;
use domain::id::{CommandId, Telling};
use domain::meta::Meta;
use domain::time::Timestamp;
use ports::{Log, Offset, Partition, Stored};
use std::collections::{BTreeMap, VecDeque};

/// Ends of all partitions but `keys`, of which everything is taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cut(BTreeMap<Partition, Offset>);

impl Cut {
    /// Everything there is, of a log to which nobody writes.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn all(log: &dyn Log) -> Result<Self> {
        let partitions = Partition::all(log.partitions());
        let partitions = partitions.filter(|partition| *partition != Partition::KEYS);
        Ok(Self(looks(log, partitions).await?))
    }

    /// Everything there is now, while others write.
    ///
    /// Ends are looked at one after the other, so a Tell may be in front of its partition's end and
    /// the command that it comes from behind the end of another: then the cut is made in front of
    /// the Tell. Of the events, looked at last, what was decided of the commands in the cut counts.
    /// Nothing is left out that was there before the first look.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn now(log: &dyn Log) -> Result<Self> {
        let numbers = 0..log.partitions();
        let events = looks(log, numbers.clone().map(Partition::events)).await?;
        let early = looks(log, numbers.clone().map(Partition::commands)).await?;
        let mut ends = looks(log, numbers.map(Partition::commands)).await?;
        let mut tells = Vec::new();
        for (partition, from) in early {
            let mut walk = Walk::new(log, partition, (from, ends[&partition])).await?;
            while let Some((offset, meta)) = walk.next().await? {
                tells.extend(
                    CommandId::told(&meta.command_id).map(|tell| (partition, offset, tell)),
                );
            }
        }
        let is_early = |ends: &BTreeMap<Partition, Offset>, (partition, offset, tell): &Told| {
            let cause = ends.get(&Partition::commands(tell.partition));
            *offset < ends[partition] && cause.is_some_and(|end| tell.offset >= *end)
        };
        while let Some((partition, offset, _)) = tells.iter().find(|told| is_early(&ends, told)) {
            ends.insert(*partition, *offset);
        }
        for (partition, from) in events {
            let commands = ends[&Partition::commands(partition.number)];
            let until = log.end(partition).await?;
            let mut walk = Walk::new(log, partition, (from, until)).await?;
            walk.pass(|_, meta| meta.command_offset < commands).await?;
            ends.insert(partition, walk.at);
        }
        ends.insert(Partition::CONFIG, log.end(Partition::CONFIG).await?);
        Ok(Self(ends))
    }

    /// What of it was decided at a moment, and the commands that waited then.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn until(&self, log: &dyn Log, moment: Timestamp) -> Result<Self> {
        let mut seats = Vec::new();
        for number in 0..log.partitions() {
            seats.push(Seat::cut(log, number, (self, moment)).await?);
        }
        // Clocks differ: a command may seem to be older than the decision that it comes from.
        while let Some((number, wanted)) = missing(&seats) {
            let seat = &mut seats[usize::from(number)];
            let before = seat.decided;
            seat.decide(wanted).await?;
            if seat.decided == before {
                bail!("commands/{number} at {wanted} told another, and its decision is not there");
            }
        }
        let config = seats.iter().map(|seat| seat.config).max().unwrap_or(-1);
        let mut ends = BTreeMap::new();
        for seat in seats {
            ends.insert(Partition::events(seat.number), seat.events.at);
            let commands = seat.commands.at.max(seat.decided + 1);
            ends.insert(Partition::commands(seat.number), commands);
        }
        ends.insert(Partition::CONFIG, self.configuration(log, (moment, config)).await?);
        Ok(Self(ends))
    }

    /// The end of every partition.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (Partition, Offset)> {
        self.0.iter().map(|(partition, end)| (*partition, *end))
    }

    /// How many places it has.
    pub(crate) fn records(&self) -> u64 {
        self.0.values().map(|end| end.unsigned_abs()).sum()
    }

    fn end(&self, partition: Partition) -> Offset {
        self.0.get(&partition).copied().unwrap_or(0)
    }

    /// Where the configuration ends: behind what was decided at the moment, and what was used.
    async fn configuration(
        &self,
        log: &dyn Log,
        (moment, used): (Timestamp, Offset),
    ) -> Result<Offset> {
        let mut walk = Walk::new(log, Partition::CONFIG, (0, self.end(Partition::CONFIG))).await?;
        let mut end = 0;
        while let Some((offset, meta)) = walk.next().await? {
            let is_decision = meta.epoch > 0;
            if is_decision && meta.occurred_at > moment && offset > used {
                break;
            }
            if is_decision && meta.i + 1 == meta.n {
                end = offset + 1;
            }
        }
        Ok(end)
    }
}

/// A Tell, and where it stands.
type Told = (Partition, Offset, Telling);

/// Looks where partitions end, one after the other.
async fn looks(
    log: &dyn Log,
    partitions: impl Iterator<Item = Partition>,
) -> Result<BTreeMap<Partition, Offset>> {
    let mut ends = BTreeMap::new();
    for partition in partitions {
        ends.insert(partition, log.end(partition).await?);
    }
    Ok(ends)
}

/// A decision that the cut needs and does not have: its partition, and the offset of its command.
fn missing(seats: &[Seat<'_>]) -> Option<(u16, Offset)> {
    let told = seats.iter().flat_map(|seat| &seat.told);
    told.map(|(number, offset)| (*number, *offset)).find(|(number, offset)| {
        // The configuration tells no one, and is cut by itself.
        seats.get(usize::from(*number)).is_some_and(|seat| seat.decided < *offset)
    })
}

/// One partition of commands and of events.
struct Seat<'a> {
    number: u16,
    events: Walk<'a>,
    commands: Walk<'a>,
    /// The offset of the last command whose decision is in the cut; -1: none.
    decided: Offset,
    /// The highest offset of the configuration that was seen or used.
    config: Offset,
    /// By the partition that told: the last of its commands whose Tells are in the cut.
    told: BTreeMap<u16, Offset>,
}

impl<'a> Seat<'a> {
    /// Cut by time alone.
    async fn cut(log: &'a dyn Log, number: u16, (cut, moment): (&Cut, Timestamp)) -> Result<Self> {
        let (events, commands) = (Partition::events(number), Partition::commands(number));
        let mut seat = Self {
            number,
            events: Walk::new(log, events, (0, cut.end(events))).await?,
            commands: Walk::new(log, commands, (0, cut.end(commands))).await?,
            decided: -1,
            config: -1,
            told: BTreeMap::new(),
        };
        seat.take_events(|meta, _| meta.occurred_at <= moment).await?;
        seat.take_commands(|meta| meta.occurred_at <= moment).await?;
        Ok(seat)
    }

    /// Goes on until a command is decided.
    async fn decide(&mut self, wanted: Offset) -> Result<()> {
        self.take_events(|_, decided| decided < wanted).await?;
        self.take_commands(|_| false).await
    }

    /// Takes whole decisions while they are wanted; given what was decided before each.
    async fn take_events(&mut self, is_wanted: impl Fn(&Meta, Offset) -> bool) -> Result<()> {
        let (mut decided, mut config) = (self.decided, self.config);
        self.events
            .pass(|_, meta| {
                if meta.i == 0 && !is_wanted(meta, decided) {
                    return false;
                }
                decided = decided.max(meta.command_offset);
                config = config.max(meta.config_offset);
                true
            })
            .await?;
        (self.decided, self.config) = (decided, config);
        Ok(())
    }

    /// Takes what was decided, and what follows it while it is wanted.
    async fn take_commands(&mut self, is_wanted: impl Fn(&Meta) -> bool) -> Result<()> {
        let (decided, told, mut config) = (self.decided, &mut self.told, self.config);
        self.commands
            .pass(|offset, meta| {
                if offset > decided && !is_wanted(meta) {
                    return false;
                }
                config = config.max(meta.config_offset);
                if let Some(tell) = CommandId::told(&meta.command_id) {
                    let last = told.entry(tell.partition).or_insert(-1);
                    *last = tell.offset.max(*last);
                }
                true
            })
            .await?;
        self.config = config;
        Ok(())
    }
}

/// A walk along the envelopes of a partition.
struct Walk<'a> {
    reader: Reader<'a>,
    partition: Partition,
    at_hand: VecDeque<Stored>,
    /// Behind the last record that was passed; at first where the walk begins.
    at: Offset,
}

impl<'a> Walk<'a> {
    async fn new(log: &'a dyn Log, partition: Partition, range: (Offset, Offset)) -> Result<Self> {
        let reader = Reader::new(log, partition, range).await?;
        let at = range.0;
        Ok(Self { reader, partition, at_hand: VecDeque::new(), at })
    }

    /// Passes records as long as it is told to.
    async fn pass(&mut self, mut goes_on: impl FnMut(Offset, &Meta) -> bool) -> Result<()> {
        while let Some((offset, meta)) = self.peek().await? {
            if !goes_on(offset, &meta) {
                return Ok(());
            }
            self.at_hand.pop_front();
            self.at = offset + 1;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<(Offset, Meta)>> {
        let found = self.peek().await?;
        self.at_hand.pop_front();
        Ok(found)
    }

    async fn peek(&mut self) -> Result<Option<(Offset, Meta)>> {
        loop {
            let Some(first) = self.at_hand.front() else {
                match self.reader.next().await? {
                    Some(batch) => self.at_hand.extend(batch),
                    None => return Ok(None),
                }
                continue;
            };
            match codec::decode_meta(&first.record.value) {
                Ok((_, meta)) => return Ok(Some((first.offset, meta))),
                // A command that cannot be read is refused by its owner, and tells no one.
                Err(_) if domain::command::Command::has(first.record.headers.kind) => {
                    self.at_hand.pop_front();
                }
                Err(error) => bail!("{} at {}: {error}", self.partition, first.offset),
            }
        }
    }
}
