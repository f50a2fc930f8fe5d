// SPDX-License-Identifier: GPL-2.0

//! The kernel's hash functions as the core wants them.

use knet::crypto;
use mptcp_core::crypto::Sha256;

/// SHA-256 of the kernel's library, with the instructions that the processor has for it.
pub(crate) struct KernelSha256;

impl Sha256 for KernelSha256 {
    fn hash(&self, parts: &[&[u8]]) -> [u8; crypto::SHA256_LEN] {
        crypto::sha256(parts)
    }

    fn hmac(&self, key: &[u8], message: &[&[u8]]) -> [u8; crypto::SHA256_LEN] {
        crypto::hmac_sha256(key, message)
    }
}
