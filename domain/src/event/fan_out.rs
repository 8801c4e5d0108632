//! Fan outs: the same steps for each item of an array. Each item is a run of its own, within the
//! run that fans out.

use super::Ending;
use crate::id::{ExecutionId, StepId};
use crate::payload::Payload;
use serde::{Deserialize, Serialize};

/// A step fans out; its items begin in pages, and the step ends when all of them have ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "FanOutStarted")]
pub struct FanOutStarted {
    /// The run that fans out.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// Items of the array.
    pub items: i32,
    /// Items of a page; the last one may have fewer.
    pub page_items: i32,
    /// Positions of the steps whose outputs later steps refer to as arrays.
    pub gathered: Vec<i32>,
    /// Bytes of the array.
    pub input_size: i32,
}

/// Some items of the array that a step fans out over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ItemsPaged")]
pub struct ItemsPaged {
    /// The run that fans out.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// The page, from 0.
    pub page: i32,
    /// The items, a JSON array.
    pub sealed: Payload,
}

/// The run of an item began.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "ItemStarted")]
pub struct ItemStarted {
    /// The run of the item.
    pub execution: ExecutionId,
    /// The run that fans out.
    pub parent: ExecutionId,
    /// The step that fans out.
    pub step: StepId,
    /// Position of that step in its version, from 0.
    pub index: i32,
    /// Place of the item in the array, from 0.
    pub number: i32,
    /// Bytes of the item.
    pub size: i32,
    /// The item as JSON.
    pub sealed: Payload,
}

/// The run of an item ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename = "ItemFinished")]
pub struct ItemFinished {
    /// The run of the item.
    pub execution: ExecutionId,
    /// The run that fans out.
    pub parent: ExecutionId,
    /// The step that fans out.
    pub step: StepId,
    /// Position of that step in its version, from 0.
    pub index: i32,
    /// Place of the item in the array, from 0.
    pub number: i32,
    /// How.
    pub ending: Ending,
    /// Why, as a public error code; empty when it succeeded.
    pub code: String,
    /// Metered tasks (behaviours.md 27); they count for the run that fans out.
    pub task_count: i32,
}
