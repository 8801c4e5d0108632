//! What a topic must be.

use crate::options::Options;
use ports::Stream;
use std::collections::BTreeMap;

/// Room for the headers of a record and of its batch, in bytes.
const OVERHEAD_BYTES: usize = 64 << 10;
/// How long the records of a node that has gone are kept, in milliseconds.
const CLUSTER_SEGMENT_MS: u64 = 600_000;

/// A topic that is there.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) partitions: usize,
    pub(super) copies: usize,
    pub(super) settings: BTreeMap<String, String>,
}

/// What is wrong with it.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) refusals: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// The largest message that a topic must take.
pub(super) fn message_bytes(options: &Options) -> usize {
    options.record_bytes_max + OVERHEAD_BYTES
}

/// What is set on a topic for what its stream is.
pub(super) fn settings(stream: Stream, commands_retention_ms: u64) -> Vec<(&'static str, String)> {
    let kept = ("retention.ms", "-1".to_owned());
    let all = ("retention.bytes", "-1".to_owned());
    let delete = ("cleanup.policy", "delete".to_owned());
    let compact = ("cleanup.policy", "compact".to_owned());
    match stream {
        Stream::Config | Stream::Events => vec![delete, kept, all],
        Stream::Commands => {
            vec![delete, ("retention.ms", commands_retention_ms.to_string()), all]
        }
        Stream::Keys => vec![compact],
        Stream::Cluster => vec![compact, ("segment.ms", CLUSTER_SEGMENT_MS.to_string())],
    }
}

/// Judges a topic by what its stream needs.
pub(super) fn judge(topic: &Found, stream: Stream, (count, options): (u16, &Options)) -> Judged {
    let mut judged = Judged::default();
    let name = &topic.name;
    if topic.partitions != usize::from(count) {
        judged.refusals.push(format!(
            "{name} has {} partitions, the log has {count}, and that never changes: restore the \
             topic, or use another kafka.prefix",
            topic.partitions
        ));
    }
    let is = |key: &str| topic.settings.get(key).map_or("", String::as_str);
    let compacted = is("cleanup.policy").contains("compact");
    match stream {
        Stream::Keys | Stream::Cluster if !compacted || is("cleanup.policy").contains("delete") => {
            judged
                .refusals
                .push(format!("{name} loses records: set its cleanup.policy to compact"));
        }
        Stream::Config | Stream::Events | Stream::Commands if compacted => {
            judged.refusals.push(format!("{name} loses records: set its cleanup.policy to delete"));
        }
        Stream::Config | Stream::Events => {
            for key in ["retention.ms", "retention.bytes"] {
                if is(key) != "-1" {
                    let line = format!("{name} forgets events: set its {key} to -1");
                    judged.refusals.push(line);
                }
            }
        }
        Stream::Keys | Stream::Cluster | Stream::Commands => {}
    }
    let bytes = message_bytes(options);
    if is("max.message.bytes").parse().unwrap_or(0) < bytes {
        judged.refusals.push(format!("{name} refuses records: set max.message.bytes to {bytes}"));
    }
    let mut lossy = Vec::new();
    if is("unclean.leader.election.enable") == "true" {
        lossy.push(format!("{name} may lose records: set unclean.leader.election.enable to false"));
    }
    if is("min.insync.replicas").parse().unwrap_or(0) < 2 {
        lossy.push(format!("{name} may lose records: set min.insync.replicas to 2"));
    }
    if topic.copies < 2 {
        let copies = topic.copies;
        lossy.push(format!("{name} may lose records: it has {copies} copy, give it three"));
    }
    match options.dev {
        true => judged.warnings.extend(lossy),
        false => judged.refusals.extend(lossy),
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(stream: Stream) -> Found {
        let mut settings: BTreeMap<String, String> = settings(stream, 1_000)
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        settings.insert("min.insync.replicas".into(), "2".into());
        settings.insert("max.message.bytes".into(), "10000000".into());
        Found { name: "m.topic".into(), partitions: 8, copies: 3, settings }
    }

    fn judged(found: &Found, stream: Stream, dev: bool) -> (usize, usize) {
        let options = Options { dev, ..Options::new("b", "m") };
        let judged = judge(found, stream, (8, &options));
        (judged.refusals.len(), judged.warnings.len())
    }

    #[test]
    fn what_is_made_is_right() {
        for stream in
            [Stream::Config, Stream::Commands, Stream::Events, Stream::Keys, Stream::Cluster]
        {
            assert_eq!(judged(&found(stream), stream, false), (0, 0), "{stream:?}");
        }
    }

    #[test]
    fn what_loses_records_is_refused() {
        let spoilt = |stream, key: &str, value: &str| {
            let mut found = found(stream);
            found.settings.insert(key.into(), value.into());
            judged(&found, stream, false)
        };
        assert_eq!(spoilt(Stream::Events, "cleanup.policy", "compact").0, 1);
        assert_eq!(spoilt(Stream::Events, "retention.ms", "604800000").0, 1);
        assert_eq!(spoilt(Stream::Keys, "cleanup.policy", "compact,delete").0, 1);
        assert_eq!(spoilt(Stream::Commands, "max.message.bytes", "1000").0, 1);
        assert_eq!(
            judged(&Found { partitions: 9, ..found(Stream::Events) }, Stream::Events, true).0,
            1
        );
    }

    #[test]
    fn what_may_lose_records_is_for_development_only() {
        let mut found = Found { copies: 1, ..found(Stream::Events) };
        found.settings.insert("min.insync.replicas".into(), "1".into());
        found.settings.insert("unclean.leader.election.enable".into(), "true".into());
        assert_eq!(judged(&found, Stream::Events, false), (3, 0));
        assert_eq!(judged(&found, Stream::Events, true), (0, 3));
    }
}
