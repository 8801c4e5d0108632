//! AES, as libraries use it: CBC with padding, GCM with a tag of 16 bytes behind the text.

use super::{Arguments, bytes, failed};
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::aes::{Aes128, Aes256};
use aes_gcm::{AesGcm, KeyInit};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use rquickjs::{Ctx, Value};

const TAG_BYTES: usize = 16;

/// Answers `cipher`: name, whether it seals, key, iv, what is authenticated beside, text.
pub(super) fn answer<'js>(
    ctx: &Ctx<'js>,
    given: &Arguments<'_, 'js>,
) -> rquickjs::Result<Value<'js>> {
    let (name, seals) = (given.text(1)?, given.flag(2)?);
    let (key, iv) = (given.bytes(3)?, given.bytes(4)?);
    let (aad, text) = (given.bytes(5)?, given.bytes(6)?);
    let out = match (name.as_str(), iv.len()) {
        ("aes-128-gcm", 12) => gcm::<AesGcm<Aes128, U12>>(seals, &key, &iv, &aad, &text),
        ("aes-128-gcm", 16) => gcm::<AesGcm<Aes128, U16>>(seals, &key, &iv, &aad, &text),
        ("aes-256-gcm", 12) => gcm::<AesGcm<Aes256, U12>>(seals, &key, &iv, &aad, &text),
        ("aes-256-gcm", 16) => gcm::<AesGcm<Aes256, U16>>(seals, &key, &iv, &aad, &text),
        ("aes-128-cbc" | "aes-256-cbc", 16) => cbc(&name, seals, &key, &iv, text),
        _ => return Err(failed(ctx, "Invalid initialization vector")),
    };
    let refusal = "the key does not fit, or the text cannot be authenticated or read";
    bytes(ctx, &out.ok_or_else(|| failed(ctx, refusal))?)
}

fn gcm<C: Aead + KeyInit>(
    seals: bool,
    key: &[u8],
    iv: &[u8],
    aad: &[u8],
    text: &[u8],
) -> Option<Vec<u8>> {
    let cipher = C::new_from_slice(key).ok()?;
    let payload = Payload { msg: text, aad };
    match seals {
        true => cipher.encrypt(iv.into(), payload).ok(),
        false if text.len() < TAG_BYTES => None,
        false => cipher.decrypt(iv.into(), payload).ok(),
    }
}

fn cbc(name: &str, seals: bool, key: &[u8], iv: &[u8], mut text: Vec<u8>) -> Option<Vec<u8>> {
    let algorithm = if name == "aes-128-cbc" { &AES_128 } else { &AES_256 };
    let key = UnboundCipherKey::new(algorithm, key).ok()?;
    let iv = FixedLength::from(<[u8; 16]>::try_from(iv).ok()?);
    if seals {
        let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).ok()?;
        key.less_safe_encrypt(&mut text, EncryptionContext::Iv128(iv)).ok()?;
        return Some(text);
    }
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    Some(key.decrypt(&mut text, DecryptionContext::Iv128(iv)).ok()?.to_vec())
}
