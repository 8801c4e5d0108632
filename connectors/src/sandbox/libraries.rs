//! The code of libraries: compiled once in a process, by the engine that runs it.
//!
//! What `connectors/libraries` bundles is in the program, compressed. A library's bytecode is made
//! when the first function asks for it and kept until the process ends: there are as many as
//! bundles, so it is bounded by them.

use rquickjs::loader::Loader;
use rquickjs::loader::bundle::Bundle;
use rquickjs::{Context, Ctx, Function, Module, Runtime, WriteOptions};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

macro_rules! bundles {
    ($($name:literal)*) => {
        [$(($name, include_bytes!(concat!("../../libraries/bundles/", $name, ".js.br")))),*]
    };
}

/// Every bundle, compressed by brotli.
pub(super) const BUNDLES: &[(&str, &[u8])] = &bundles![
    "archiver" "assert" "async_hooks" "bluebird" "buffer" "cheerio" "child_process"
    "cloudflare" "cluster" "constants" "crypto" "cryptr" "csv" "csv-sync" "date-fns" "dgram"
    "diagnostics_channel" "dns" "events" "fast-xml-parser" "form-data" "fs" "fs.promises"
    "fuse.js" "host-abort" "host-encoding" "host-keys" "host-small" "host-unavailable"
    "host-web" "http" "http2" "https" "jsforce" "jsonwebtoken" "libphonenumber-js" "lodash"
    "lodash-fp" "mailgun.js" "mime" "module" "moment" "net" "node-fetch" "number-to-words"
    "oauth" "os" "path" "perf_hooks" "process" "promise-parallel-throttle" "punycode"
    "querystring" "ramda" "readline" "repl" "sendgrid" "sendpulse-api" "slack" "stream"
    "stream.promises" "stream.web" "string_decoder" "timers" "timers.promises" "tls" "tty" "twilio"
    "underscore" "underscore.string" "unzipper" "url" "util" "util.types" "uuid" "v8" "vm"
    "worker_threads" "zlib"
];

type Loadable = &'static [(&'static str, &'static [u8])];

static COMPILED: Mutex<Option<HashMap<&'static str, Loadable>>> = Mutex::new(None);

/// The function that makes the module of the name; `None`: there is no such module.
///
/// # Errors
/// There is no memory for it.
pub(super) fn load<'js>(ctx: &Ctx<'js>, name: &str) -> rquickjs::Result<Option<Function<'js>>> {
    let Some(loadable) = compiled(name)? else { return Ok(None) };
    let file = loadable.first().map_or("", |(file, _)| *file);
    let (module, _) = Bundle(loadable).load(ctx, file, None)?.eval()?;
    module.get("default").map(Some)
}

/// The function that `realm.js` is.
///
/// # Errors
/// There is no memory for it.
pub(super) fn start<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
    static START: Mutex<Option<Loadable>> = Mutex::new(None);
    let mut start = START.lock().unwrap_or_else(PoisonError::into_inner);
    let loadable = match *start {
        Some(loadable) => loadable,
        None => {
            let source = concat!("export default ", include_str!("realm.js"));
            *start.insert(compile("realm.js", source.as_bytes().to_vec())?)
        }
    };
    drop(start);
    Bundle(loadable).load(ctx, "realm.js", None)?.eval()?.0.get("default")
}

fn compiled(name: &str) -> rquickjs::Result<Option<Loadable>> {
    let file = name.replace('/', ".");
    let Some((name, packed)) = BUNDLES.iter().find(|(bundle, _)| *bundle == file) else {
        return Ok(None);
    };
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = compiled.get_or_insert_default();
    if let Some(loadable) = compiled.get(name) {
        return Ok(Some(loadable));
    }
    let mut source = Vec::new();
    brotli_decompressor::BrotliDecompress(&mut &**packed, &mut source)?;
    let loadable = compile(name, source)?;
    compiled.insert(name, loadable);
    Ok(Some(loadable))
}

/// Compiles in an engine of its own, which no call's bounds hold.
fn compile(name: &'static str, source: Vec<u8>) -> rquickjs::Result<Loadable> {
    let runtime = Runtime::new()?;
    let bytes = Context::full(&runtime)?.with(|ctx| {
        let options = WriteOptions { strip_source: true, ..WriteOptions::default() };
        Module::declare(ctx, name, source)?.write(options)
    })?;
    // Kept for ever, as whoever loads it needs.
    Ok(Vec::leak(vec![(name, &*bytes.leak())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_bundle_is_in_the_program() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/libraries/bundles");
        let files = std::fs::read_dir(folder).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<String> =
            names.filter_map(|name| name.strip_suffix(".js.br").map(str::to_owned)).collect();
        assert_eq!(there, BUNDLES.iter().map(|(name, _)| (*name).to_owned()).collect());
    }
}
