//! What a realm asks of the process: code of libraries, sums and signatures, requests and timers.
//!
//! There is one function for all of it, reached by the code of `connectors/libraries/builtins` and
//! by no other. Whatever it answers lies in the engine's memory and counts against its bound.

mod address;
mod argument;
mod cipher;
mod packing;
mod signature;
mod sum;

use super::libraries;
use super::outside::Outside;
pub(super) use argument::Arguments;
use domain::workflow::libraries::{Source, find};
use rquickjs::function::Rest;
use rquickjs::{Array, Ctx, Exception, Function, IntoJs, TypedArray, Value};
use std::cell::Cell;
use std::rc::Rc;

/// Bytes of chance that are given at a time.
const RANDOM_BYTES_MAX: usize = 1024 * 1024;

/// The host of a realm of its own.
pub(super) fn native<'js>(ctx: &Ctx<'js>, outside: Rc<Outside>) -> rquickjs::Result<Function<'js>> {
    Function::new(ctx.clone(), move |ctx: Ctx<'js>, given: Rest<Value<'js>>| {
        answer(&ctx, &outside, &Arguments::new(&ctx, given.0))
    })
}

/// The host of a shared realm: it notes that the function needs one of its own.
pub(super) fn refusing<'js>(
    ctx: &Ctx<'js>,
    needs_own: Rc<Cell<bool>>,
) -> rquickjs::Result<Function<'js>> {
    Function::new(ctx.clone(), move |ctx: Ctx<'js>| -> rquickjs::Result<()> {
        needs_own.set(true);
        Err(Exception::throw_type(&ctx, "not in a shared realm"))
    })
}

fn answer<'js>(
    ctx: &Ctx<'js>,
    outside: &Outside,
    given: &Arguments<'_, 'js>,
) -> rquickjs::Result<Value<'js>> {
    let op = given.text(0)?;
    match op.as_str() {
        "load" => load(ctx, &given.text(1)?),
        "library" => library(ctx, &given.text(1)?),
        "timer" => outside.start_timer(ctx, given.number(1)?, given.number(2)?).map(|()| none(ctx)),
        "fetch" => outside.start_request(ctx, given).map(|()| none(ctx)),
        "cancel" => {
            outside.cancel(given.number(1)?);
            Ok(none(ctx))
        }
        "encode" => bytes(ctx, given.text(1)?.as_bytes()),
        "decode" => decode(ctx, &given.bytes(1)?, given.flag(2)?, given.flag(3)?),
        "random" => {
            let size = given.number::<u32>(1)? as usize;
            if size > RANDOM_BYTES_MAX {
                return Err(Exception::throw_range(ctx, "too many random bytes are asked for"));
            }
            let mut chance = vec![0; size];
            aws_lc_rs::rand::fill(&mut chance).map_err(|_| failed(ctx, "there is no chance"))?;
            bytes(ctx, &chance)
        }
        "digest" | "hmac" | "pbkdf2" | "equal" => sum::answer(ctx, &op, given),
        "sign" | "verify" | "public-key" => signature::answer(ctx, &op, given),
        "cipher" => cipher::answer(ctx, given),
        "zlib" => packing::answer(ctx, given, outside.bytes_max()),
        "url" | "set-url" => address::answer(ctx, &op, given),
        _ => Err(failed(ctx, "the host does not know what is asked of it")),
    }
}

fn load<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Value<'js>> {
    match libraries::load(ctx, name)? {
        Some(make) => Ok(make.into_value()),
        None => Err(failed(ctx, &format!("Cannot find module '{name}'"))),
    }
}

fn library<'js>(ctx: &Ctx<'js>, key: &str) -> rquickjs::Result<Value<'js>> {
    match find(key).map(|library| library.source) {
        None => Ok(none(ctx)),
        Some(Source::Bundle(bundle, export)) => vec![bundle, export].into_js(ctx),
        Some(Source::Unavailable(why)) => {
            Err(failed(ctx, &format!("functions do not have the library {key:?}: {why}")))
        }
    }
}

fn decode<'js>(
    ctx: &Ctx<'js>,
    text: &[u8],
    is_fatal: bool,
    keeps_mark: bool,
) -> rquickjs::Result<Value<'js>> {
    let text = if keeps_mark { text } else { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) };
    match std::str::from_utf8(text) {
        Ok(text) => text.into_js(ctx),
        Err(_) if is_fatal => Err(Exception::throw_type(ctx, "the bytes are not valid UTF-8")),
        Err(_) => String::from_utf8_lossy(text).into_owned().into_js(ctx),
    }
}

/// `undefined`.
fn none<'js>(ctx: &Ctx<'js>) -> Value<'js> {
    Value::new_undefined(ctx.clone())
}

/// An `Error`, thrown.
pub(super) fn failed(ctx: &Ctx<'_>, message: &str) -> rquickjs::Error {
    Exception::throw_message(ctx, message)
}

/// A `Uint8Array` in the engine's memory.
pub(super) fn bytes<'js>(ctx: &Ctx<'js>, of: &[u8]) -> rquickjs::Result<Value<'js>> {
    TypedArray::new_copy(ctx.clone(), of).map(TypedArray::into_value)
}

/// A list of texts.
pub(super) fn texts<'js>(
    ctx: &Ctx<'js>,
    of: impl IntoIterator<Item = impl AsRef<str>>,
) -> rquickjs::Result<Value<'js>> {
    let list = Array::new(ctx.clone())?;
    for (index, text) in of.into_iter().enumerate() {
        list.set(index, text.as_ref())?;
    }
    Ok(list.into_value())
}
