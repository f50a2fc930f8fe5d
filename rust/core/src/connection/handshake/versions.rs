// SPDX-License-Identifier: GPL-2.0

//! Which version of the protocol two ends speak (RFC 8684 section 3.1).

use super::version0;
use crate::wire::{Received, Version};

/// The versions that an end is willing to speak.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Versions {
    /// RFC 6824.
    pub v0: bool,
    /// RFC 8684.
    pub v1: bool,
}

impl Versions {
    /// Plain TCP alone.
    pub const NONE: Self = Self::new(false, false);
    /// Version 0 alone.
    pub const V0: Self = Self::new(true, false);
    /// Version 1 alone.
    pub const V1: Self = Self::new(false, true);
    /// All there are.
    pub const ALL: Self = Self::new(true, true);

    const fn new(v0: bool, v1: bool) -> Self {
        Self { v0, v1 }
    }

    /// What a client offers to a server of which it knows nothing: the highest. `None` if it has
    /// none.
    // rfc8684:3.1-23
    #[inline]
    pub const fn first_offer(self) -> Option<Version> {
        match (self.v1, self.v0) {
            (true, _) => Some(Version::V1),
            (false, true) => Some(Version::V0),
            (false, false) => None,
        }
    }

    /// The version in which a server answers a SYN, `None`: as plain TCP does.
    ///
    /// RFC 8684 section 3.1: the highest that both speak. Who offers a newer version than ours
    /// writes its SYN as version 1 does. Who speaks version 0 alone wants the client's key in the
    /// SYN; that of version 1 has none, so that its option is ignored.
    // rfc8684:3.1-9 rfc8684:3.1-24
    #[inline]
    pub fn answer(self, syn: &Received) -> Option<Version> {
        match syn.mp_capable?.version {
            version0::VERSION => self.v0.then_some(Version::V0),
            _ => self.v1.then_some(Version::V1),
        }
    }
}

#[cfg(test)]
mod tests;
