// SPDX-License-Identifier: GPL-2.0

//! The kernel's hash functions and random numbers. Any context.
//!
//! C headers: [`include/crypto/sha2.h`](srctree/include/crypto/sha2.h),
//! [`include/linux/siphash.h`](srctree/include/linux/siphash.h),
//! [`include/linux/random.h`](srctree/include/linux/random.h)

use crate::bindings;
use core::mem::MaybeUninit;

/// Length of a SHA-256 digest in bytes.
pub const SHA256_LEN: usize = 32;

/// SHA-256 (FIPS 180-4) of the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; SHA256_LEN] {
    let mut context = MaybeUninit::<bindings::sha256_ctx>::uninit();
    let context = context.as_mut_ptr();
    let mut digest = [0; SHA256_LEN];
    // SAFETY: The context is initialised first, every part is readable for its length, and the digest has
    // the length that the function writes.
    unsafe {
        bindings::sha256_init(context);
        for part in parts {
            bindings::__sha256_update(&raw mut (*context).ctx, part.as_ptr(), part.len());
        }
        bindings::sha256_final(context, digest.as_mut_ptr());
    }
    digest
}

/// HMAC-SHA256 (RFC 2104) under `key` of the concatenation of `parts`.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; SHA256_LEN] {
    let mut context = MaybeUninit::<bindings::hmac_sha256_ctx>::uninit();
    let context = context.as_mut_ptr();
    let mut digest = [0; SHA256_LEN];
    // SAFETY: The context is initialised first, key and parts are readable for their lengths, and the
    // digest has the length that the function writes.
    unsafe {
        bindings::hmac_sha256_init_usingrawkey(context, key.as_ptr(), key.len());
        for part in parts {
            bindings::__sha256_update(&raw mut (*context).ctx.sha_ctx, part.as_ptr(), part.len());
        }
        bindings::hmac_sha256_final(context, digest.as_mut_ptr());
    }
    digest
}

/// A keyed pseudo-random function: SipHash-2-4 under a secret that is drawn at construction and never
/// leaves this type.
pub struct Prf(bindings::siphash_key_t);

impl Prf {
    /// A function of its own, with a fresh secret.
    pub fn new() -> Self {
        Self(bindings::siphash_key_t {
            key: [random_u64(), random_u64()],
        })
    }

    /// The function's value for `input`.
    pub fn value(&self, input: &[u8]) -> u64 {
        // SAFETY: Input and key are readable for the duration of the call.
        unsafe {
            bindings::__siphash_unaligned(input.as_ptr().cast(), input.len(), &raw const self.0)
        }
    }
}

impl Default for Prf {
    fn default() -> Self {
        Self::new()
    }
}

/// An unpredictable number.
pub fn random_u64() -> u64 {
    // SAFETY: The call has no requirements.
    unsafe { bindings::get_random_u64() }
}
