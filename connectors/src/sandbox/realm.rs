//! One set of globals, and calls in it.

use super::alarm::Alarm;
use super::fault::Fault;
use super::host::{self, bytes, texts};
use super::libraries;
use super::outcome;
use super::outside::{Happening, Outside};
use super::{Call, Limits};
use lru::LruCache;
use rquickjs::context::EvalOptions;
use rquickjs::{CatchResultExt, Context, Ctx, Function, Object, Persistent, Runtime, Value};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;

const FREEZE: &str = include_str!("freeze.js");
const FUNCTIONS_MAX: NonZeroUsize = NonZeroUsize::new(32).unwrap();
/// Jobs that may be left when a function has returned: `then` that no one waited for.
const TRAILING_JOBS_MAX: usize = 1000;

/// Whether a call's globals are its own.
enum Mode {
    /// Sloppy, changeable, used once; with a way out.
    Own(Rc<Outside>),
    /// Strict, frozen, shared by the calls of one project. It notes when a call needs its own.
    Shared(Rc<Cell<bool>>),
}

/// A set of globals. What it keeps of them is dropped before it: it is part of it.
pub(super) struct Realm {
    functions: LruCache<u128, Persistent<Function<'static>>>,
    begun: Begun,
    sweep: Option<Persistent<Function<'static>>>,
    context: Context,
    mode: Mode,
}

/// What `realm.js` answers with.
#[derive(Clone)]
struct Begun {
    /// Makes `libraries`.
    libraries: Persistent<Function<'static>>,
    /// Takes what a call waited for.
    happened: Persistent<Function<'static>>,
}

impl Realm {
    /// A realm for one call.
    pub(super) fn own(
        runtime: &Runtime,
        outside: Rc<Outside>,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        Self::new(runtime, Mode::Own(outside), limits)
    }

    /// A realm that calls share.
    pub(super) fn shared(runtime: &Runtime, limits: &Limits) -> Result<Self, Fault> {
        Self::new(runtime, Mode::Shared(Rc::default()), limits)
    }

    fn new(runtime: &Runtime, mode: Mode, limits: &Limits) -> Result<Self, Fault> {
        let context = Context::full(runtime).map_err(|_| limits.memory())?;
        let (begun, sweep) = context.with(|ctx| {
            set_up(&ctx, &mode).map_err(|error| match outcome::fault(&ctx, error, limits) {
                Fault::Failed { message } => {
                    tracing::error!(message, "a realm cannot be set up");
                    Fault::Broken
                }
                fault => fault,
            })
        })?;
        Ok(Self { functions: LruCache::new(FUNCTIONS_MAX), begun, sweep, context, mode })
    }

    /// Whether the last call asked for something that a shared realm does not give.
    pub(super) fn needs_own(&self) -> bool {
        matches!(&self.mode, Mode::Shared(needs_own) if needs_own.get())
    }

    /// Calls the function; the answer is JSON.
    pub(super) fn call(
        &mut self,
        call: &Call,
        limits: &Limits,
        alarm: &Alarm,
    ) -> Result<String, Fault> {
        let Self { functions, context, mode, begun, .. } = self;
        context.with(|ctx| {
            let (outer, outside) = match mode {
                Mode::Own(outside) => (compile(&ctx, &call.code, false), Some(&**outside)),
                Mode::Shared(needs_own) => {
                    needs_own.set(false);
                    (cached(&ctx, functions, &call.code), None)
                }
            };
            let waiting = Waiting { outside, begun, alarm };
            let result = outer.and_then(|outer| invoke(&ctx, &outer, call, &waiting));
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

fn set_up(
    ctx: &Ctx<'_>,
    mode: &Mode,
) -> rquickjs::Result<(Begun, Option<Persistent<Function<'static>>>)> {
    let start = libraries::start(ctx)?;
    let (native, is_shared) = match mode {
        Mode::Own(outside) => (host::native(ctx, Rc::clone(outside))?, false),
        Mode::Shared(needs_own) => (host::refusing(ctx, Rc::clone(needs_own))?, true),
    };
    let begun: Vec<Function<'_>> = start.call((native, is_shared))?;
    let [libraries, happened] = begun.as_slice() else { return Err(rquickjs::Error::Unknown) };
    let begun = Begun {
        libraries: Persistent::save(ctx, libraries.clone()),
        happened: Persistent::save(ctx, happened.clone()),
    };
    let sweep = match is_shared {
        true => Some(Persistent::save(ctx, ctx.eval::<Function<'_>, _>(FREEZE)?)),
        false => None,
    };
    Ok((begun, sweep))
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
    let function = compile(ctx, code, true)?;
    functions.put(key, Persistent::save(ctx, function.clone()));
    Ok(function)
}

/// A function that, called with `module` and `exports`, gives the user's function. Each call of it
/// makes the user's top-level variables anew. All of it stays on the first line, so that lines in
/// error messages are those of the user's code.
fn compile<'js>(ctx: &Ctx<'js>, code: &str, is_strict: bool) -> rquickjs::Result<Function<'js>> {
    let wrapped = format!(
        "(function (module, exports) {{ {code}\n\
         ;return module.exports !== exports ? module.exports \
         : typeof yourFunction === \"function\" ? yourFunction : undefined; }})"
    );
    let mut options = EvalOptions::default();
    options.strict = is_strict;
    options.filename = Some("function.js".to_owned());
    ctx.eval_with_options(wrapped, options)
}

fn invoke<'js>(
    ctx: &Ctx<'js>,
    outer: &Function<'js>,
    call: &Call,
    waiting: &Waiting<'_>,
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
    let libraries: Value<'js> = waiting.begun.libraries.clone().restore(ctx)?.call(())?;
    let result: Value<'js> = function.call((parameters, libraries))?;
    let settled = waiting.settle(ctx, result);
    for _ in 0..TRAILING_JOBS_MAX {
        if waiting.alarm.rings() || !ctx.execute_pending_job() {
            break;
        }
    }
    settled
}

/// What a call's promise waits on.
struct Waiting<'a> {
    outside: Option<&'a Outside>,
    begun: &'a Begun,
    alarm: &'a Alarm,
}

impl Waiting<'_> {
    /// Runs microtasks, timers and answers until the promise is settled. `WouldBlock`: nothing is
    /// left that could settle it.
    fn settle<'js>(&self, ctx: &Ctx<'js>, value: Value<'js>) -> rquickjs::Result<Value<'js>> {
        let Some(promise) = value.as_promise() else { return Ok(value) };
        loop {
            if let Some(settled) = promise.result::<Value<'js>>() {
                return settled;
            }
            if self.alarm.rings() {
                return Err(rquickjs::Error::WouldBlock);
            }
            if ctx.execute_pending_job() {
                continue;
            }
            match self.outside.and_then(|outside| outside.next(self.alarm)) {
                Some(happening) => self.tell(ctx, happening)?,
                None => return Err(rquickjs::Error::WouldBlock),
            }
        }
    }

    fn tell(&self, ctx: &Ctx<'_>, happening: Happening) -> rquickjs::Result<()> {
        let happened = self.begun.happened.clone().restore(ctx)?;
        let (id, answer) = match happening {
            Happening::Timer(id) => return happened.call((id,)),
            Happening::Answer(id, answer) => (id, *answer),
        };
        let told = Object::new(ctx.clone())?;
        let Ok(answer) = answer.map_err(|error| {
            told.set("message", error.to_string()).and_then(|()| told.set("code", error.code()))
        }) else {
            return happened.call((id, told));
        };
        // The body is decoded already, and whole.
        let told_of = |name: &str| !matches!(name, "content-encoding" | "transfer-encoding");
        let headers = answer.headers.iter().filter(|(name, _)| told_of(name.as_str()));
        let headers = headers.flat_map(|(name, value)| {
            [name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()]
        });
        told.set("status", answer.status)?;
        told.set("headers", texts(ctx, headers)?)?;
        told.set("body", bytes(ctx, &answer.body)?)?;
        told.set("url", answer.url.as_str())?;
        happened.call((id, Value::new_null(ctx.clone()), told))
    }
}
