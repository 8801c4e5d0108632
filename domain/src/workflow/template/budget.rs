//! How large and how deep a result may get.

use super::Unresolved;
use serde_json::Value;

/// How deep a result may be nested. JSON deeper than this cannot be read back by `serde_json`.
pub const DEPTH_MAX: usize = 120;

/// What is left of the bytes that a result may have.
#[derive(Clone)]
pub(super) struct Budget {
    left: usize,
    bytes_max: usize,
}

impl Budget {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { left: bytes_max, bytes_max }
    }

    /// Spends `bytes`.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Unresolved> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(Unresolved::TooLarge { bytes_max: self.bytes_max }),
        }
    }

    /// Spends the brackets of an array or object that stands at `depth`.
    pub(super) fn enter(&mut self, depth: usize) -> Result<(), Unresolved> {
        if depth >= DEPTH_MAX {
            return Err(Unresolved::TooDeep);
        }
        self.take(2)
    }

    /// A copy of a value that will stand at `depth`; its size is spent before it is made.
    pub(super) fn copy(&mut self, value: &Value, depth: usize) -> Result<Value, Unresolved> {
        self.charge(value, depth)?;
        Ok(value.clone())
    }

    /// Spends about the size of the value's JSON.
    pub(super) fn charge(&mut self, value: &Value, depth: usize) -> Result<(), Unresolved> {
        match value {
            Value::Null => self.take(4),
            Value::Bool(_) => self.take(5),
            Value::Number(_) => self.take(8),
            Value::String(text) => self.take(text.len() + 2),
            Value::Array(items) => {
                self.enter(depth)?;
                for item in items {
                    self.take(1)?;
                    self.charge(item, depth + 1)?;
                }
                Ok(())
            }
            Value::Object(entries) => {
                self.enter(depth)?;
                for (key, item) in entries {
                    self.take(key.len() + 4)?;
                    self.charge(item, depth + 1)?;
                }
                Ok(())
            }
        }
    }
}
