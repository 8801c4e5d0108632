//! A seeded world over the in-memory models.
//!
//! Nodes fight for partitions of a hostile log, crash, sleep and wake late; clients send commands
//! and note what was acknowledged; the outside fails, and answers late or never; schedules fire, and
//! the project is deployed with and without them. Then the faults end, everything comes to rest, days
//! pass, and what stands in the log is checked against what must hold. In one world of four no key shares a partition with another and no node owns two
//! partitions, so nothing can cross keys but by the log.
//! All of it follows from the seed.

mod audit;
mod client;
mod configs;
mod invariant;
mod layout;
mod node;
mod outbound;
mod poll;
mod project;
mod rest;
mod transcript;
mod world;

pub use invariant::Breach;

/// What to simulate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// Steps before the faults end.
    pub step_count: usize,
}

/// What a world that held did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// Commands that clients sent and that were acknowledged.
    pub acknowledged: usize,
    /// Executions that ended.
    pub finished: usize,
    /// Claims that won a partition.
    pub claims: usize,
    /// Attempts that reached the outside.
    pub attempts: usize,
    /// Attempts whose node was taken for dead.
    pub lost: usize,
    /// Steps that waited for an inactive integration.
    pub pauses: usize,
    /// Moments of schedules that came.
    pub moments: usize,
    /// Of these, those that came too late and started nothing.
    pub let_go: usize,
    /// 1 if every key lay on a partition of its own, and every partition on a node of its own.
    pub apart: usize,
}

/// Runs one world to its end and checks it.
///
/// # Errors
/// What does not hold.
pub fn run(plan: Plan) -> Result<Summary, Breach> {
    let mut world = world::World::new(plan)?;
    for _ in 0..plan.step_count {
        world.step()?;
    }
    world.keep_time()?;
    world.settle()?;
    world.ask_again()?;
    world.settle()?;
    world.pass_days()?;
    world.settle()?;
    invariant::check(&world)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_seeds_hold() {
        for seed in 0..20 {
            let plan = Plan { seed, step_count: 400 };
            if let Err(breach) = run(plan) {
                panic!("seed {seed}: {breach}");
            }
        }
    }

    #[test]
    fn worlds_hold_in_which_every_key_has_a_node_of_its_own() {
        for seed in (20..80).step_by(4) {
            match run(Plan { seed, step_count: 400 }) {
                Ok(summary) => assert_eq!(summary.apart, 1, "seed {seed}"),
                Err(breach) => panic!("seed {seed}: {breach}"),
            }
        }
    }

    #[test]
    fn a_seed_decides_everything() {
        let plan = Plan { seed: 7, step_count: 300 };
        assert_eq!(run(plan).ok(), run(plan).ok());
    }
}
