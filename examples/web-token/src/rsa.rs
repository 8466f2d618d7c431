//! RSASSA-PKCS1-v1_5 with SHA-256, the verifying half (RFC 8017, 8.2.2).
//!
//! Everything here is public, so nothing has to take the same time; and the expected block is built and compared whole,
//! so there is no padding to be parsed wrongly.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

/// Bits of the shortest modulus that is accepted (RFC 7518, 3.3) and of the longest.
const MODULUS_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;
/// The DER encoding of "what follows is a SHA-256 digest" (RFC 8017, 9.2, note 1).
const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

/// Whether a signature over a digest is the key's.
#[must_use]
pub(crate) fn verify(modulus: &[u8], exponent: &[u8], digest: &[u8; 32], signature: &[u8]) -> bool {
    raised(modulus, exponent, signature).is_some_and(|block| *block == *expected(block.len(), digest))
}

/// The signature to the power of the exponent, as long as the modulus; `None` where the key or the length is unfit.
fn raised(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> Option<Box<[u8]>> {
    let significant = modulus.iter().position(|byte| *byte != 0)?;
    let modulus = modulus.get(significant..)?;
    if signature.len() != modulus.len() {
        return None;
    }
    let modulus = BoxedUint::from_be_slice_vartime(modulus);
    let exponent =
        exponent.iter().try_fold(0_u64, |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)))?;
    if !MODULUS_BITS.contains(&modulus.bits_vartime()) || exponent < 3 || exponent.is_multiple_of(2) {
        return None;
    }
    // A whole number of words, as the encoding below relies on: every key that is in use has one.
    if modulus.bits_vartime() != modulus.bits_precision() {
        return None;
    }
    let base = BoxedUint::from_be_slice(signature, modulus.bits_precision()).ok()?;
    if base >= modulus {
        return None;
    }
    let params = BoxedMontyParams::new_vartime(Odd::new(modulus).into_option()?);
    let base = BoxedMontyForm::new(base, &params);
    let below_top = 63 - exponent.leading_zeros();
    let power = (0..below_top).rev().fold(base.clone(), |power, bit| {
        let squared = power.square();
        if (exponent >> bit) & 1 == 1 { squared * &base } else { squared }
    });
    Some(power.retrieve().to_be_bytes())
}

/// The block that a signature over the digest has to open to.
fn expected(length: usize, digest: &[u8; 32]) -> Vec<u8> {
    let padding = length.saturating_sub(DIGEST_INFO.len() + digest.len() + 3);
    [&[0, 1], vec![0xff; padding].as_slice(), &[0], &DIGEST_INFO, digest].concat()
}
