//! Which topic a stream is.

use ports::{Error, Partition, Stream};

/// The topics of one log.
#[derive(Clone, Debug)]
pub(crate) struct Topics {
    names: [String; 5],
    /// Partitions of `commands` and of `events`.
    partitions: u16,
}

const STREAMS: [Stream; 5] =
    [Stream::Config, Stream::Commands, Stream::Events, Stream::Keys, Stream::Cluster];

impl Topics {
    pub(crate) fn new(prefix: &str, partitions: u16) -> Self {
        let names = STREAMS.map(|stream| format!("{prefix}.{}", stream.name()));
        Self { names, partitions }
    }

    /// Every stream with its topic and the number of its partitions.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Stream, &str, u16)> {
        STREAMS.iter().map(|stream| (*stream, self.name(*stream), self.count(*stream)))
    }

    pub(crate) fn name(&self, stream: Stream) -> &str {
        &self.names[index(stream)]
    }

    /// Where a record of this topic belongs.
    pub(crate) fn partition(&self, topic: &str, number: i32) -> Option<Partition> {
        let stream = STREAMS.into_iter().find(|stream| self.name(*stream) == topic)?;
        Some(Partition { stream, number: u16::try_from(number).ok()? })
    }

    /// The topic and the number of a partition that exists.
    pub(crate) fn place(&self, partition: Partition) -> Result<(&str, i32), Error> {
        let topic = self.name(partition.stream);
        if partition.number >= self.count(partition.stream) {
            let number = partition.number;
            return Err(Error::Corrupt(format!("{topic} has no partition {number}")));
        }
        Ok((topic, i32::from(partition.number)))
    }

    fn count(&self, stream: Stream) -> u16 {
        match stream {
            Stream::Config | Stream::Keys | Stream::Cluster => 1,
            Stream::Commands | Stream::Events => self.partitions,
        }
    }
}

fn index(stream: Stream) -> usize {
    match stream {
        Stream::Config => 0,
        Stream::Commands => 1,
        Stream::Events => 2,
        Stream::Keys => 3,
        Stream::Cluster => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_and_a_number_are_a_partition_and_back() {
        let topics = Topics::new("m.r", 8);
        for partition in [Partition::CONFIG, Partition::KEYS, Partition::events(7)] {
            let (topic, number) = topics.place(partition).expect("it exists");
            assert_eq!(topics.partition(topic, number), Some(partition));
        }
        assert!(topics.place(Partition::commands(8)).is_err());
        assert_eq!(topics.partition("m.r.other", 0), None);
        assert_eq!(topics.partition("other.events", 0), None);
    }
}
