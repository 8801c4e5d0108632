//! What a call in the engine came to: JSON, or why there is none.

use super::alarm::Alarm;
use super::fault::Fault;
use super::{Call, Limits};
use rquickjs::{Ctx, Error, Value};

const MESSAGE_BYTES_MAX: usize = 2048;
const STACK_LINES_MAX: usize = 5;

/// The value as JSON; `undefined` is `null`.
pub(super) fn json<'js>(
    ctx: &Ctx<'js>,
    result: rquickjs::Result<Value<'js>>,
    call: &Call,
    limits: &Limits,
    alarm: &Alarm,
) -> Result<String, Fault> {
    let text = result.and_then(|value| match ctx.json_stringify(value)? {
        None => Ok("null".to_owned()),
        Some(text) => text.to_string(),
    });
    match text {
        // One that swallowed its own interruption is late all the same.
        _ if alarm.rings() => Err(Fault::Timeout { timeout_ms: call.timeout_ms }),
        Ok(text) if text.len() as u64 > call.output_bytes_max => {
            Err(Fault::OutputTooLarge { bytes_max: call.output_bytes_max })
        }
        Ok(text) => Ok(text),
        Err(error) => Err(fault(ctx, error, limits)),
    }
}

/// What an error of the engine means.
pub(super) fn fault(ctx: &Ctx<'_>, error: Error, limits: &Limits) -> Fault {
    match error {
        Error::Exception => thrown(ctx, limits),
        Error::WouldBlock => Fault::Stalled,
        Error::Allocation => limits.memory(),
        error => Fault::Failed { message: bounded(error.to_string()) },
    }
}

fn thrown(ctx: &Ctx<'_>, limits: &Limits) -> Fault {
    let value = ctx.catch();
    if let Some(error) = value.as_exception() {
        let name: String = error.get("name").unwrap_or_else(|_| "Error".to_owned());
        let message = error.message().unwrap_or_default();
        if name == "InternalError" && message.starts_with("out of memory") {
            return limits.memory();
        }
        let stack = error.stack().unwrap_or_default();
        let lines: Vec<&str> = stack.lines().take(STACK_LINES_MAX).collect();
        let message = format!("{name}: {message}\n{}", lines.join("\n"));
        return Fault::Failed { message: bounded(message.trim_end().to_owned()) };
    }
    // Without memory there is none for the error either.
    if value.is_null() || value.type_of() == rquickjs::Type::Uninitialized {
        return limits.memory();
    }
    let text = match value.as_string().and_then(|text| text.to_string().ok()) {
        Some(text) => text,
        None => match ctx.json_stringify(value) {
            Ok(Some(text)) => text.to_string().unwrap_or_default(),
            Ok(None) | Err(_) => "a value that is no error".to_owned(),
        },
    };
    Fault::Failed { message: bounded(format!("thrown: {text}")) }
}

fn bounded(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}
