//! Compression: gzip, zlib and raw deflate; brotli is read only.

use super::{Arguments, bytes, failed, none};
use flate2::Compression;
use flate2::read::{
    DeflateDecoder, DeflateEncoder, GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder,
};
use rquickjs::{Ctx, Value};
use std::io::Read;

const BROTLI_BUFFER_BYTES: usize = 4096;

/// Answers `zlib`: what to do, the bytes, the level. `undefined`: they are not what they should be.
pub(super) fn answer<'js>(
    ctx: &Ctx<'js>,
    given: &Arguments<'_, 'js>,
    bytes_max: usize,
) -> rquickjs::Result<Value<'js>> {
    let (op, input) = (given.text(1)?, given.bytes(2)?);
    let level = Compression::new(given.number::<u32>(3)?.min(9));
    let input = input.as_slice();
    let gzipped = input.starts_with(&[0x1f, 0x8b]);
    let mut reader: Box<dyn Read + '_> = match op.as_str() {
        "gzip" => Box::new(GzEncoder::new(input, level)),
        "zlib" => Box::new(ZlibEncoder::new(input, level)),
        "raw" => Box::new(DeflateEncoder::new(input, level)),
        "inraw" => Box::new(DeflateDecoder::new(input)),
        "inbrotli" => Box::new(brotli_decompressor::Decompressor::new(input, BROTLI_BUFFER_BYTES)),
        "ingzip" => Box::new(MultiGzDecoder::new(input)),
        "inany" if gzipped => Box::new(MultiGzDecoder::new(input)),
        _ => Box::new(ZlibDecoder::new(input)),
    };
    let mut out = Vec::new();
    match reader.by_ref().take(bytes_max as u64 + 1).read_to_end(&mut out) {
        Ok(_) if out.len() > bytes_max => Err(failed(ctx, "there is too much in it")),
        Ok(_) => bytes(ctx, &out),
        Err(_) => Ok(none(ctx)),
    }
}
