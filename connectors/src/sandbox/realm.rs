//! One set of globals, and calls in it.

use super::alarm::Alarm;
use super::fault::Fault;
use super::outcome;
use super::{Call, Limits};
use lru::LruCache;
use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Object, Persistent, Runtime, Value};
use std::num::NonZeroUsize;

const CONSOLE: &str = include_str!("realm.js");
const FREEZE: &str = include_str!("freeze.js");
const FUNCTIONS_MAX: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// Jobs that may be left when a function has returned: `then` that no one waited for.
const TRAILING_JOBS_MAX: usize = 1000;

/// Whether a call's globals are its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    /// Sloppy, changeable, used once.
    Own,
    /// Strict, frozen, shared by the calls of one project.
    Shared,
}

/// A set of globals. Compiled functions are dropped before it: they are part of it.
pub(super) struct Realm {
    functions: LruCache<u128, Persistent<Function<'static>>>,
    sweep: Option<Persistent<Function<'static>>>,
    context: Context,
    mode: Mode,
}

impl Realm {
    /// A realm in the runtime.
    pub(super) fn new(runtime: &Runtime, mode: Mode, limits: &Limits) -> Result<Self, Fault> {
        let context = Context::full(runtime).map_err(|_| limits.memory())?;
        let sweep = context.with(|ctx| {
            set_up(&ctx, mode).map_err(|error| match outcome::fault(&ctx, error, limits) {
                Fault::Failed { message } => {
                    tracing::error!(message, "a realm cannot be set up");
                    Fault::Broken
                }
                fault => fault,
            })
        })?;
        Ok(Self { functions: LruCache::new(FUNCTIONS_MAX), sweep, context, mode })
    }

    /// Calls the function; the answer is JSON.
    pub(super) fn call(
        &mut self,
        call: &Call,
        limits: &Limits,
        alarm: &Alarm,
    ) -> Result<String, Fault> {
        let Self { functions, context, mode, .. } = self;
        context.with(|ctx| {
            let result = match mode {
                Mode::Own => compile(&ctx, &call.code, *mode),
                Mode::Shared => cached(&ctx, functions, &call.code),
            }
            .and_then(|outer| invoke(&ctx, &outer, call, alarm));
            outcome::json(&ctx, result, call, limits, alarm)
        })
    }

    /// Takes away what the call left behind. `false`: it cannot be taken away.
    pub(super) fn sweep(&self) -> bool {
        let Some(sweep) = self.sweep.clone() else { return false };
        self.context
            .with(|ctx| {
                sweep
                    .restore(&ctx)?
                    .call::<_, bool>(())
                    .catch(&ctx)
                    .map_err(|_| rquickjs::Error::Exception)
            })
            .unwrap_or(false)
    }
}

fn set_up(ctx: &Ctx<'_>, mode: Mode) -> rquickjs::Result<Option<Persistent<Function<'static>>>> {
    ctx.eval::<(), _>(CONSOLE)?;
    match mode {
        Mode::Own => Ok(None),
        Mode::Shared => {
            let sweep: Function<'_> = ctx.eval(FREEZE)?;
            Ok(Some(Persistent::save(ctx, sweep)))
        }
    }
}

fn cached<'js>(
    ctx: &Ctx<'js>,
    functions: &mut LruCache<u128, Persistent<Function<'static>>>,
    code: &str,
) -> rquickjs::Result<Function<'js>> {
    let key = xxhash_rust::xxh3::xxh3_128(code.as_bytes());
    if let Some(function) = functions.get(&key) {
        return function.clone().restore(ctx);
    }
    let function = compile(ctx, code, Mode::Shared)?;
    functions.put(key, Persistent::save(ctx, function.clone()));
    Ok(function)
}

/// A function that, called with `module` and `exports`, gives the user's function. Each call of it
/// makes the user's top-level variables anew. All of it stays on the first line, so that lines in
/// error messages are those of the user's code.
fn compile<'js>(ctx: &Ctx<'js>, code: &str, mode: Mode) -> rquickjs::Result<Function<'js>> {
    let wrapped = format!(
        "(function (module, exports) {{ {code}\n\
         ;return module.exports !== exports ? module.exports \
         : typeof yourFunction === \"function\" ? yourFunction : undefined; }})"
    );
    let mut options = EvalOptions::default();
    options.strict = mode == Mode::Shared;
    options.filename = Some("function.js".to_owned());
    ctx.eval_with_options(wrapped, options)
}

fn invoke<'js>(
    ctx: &Ctx<'js>,
    outer: &Function<'js>,
    call: &Call,
    alarm: &Alarm,
) -> rquickjs::Result<Value<'js>> {
    let module = Object::new(ctx.clone())?;
    let exports = Object::new(ctx.clone())?;
    module.set("exports", exports.clone())?;
    let found: Value<'js> = outer.call((module, exports))?;
    let Some(function) = found.as_function() else {
        let message = "there is no function yourFunction, and module.exports is no function";
        return Err(rquickjs::Exception::throw_type(ctx, message));
    };
    let parameters = ctx.json_parse(call.parameters.as_bytes())?;
    let libraries = Object::new(ctx.clone())?;
    let result: Value<'js> = function.call((parameters, libraries))?;
    let settled = settle(ctx, result, alarm);
    for _ in 0..TRAILING_JOBS_MAX {
        if alarm.rings() || !ctx.execute_pending_job() {
            break;
        }
    }
    settled
}

/// Runs microtasks until the promise is settled. `WouldBlock`: nothing is left that could settle it.
fn settle<'js>(ctx: &Ctx<'js>, value: Value<'js>, alarm: &Alarm) -> rquickjs::Result<Value<'js>> {
    let Some(promise) = value.as_promise() else { return Ok(value) };
    loop {
        if let Some(settled) = promise.result::<Value<'js>>() {
            return settled;
        }
        if alarm.rings() || !ctx.execute_pending_job() {
            return Err(rquickjs::Error::WouldBlock);
        }
    }
}
