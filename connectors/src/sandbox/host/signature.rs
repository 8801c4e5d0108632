//! Signatures of RSA, ECDSA and Ed25519. A scheme is written `pkcs1-sha256`, `pss-sha256`,
//! `ecdsa-sha256-prime256v1-der` (or `-fixed`), `ed25519`.

use super::{Arguments, bytes, failed};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self as of, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding,
    RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use rquickjs::{Ctx, IntoJs, Value};

const UNREADABLE: &str = "the key cannot be used";

/// Answers `sign`, `verify` and `public-key`.
pub(super) fn answer<'js>(
    ctx: &Ctx<'js>,
    op: &str,
    given: &Arguments<'_, 'js>,
) -> rquickjs::Result<Value<'js>> {
    match op {
        "sign" => {
            let (scheme, form) = (given.text(1)?, given.text(2)?);
            let signature = sign(&scheme, &form, &given.bytes(3)?, &given.bytes(4)?);
            bytes(ctx, &signature.map_err(|why| failed(ctx, why))?)
        }
        "verify" => {
            let algorithm = verification(&given.text(1)?);
            let algorithm = algorithm.ok_or_else(|| failed(ctx, UNSUPPORTED))?;
            let key = UnparsedPublicKey::new(algorithm, given.bytes(2)?);
            key.verify(&given.bytes(3)?, &given.bytes(4)?).is_ok().into_js(ctx)
        }
        _ => {
            let public = public(&given.text(1)?, &given.text(2)?, &given.bytes(3)?);
            bytes(ctx, &public.ok_or_else(|| failed(ctx, UNREADABLE))?)
        }
    }
}

const UNSUPPORTED: &str = "there is no such kind of signature";

fn rsa(form: &str, key: &[u8]) -> Option<RsaKeyPair> {
    match form {
        "pkcs1" => RsaKeyPair::from_der(key),
        _ => RsaKeyPair::from_pkcs8(key),
    }
    .ok()
}

fn sign(scheme: &str, form: &str, key: &[u8], data: &[u8]) -> Result<Vec<u8>, &'static str> {
    let random = SystemRandom::new();
    if scheme == "ed25519" {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).map_err(|_| UNREADABLE)?;
        return Ok(pair.sign(data).as_ref().to_vec());
    }
    if scheme.starts_with("ecdsa") {
        let algorithm = signing(scheme).ok_or(UNSUPPORTED)?;
        let pair = EcdsaKeyPair::from_private_key_der(algorithm, key).map_err(|_| UNREADABLE)?;
        let signature = pair.sign(&random, data).map_err(|_| UNREADABLE)?;
        return Ok(signature.as_ref().to_vec());
    }
    let padding: &dyn RsaEncoding = match scheme {
        "pkcs1-sha256" => &of::RSA_PKCS1_SHA256,
        "pkcs1-sha384" => &of::RSA_PKCS1_SHA384,
        "pkcs1-sha512" => &of::RSA_PKCS1_SHA512,
        "pss-sha256" => &of::RSA_PSS_SHA256,
        "pss-sha384" => &of::RSA_PSS_SHA384,
        "pss-sha512" => &of::RSA_PSS_SHA512,
        _ => return Err(UNSUPPORTED),
    };
    let pair = rsa(form, key).ok_or(UNREADABLE)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &random, data, &mut signature).map_err(|_| UNREADABLE)?;
    Ok(signature)
}

fn signing(scheme: &str) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match scheme {
        "ecdsa-sha256-prime256v1-der" => &of::ECDSA_P256_SHA256_ASN1_SIGNING,
        "ecdsa-sha384-secp384r1-der" => &of::ECDSA_P384_SHA384_ASN1_SIGNING,
        "ecdsa-sha512-secp521r1-der" => &of::ECDSA_P521_SHA512_ASN1_SIGNING,
        "ecdsa-sha256-secp256k1-der" => &of::ECDSA_P256K1_SHA256_ASN1_SIGNING,
        "ecdsa-sha256-prime256v1-fixed" => &of::ECDSA_P256_SHA256_FIXED_SIGNING,
        "ecdsa-sha384-secp384r1-fixed" => &of::ECDSA_P384_SHA384_FIXED_SIGNING,
        "ecdsa-sha512-secp521r1-fixed" => &of::ECDSA_P521_SHA512_FIXED_SIGNING,
        "ecdsa-sha256-secp256k1-fixed" => &of::ECDSA_P256K1_SHA256_FIXED_SIGNING,
        _ => return None,
    })
}

fn verification(scheme: &str) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match scheme {
        "ed25519" => &of::ED25519,
        "pkcs1-sha1" => &of::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        "pkcs1-sha256" => &of::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        "pkcs1-sha384" => &of::RSA_PKCS1_2048_8192_SHA384,
        "pkcs1-sha512" => &of::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        "pss-sha256" => &of::RSA_PSS_2048_8192_SHA256,
        "pss-sha384" => &of::RSA_PSS_2048_8192_SHA384,
        "pss-sha512" => &of::RSA_PSS_2048_8192_SHA512,
        "ecdsa-sha256-prime256v1-der" => &of::ECDSA_P256_SHA256_ASN1,
        "ecdsa-sha384-secp384r1-der" => &of::ECDSA_P384_SHA384_ASN1,
        "ecdsa-sha512-secp521r1-der" => &of::ECDSA_P521_SHA512_ASN1,
        "ecdsa-sha256-secp256k1-der" => &of::ECDSA_P256K1_SHA256_ASN1,
        "ecdsa-sha256-prime256v1-fixed" => &of::ECDSA_P256_SHA256_FIXED,
        "ecdsa-sha384-secp384r1-fixed" => &of::ECDSA_P384_SHA384_FIXED,
        "ecdsa-sha512-secp521r1-fixed" => &of::ECDSA_P521_SHA512_FIXED,
        "ecdsa-sha256-secp256k1-fixed" => &of::ECDSA_P256K1_SHA256_FIXED,
        _ => return None,
    })
}

/// The public half of a private key, as SubjectPublicKeyInfo.
fn public(kind: &str, curve: &str, key: &[u8]) -> Option<Vec<u8>> {
    let der: PublicKeyX509Der<'_> = match kind {
        "rsa" | "rsa-pss" => {
            let pair = rsa("pkcs8", key).or_else(|| rsa("pkcs1", key))?;
            pair.public_key().as_der().ok()?
        }
        "ec" => {
            let algorithm = signing(match curve {
                "prime256v1" => "ecdsa-sha256-prime256v1-der",
                "secp384r1" => "ecdsa-sha384-secp384r1-der",
                "secp521r1" => "ecdsa-sha512-secp521r1-der",
                _ => "ecdsa-sha256-secp256k1-der",
            })?;
            let pair = EcdsaKeyPair::from_private_key_der(algorithm, key).ok()?;
            pair.public_key().as_der().ok()?
        }
        _ => {
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(key).ok()?;
            pair.public_key().as_der().ok()?
        }
    };
    Some(der.as_ref().to_vec())
}
