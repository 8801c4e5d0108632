//! What people are shown: rows that projections fold and the door serves.

mod delivery;
mod execution;

pub use delivery::{Deliveries, Delivery, DeliveryFilter, Replay};
pub use execution::{
    Attempt, Execution, ExecutionFilter, Executions, Run, Sort, Status, StepContents,
    StepExecution, StepType,
};
