//! Paginated requests: each page is a record, so that a crash goes on at the page.

use super::StepKind;
use crate::id::{ExecutionId, StepId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A paginated request got a page, and there are more.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "PageFetched")]
pub struct PageFetched {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// Position of the step in its version, from 0.
    pub index: i32,
    /// What kind of step it is.
    pub kind: StepKind,
    /// The page, from 0.
    pub page: i32,
    /// The attempt that got it, from 1; pages count on.
    pub attempt: i32,
    /// When the attempt began.
    pub started_at: Timestamp,
    /// HTTP status, where there was one.
    pub status: Option<i32>,
    /// Bytes of the input.
    pub input_size: i32,
    /// Bytes of the output.
    pub output_size: i32,
    /// Input and output, as of a step; the output has the results of the page and the token of the
    /// next.
    pub sealed: Payload,
}
