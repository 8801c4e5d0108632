//! What the system tells about processes.

use super::stage::Stage;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// The kernel tells times of processes in hundredths of a second, whatever its own clock does.
const TICK: Duration = Duration::from_millis(10);

/// Memory that a process holds (VmRSS), in MiB.
pub(super) fn resident_mib(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(kib.trim().parse::<f64>()? / 1_024.0)
}

/// Time that a process has spent on CPUs: its own, and that of children that have ended.
fn cpu(pid: &str) -> Result<(Duration, Duration)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold spaces.
    let (_, rest) = stat.rsplit_once(')').context("not a stat line")?;
    let ticks = |place: usize| -> Result<u32> {
        Ok(rest.split_whitespace().nth(place).context("a short stat line")?.parse()?)
    };
    Ok((TICK * (ticks(11)? + ticks(12)?), TICK * (ticks(13)? + ticks(14)?)))
}

/// CPU time of this process's children that have ended.
pub(super) fn cpu_of_children() -> Result<Duration> {
    cpu("self").map(|(_, children)| children)
}

/// The load of the machine, for people.
pub(super) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minute = text.split(' ').next().unwrap_or_default();
    format!("load average {minute}")
}

/// How many cores the node, the load and, if there is one, the broker use.
pub(super) struct Meter {
    since: Instant,
    /// Who, and the time on CPUs before.
    parties: Vec<(&'static str, String, Duration)>,
}

impl Meter {
    pub(super) fn start(stage: &Stage) -> Result<Self> {
        let node = ("the node used", stage.pid()?.to_string());
        let broker = stage.broker.map(|pid| ("the broker", pid.to_string()));
        let all = [node, ("the load", "self".to_owned())].into_iter().chain(broker);
        let parties = all.map(|(name, pid)| Ok((name, pid.clone(), cpu(&pid)?.0)));
        Ok(Self { since: Instant::now(), parties: parties.collect::<Result<_>>()? })
    }

    /// Cores in use since the start, for people.
    pub(super) fn read(&self) -> Result<String> {
        let wall = self.since.elapsed().as_secs_f64();
        let used = self.parties.iter().map(|(name, pid, before)| {
            let cores = cpu(pid)?.0.saturating_sub(*before).as_secs_f64() / wall;
            Ok(format!("{name} {cores:.2}"))
        });
        Ok(used.collect::<Result<Vec<String>>>()?.join(", ") + " cores")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_about_this_process() {
        assert!(resident_mib(std::process::id()).unwrap() > 0.1);
        assert!(cpu("self").is_ok());
    }
}
