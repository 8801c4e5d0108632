//! What people are shown: rows that projections fold and the door serves.

mod delivery;
mod execution;
mod parked;
mod usage;

pub use delivery::{Deliveries, Delivery, DeliveryFilter, Replay};
pub use execution::{
    Attempt, Execution, ExecutionFilter, Executions, ExecutionsReplay, Original, Run, Sort, Status,
    StepContents, StepExecution, StepType, Unkept,
};
pub use parked::Parked;
pub use usage::{Usage, UserUsage};
