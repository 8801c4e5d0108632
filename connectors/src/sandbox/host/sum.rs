//! Sums of bytes: hashes, codes of authentication, keys from passwords.

use super::{Arguments, bytes, failed};
use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use md5::{Digest, Md5};
use rquickjs::{Ctx, Exception, IntoJs, Value};
use std::num::NonZeroU32;

/// Rounds of one derivation: about two seconds, in which the engine cannot be interrupted.
const ROUNDS_MAX: u64 = 4_000_000;
const MD5_BLOCK_BYTES: usize = 64;

/// Answers `digest`, `hmac`, `pbkdf2` and `equal`.
pub(super) fn answer<'js>(
    ctx: &Ctx<'js>,
    op: &str,
    given: &Arguments<'_, 'js>,
) -> rquickjs::Result<Value<'js>> {
    match op {
        "digest" => {
            let data = given.bytes(2)?;
            match given.text(1)?.as_str() {
                "md5" => bytes(ctx, &Md5::digest(&data)),
                name => bytes(ctx, digest::digest(hash(ctx, name)?, &data).as_ref()),
            }
        }
        "hmac" => {
            let (key, data) = (given.bytes(2)?, given.bytes(3)?);
            let algorithm = match given.text(1)?.as_str() {
                "md5" => return bytes(ctx, &md5_hmac(&key, &data)),
                "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                "sha224" => hmac::HMAC_SHA224,
                "sha256" => hmac::HMAC_SHA256,
                "sha384" => hmac::HMAC_SHA384,
                "sha512" => hmac::HMAC_SHA512,
                _ => return Err(failed(ctx, "there is no HMAC of this hash")),
            };
            bytes(ctx, hmac::sign(&hmac::Key::new(algorithm, &key), &data).as_ref())
        }
        "pbkdf2" => derive(ctx, given),
        _ => constant_time::verify_slices_are_equal(&given.bytes(1)?, &given.bytes(2)?)
            .is_ok()
            .into_js(ctx),
    }
}

fn hash(ctx: &Ctx<'_>, name: &str) -> rquickjs::Result<&'static digest::Algorithm> {
    Ok(match name {
        "sha1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "sha224" => &digest::SHA224,
        "sha256" => &digest::SHA256,
        "sha384" => &digest::SHA384,
        "sha512" => &digest::SHA512,
        "sha512-256" => &digest::SHA512_256,
        "sha3-256" => &digest::SHA3_256,
        "sha3-384" => &digest::SHA3_384,
        "sha3-512" => &digest::SHA3_512,
        _ => return Err(failed(ctx, "there is no such hash")),
    })
}

/// RFC 2104; providers still sign with it.
fn md5_hmac(key: &[u8], data: &[u8]) -> [u8; 16] {
    let mut block = [0; MD5_BLOCK_BYTES];
    match key.len() > MD5_BLOCK_BYTES {
        true => block[..16].copy_from_slice(&Md5::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let inner = Md5::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(data);
    let outer = Md5::new().chain_update(block.map(|byte| byte ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

fn derive<'js>(ctx: &Ctx<'js>, given: &Arguments<'_, 'js>) -> rquickjs::Result<Value<'js>> {
    let (algorithm, block) = match given.text(1)?.as_str() {
        "sha1" => (pbkdf2::PBKDF2_HMAC_SHA1, 20),
        "sha256" => (pbkdf2::PBKDF2_HMAC_SHA256, 32),
        "sha384" => (pbkdf2::PBKDF2_HMAC_SHA384, 48),
        "sha512" => (pbkdf2::PBKDF2_HMAC_SHA512, 64),
        _ => return Err(failed(ctx, "there is no derivation by this hash")),
    };
    let rounds: u32 = given.number(4)?;
    let size: u32 = given.number(5)?;
    let all = u64::from(rounds).saturating_mul(u64::from(size).div_ceil(block));
    let Some(rounds) = NonZeroU32::new(rounds).filter(|_| all <= ROUNDS_MAX) else {
        return Err(Exception::throw_range(ctx, "the iterations are none, or too many"));
    };
    let mut key = vec![0; size as usize];
    pbkdf2::derive(algorithm, rounds, &given.bytes(3)?, &given.bytes(2)?, &mut key);
    bytes(ctx, &key)
}
