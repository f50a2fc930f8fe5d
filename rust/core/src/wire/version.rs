// SPDX-License-Identifier: GPL-2.0

//! The versions of the protocol.

/// A version of Multipath TCP, as the handshake agreed on it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Version {
    /// RFC 6824.
    V0,
    /// RFC 8684.
    #[default]
    V1,
}
