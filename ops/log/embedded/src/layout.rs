//! Which partitions there are, numbered through.

use ports::log::{Partition, Stream};

/// The partitions of one log. A slot is the position of a partition among all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    partitions: u16,
}

impl Layout {
    pub(crate) const fn new(partitions: u16) -> Self {
        Self { partitions }
    }

    pub(crate) const fn partitions(self) -> u16 {
        self.partitions
    }

    pub(crate) fn slots(self) -> usize {
        2 + 2 * usize::from(self.partitions)
    }

    pub(crate) fn slot(self, partition: Partition) -> Option<usize> {
        let Partition { stream, number } = partition;
        let paired = usize::from(number) * 2 + 2;
        match stream {
            Stream::Config if number == 0 => Some(0),
            Stream::Keys if number == 0 => Some(1),
            Stream::Commands if number < self.partitions => Some(paired),
            Stream::Events if number < self.partitions => Some(paired + 1),
            Stream::Config | Stream::Keys | Stream::Commands | Stream::Events => None,
            // One process has the folder to itself.
            Stream::Cluster => None,
        }
    }
}

/// The number that stands for a stream in the files.
pub(crate) const fn code(stream: Stream) -> u8 {
    match stream {
        Stream::Config => 0,
        Stream::Commands => 1,
        Stream::Events => 2,
        Stream::Keys => 3,
        Stream::Cluster => 4,
    }
}

pub(crate) const fn stream(code: u8) -> Option<Stream> {
    match code {
        0 => Some(Stream::Config),
        1 => Some(Stream::Commands),
        2 => Some(Stream::Events),
        3 => Some(Stream::Keys),
        _ => None,
    }
}
