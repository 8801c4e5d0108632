//! What comes back to a paginated request.

use crate::id::{ExecutionId, StepId};
use crate::payload::Payload;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The world's answer to a page of a paginated request, after which there are more. The first one
/// per attempt wins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename = "RecordPage")]
pub struct RecordPage {
    /// The run.
    pub execution: ExecutionId,
    /// The step.
    pub step: StepId,
    /// The attempt, from 1; pages count on.
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
