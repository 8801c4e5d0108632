//! AES-256-GCM over one payload.
//!
//! `kind (1) | generation (4, big-endian) | nonce (12) | ciphertext and tag`. Name, kind and
//! generation are authenticated, so a payload opens only for the key that it was sealed for.

use super::VaultError;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use bytes::Bytes;
use zeroize::Zeroizing;

/// The payload lies in the record.
pub(super) const INLINE: u8 = 1;
/// The clear text is the id of a blob.
pub(super) const APART: u8 = 2;

const HEAD_BYTES: usize = 17;
const TAG_BYTES: usize = 16;

/// A data key, ready to use, and its bytes.
pub(super) struct DataKey {
    pub(super) bytes: Zeroizing<[u8; 32]>,
    cipher: LessSafeKey,
}

impl DataKey {
    // The length of the key is fixed, which is all that can be wrong with it.
    #[allow(clippy::expect_used)]
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, &bytes).expect("32 bytes are a key");
        Self { bytes: Zeroizing::new(bytes), cipher: LessSafeKey::new(unbound) }
    }
}

/// What stands in front of the ciphertext.
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) generation: u32,
    nonce: [u8; 12],
}

pub(super) fn head(sealed: &[u8]) -> Option<Head> {
    if sealed.len() < HEAD_BYTES + TAG_BYTES {
        return None;
    }
    let generation = u32::from_be_bytes(sealed[1..5].try_into().ok()?);
    Some(Head { kind: sealed[0], generation, nonce: sealed[5..17].try_into().ok()? })
}

pub(super) fn encrypt(
    key: &DataKey,
    name: &str,
    (kind, generation): (u8, u32),
    nonce: [u8; 12],
    clear: &[u8],
) -> Result<Bytes, VaultError> {
    let mut out = Vec::with_capacity(HEAD_BYTES + clear.len() + TAG_BYTES);
    out.push(kind);
    out.extend_from_slice(&generation.to_be_bytes());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(clear);
    let aad = Aad::from(aad(name, kind, generation));
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag = key.cipher.seal_in_place_separate_tag(nonce, aad, &mut out[HEAD_BYTES..]);
    let tag = tag.map_err(|_| VaultError::Forged { name: name.to_owned() })?;
    out.extend_from_slice(tag.as_ref());
    Ok(Bytes::from(out))
}

pub(super) fn decrypt(
    key: &DataKey,
    name: &str,
    head: &Head,
    sealed: &[u8],
) -> Result<Bytes, VaultError> {
    let mut clear = sealed[HEAD_BYTES..].to_vec();
    let aad = Aad::from(aad(name, head.kind, head.generation));
    let nonce = Nonce::assume_unique_for_key(head.nonce);
    let opened = key.cipher.open_in_place(nonce, aad, &mut clear);
    let length = opened.map_err(|_| VaultError::Forged { name: name.to_owned() })?.len();
    clear.truncate(length);
    Ok(Bytes::from(clear))
}

fn aad(name: &str, kind: u8, generation: u32) -> Vec<u8> {
    let mut aad = Vec::with_capacity(name.len() + 5);
    aad.push(kind);
    aad.extend_from_slice(&generation.to_be_bytes());
    aad.extend_from_slice(name.as_bytes());
    aad
}

/// Where the blobs of a key lie.
pub(super) fn scope(name: &str) -> String {
    let hash = digest::digest(&digest::SHA256, name.as_bytes());
    hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
