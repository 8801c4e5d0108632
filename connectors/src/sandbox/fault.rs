//! Why a function has no result.

/// Why a function has no result. The text may be shown to the people whose function it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// It threw, or is no function.
    #[error("{message}")]
    Failed {
        /// The error and the first lines of its stack.
        message: String,
    },
    /// It ran longer than allowed.
    #[error("the function ran longer than {timeout_ms} ms")]
    Timeout {
        /// What was allowed, in milliseconds.
        timeout_ms: u32,
    },
    /// It used more memory than allowed.
    #[error("the function needed more than {memory_bytes_max} bytes of memory")]
    Memory {
        /// What is allowed, in bytes.
        memory_bytes_max: usize,
    },
    /// Its result is larger than allowed.
    #[error("the function's result is larger than {bytes_max} bytes")]
    OutputTooLarge {
        /// What is allowed, in bytes of JSON.
        bytes_max: u64,
    },
    /// It waits for something that can never happen: no timer and no request of it is left.
    #[error("the function waits for a promise that nothing can resolve")]
    Stalled,
    /// There is no room for another call now.
    #[error("too many functions are waiting to run")]
    Busy,
    /// It was running when the process died, more than once.
    #[error("the function was running each time that the node crashed; it is not run again")]
    Fatal,
    /// The sandbox itself failed.
    #[error("the function could not be run")]
    Broken,
}

impl Fault {
    /// The public error code.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::Failed { .. } => "FUNCTION_FAILED",
            Fault::Timeout { .. } => "FUNCTION_TIMEOUT",
            Fault::Memory { .. } => "FUNCTION_MEMORY",
            Fault::OutputTooLarge { .. } => "FUNCTION_OUTPUT_TOO_LARGE",
            Fault::Stalled => "FUNCTION_STALLED",
            Fault::Busy => "FUNCTION_BUSY",
            Fault::Fatal => "FUNCTION_FATAL",
            Fault::Broken => "FUNCTION_BROKEN",
        }
    }

    /// Whether the same call could fare better later. A function that threw may have looked at the
    /// clock or at chance.
    pub fn is_retryable(&self) -> bool {
        match self {
            Fault::Failed { .. } | Fault::Timeout { .. } | Fault::Busy | Fault::Broken => true,
            Fault::Memory { .. } | Fault::OutputTooLarge { .. } | Fault::Stalled | Fault::Fatal => {
                false
            }
        }
    }

    /// Whether what the function ran in may go on being used.
    pub(super) fn leaves_order(&self) -> bool {
        match self {
            Fault::Failed { .. } | Fault::OutputTooLarge { .. } => true,
            Fault::Timeout { .. }
            | Fault::Memory { .. }
            | Fault::Stalled
            | Fault::Busy
            | Fault::Fatal
            | Fault::Broken => false,
        }
    }
}
