//! What the system tells about processes.

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

/// How many cores the node and the load use.
pub(super) struct Meter {
    node: u32,
    since: Instant,
    before: (Duration, Duration),
}

impl Meter {
    pub(super) fn start(node: u32) -> Result<Self> {
        let before = (cpu(&node.to_string())?.0, cpu("self")?.0);
        Ok(Self { node, since: Instant::now(), before })
    }

    /// Cores in use since the start, for people.
    pub(super) fn read(&self) -> Result<String> {
        let wall = self.since.elapsed().as_secs_f64();
        let node = cpu(&self.node.to_string())?.0.saturating_sub(self.before.0).as_secs_f64();
        let own = cpu("self")?.0.saturating_sub(self.before.1).as_secs_f64();
        Ok(format!("the node used {:.2} cores, the load {:.2}", node / wall, own / wall))
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
