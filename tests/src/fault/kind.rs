//! The faults: what each needs, how it strikes and heals, and what callers may see of it.

use super::callers::Callers;
use super::errors::{Class, Seen};
use super::kafka::Ground;
use super::scene::Scene;
use anyhow::Result;
use clap::ValueEnum;
use std::time::{Duration, Instant};

/// How long a broker is gone, or a way cut, before it is mended.
const AWAY: Duration = Duration::from_secs(5);
/// How long a node is cut off: past every deadline of the door.
const CUT: Duration = Duration::from_secs(20);
/// How long a node is stopped: long enough to lose what it holds, and its callers.
const STOPPED: Duration = Duration::from_secs(25);
/// How long Kafka is away.
const KAFKA_AWAY: Duration = Duration::from_secs(60);

/// A fault of real processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum Fault {
    /// The broker is killed (SIGKILL), and restarted.
    BrokerKilled,
    /// One of three brokers is killed, and does not come back.
    OneOfThreeLost,
    /// One of three nodes is killed, and restarted.
    NodeKilled,
    /// One of three nodes is stopped (SIGSTOP), and goes on when others hold what it held.
    NodeStopped,
    /// One of three nodes leaves (SIGTERM), and comes back.
    NodeDrained,
    /// The network between one of three nodes and Kafka is cut, and mended.
    NetworkCut,
    /// The broker's disk is full; then there is room, and the broker is restarted.
    DiskFull,
    /// Kafka does nothing for a minute (SIGSTOP).
    KafkaAway,
}

/// When what happened.
pub(super) struct Course {
    /// The fault began.
    pub(super) struck_at: Instant,
    /// Nothing stands in the way any more.
    pub(super) mended_at: Instant,
    /// How long it took until the other nodes served everyone, while the fault lasted.
    pub(super) elsewhere: Option<Duration>,
}

impl Fault {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What stands between nodes and brokers.
    pub(super) fn ground(self) -> Ground {
        match self {
            Fault::OneOfThreeLost => Ground::Brokers(3),
            Fault::NetworkCut => Ground::Proxied,
            Fault::DiskFull => Ground::SmallDisk,
            Fault::BrokerKilled
            | Fault::NodeKilled
            | Fault::NodeStopped
            | Fault::NodeDrained
            | Fault::KafkaAway => Ground::Brokers(1),
        }
    }

    /// How many nodes there are.
    pub(super) fn nodes(self) -> usize {
        match self {
            Fault::BrokerKilled | Fault::OneOfThreeLost | Fault::DiskFull | Fault::KafkaAway => 2,
            Fault::NodeKilled | Fault::NodeStopped | Fault::NodeDrained | Fault::NetworkCut => 3,
        }
    }

    /// Strikes, holds, and mends.
    ///
    /// # Errors
    /// The fault cannot be brought about, or the other nodes do not serve.
    pub(super) async fn strike(self, scene: &mut Scene, callers: &Callers) -> Result<Course> {
        let struck_at = Instant::now();
        let mut elsewhere = None;
        match self {
            Fault::BrokerKilled => {
                scene.kafka.kill(0).await?;
                tokio::time::sleep(AWAY).await;
            }
            Fault::OneOfThreeLost => scene.kafka.kill(0).await?,
            Fault::NodeKilled => {
                scene.take_last()?.kill().await?;
                elsewhere = Some(scene.served(callers, &scene.others()).await?);
            }
            Fault::NodeStopped => {
                scene.last()?.freeze()?;
                elsewhere = Some(scene.served(callers, &scene.others()).await?);
                tokio::time::sleep(STOPPED.saturating_sub(struck_at.elapsed())).await;
            }
            Fault::NodeDrained => {
                let (node, others) = (scene.take_last()?, scene.others());
                let (gone, served) = tokio::join!(node.stop(), scene.served(callers, &others));
                gone?;
                elsewhere = Some(served?);
            }
            Fault::NetworkCut => {
                scene.kafka.proxy()?.cut();
                elsewhere = Some(scene.served(callers, &scene.others()).await?);
                tokio::time::sleep(CUT.saturating_sub(struck_at.elapsed())).await;
            }
            Fault::DiskFull => {
                scene.kafka.room()?.fill()?;
                scene.kafka.ended(0).await?;
                tokio::time::sleep(AWAY).await;
            }
            Fault::KafkaAway => {
                scene.kafka.freeze(0)?;
                tokio::time::sleep(KAFKA_AWAY).await;
            }
        }
        let mended_at = if self.is_lasting() { struck_at } else { Instant::now() };
        self.mend(scene, callers).await?;
        Ok(Course { struck_at, mended_at, elsewhere })
    }

    async fn mend(self, scene: &mut Scene, callers: &Callers) -> Result<()> {
        match self {
            Fault::OneOfThreeLost => {}
            Fault::BrokerKilled => scene.kafka.restart(0).await?,
            Fault::NodeKilled | Fault::NodeDrained => {
                let (n, to) = scene.restart_last().await?;
                callers.moved(n, to);
            }
            Fault::NodeStopped => scene.last()?.thaw()?,
            Fault::NetworkCut => scene.kafka.proxy()?.mend(),
            Fault::DiskFull => {
                scene.kafka.room()?.clear()?;
                scene.kafka.restart(0).await?;
            }
            Fault::KafkaAway => scene.kafka.thaw(0)?,
        }
        Ok(())
    }

    /// Whether nothing is mended: what is left must do.
    fn is_lasting(self) -> bool {
        self == Fault::OneOfThreeLost
    }

    /// What callers saw and should not have, and what they should have seen and did not.
    pub(super) fn surprises(self, seen: &Seen) -> Vec<String> {
        let odd = seen.counts.iter().filter(|(class, _)| !self.allows(class));
        let mut surprises: Vec<String> =
            odd.map(|(class, count)| format!("{count} times: {class}")).collect();
        let is_log_away = |class: &Class| matches!(class, Class::ComeBack(503, code) if code == "LOG_UNAVAILABLE");
        if self == Fault::KafkaAway && !seen.counts.keys().any(is_log_away) {
            surprises.push("no caller was told that the log is away (503, Retry-After)".to_owned());
        }
        if seen.given_up > 0 {
            surprises.push(format!("{} things were never acknowledged", seen.given_up));
        }
        surprises
    }

    fn allows(self, class: &Class) -> bool {
        match class {
            Class::ComeBack(..) | Class::Part(429 | 503, _) | Class::NotYet => true,
            // Of a process that ends or does not run, callers notice just that.
            Class::Unreachable | Class::Broken => {
                matches!(self, Fault::NodeKilled | Fault::NodeStopped | Fault::NodeDrained)
            }
            Class::Silent => self == Fault::NodeStopped,
            Class::Part(..) | Class::Odd(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_that_is_away_is_no_reason_to_refuse_or_to_break() {
        let seen = |class: Class| Seen { counts: [(class, 1)].into(), ..Seen::default() };
        let away = Class::ComeBack(503, "LOG_UNAVAILABLE".into());
        assert!(Fault::KafkaAway.surprises(&seen(away)).is_empty());
        let late = Class::ComeBack(503, "DECISION_LATE".into());
        assert_eq!(
            Fault::KafkaAway.surprises(&seen(late)).len(),
            1,
            "it is not said that it is away"
        );
        assert_eq!(Fault::BrokerKilled.surprises(&seen(Class::Broken)).len(), 1);
        assert!(Fault::NodeKilled.surprises(&seen(Class::Broken)).is_empty());
        for fault in Fault::value_variants() {
            assert!(!fault.surprises(&seen(Class::Odd("500".into()))).is_empty(), "{fault:?}");
        }
    }
}
