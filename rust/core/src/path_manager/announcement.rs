// SPDX-License-Identifier: GPL-2.0

//! ADD_ADDR in both directions (RFC 8684 section 3.4.1).

use super::settings::Context;
use crate::crypto::{same_code, KeyPair, Sha256};
use crate::wire::{AddAddr, Address, Version};

/// How often an ADD_ADDR without an echo is sent again.
const RETRANSMISSIONS: u8 = 3;

/// An address that one end makes known to the other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Announcement {
    /// The announcing end's id of the address.
    pub address_id: u8,
    /// The address.
    pub address: Address,
    /// The TCP port in host order, if it is another than that of the first subflow.
    pub port: Option<u16>,
}

impl Announcement {
    /// What a received ADD_ADDR announces; `None` if it is an echo or its code is not that of the
    /// peer. `keys` are those of the connection with the peer as the sender.
    ///
    /// RFC 8684 section 3.4.1: an ADD_ADDR whose HMAC does not match is ignored.
    #[inline]
    // rfc8684:3.4.1-7
    pub fn verified<H: Sha256>(option: &AddAddr, keys: KeyPair, sha: &H) -> Option<Self> {
        let code = option.hmac?;
        let expected = keys.add_addr_hmac(sha, option.address_id, &option.address, option.port);
        same_code(&code.to_be_bytes(), &expected.to_be_bytes()).then_some(Self::of(option))
    }

    /// What a received ADD_ADDR names, whoever sent it: an echo (RFC 8684 section 3.4.1), or any
    /// ADD_ADDR of version 0, which has no code (RFC 6824 section 3.4.1).
    #[inline]
    pub const fn of(option: &AddAddr) -> Self {
        Self {
            address_id: option.address_id,
            address: option.address,
            port: option.port,
        }
    }

    /// The ADD_ADDR that announces it; `keys` are those of the connection with this end as the
    /// sender.
    #[inline]
    pub fn signed<H: Sha256>(&self, keys: KeyPair, sha: &H) -> AddAddr {
        let code = keys.add_addr_hmac(sha, self.address_id, &self.address, self.port);
        AddAddr {
            hmac: Some(code),
            ..self.echo()
        }
    }

    /// The ADD_ADDR without a code: an echo, or one of version 0.
    #[inline]
    pub const fn echo(&self) -> AddAddr {
        AddAddr {
            address_id: self.address_id,
            address: self.address,
            port: self.port,
            hmac: None,
        }
    }
}

/// How far the announcement of an address of ours is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Progress {
    /// To be sent, for the first time or again.
    Due,
    /// Sent; the echo is awaited.
    Waiting {
        /// Until then, in microseconds.
        until: u64,
    },
    /// The peer has it, or no echo belongs to the protocol's version.
    Answered,
    /// No echo came.
    GivenUp,
}

/// An address of ours that is announced on the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Announced {
    pub(super) what: Announcement,
    pub(super) progress: Progress,
    /// How often it was sent.
    pub(super) sent: u8,
}

impl Announced {
    #[inline]
    pub(super) const fn new(what: Announcement) -> Self {
        Self {
            what,
            progress: Progress::Due,
            sent: 0,
        }
    }

    /// Notes that it is being sent.
    pub(super) fn on_sent(&mut self, version: Version, context: &Context<'_>) {
        let cap = context.settings.add_addr_timeout;
        // The wait doubles with every time.
        let wait = match u64::from(context.rto) {
            0 => cap,
            rto => rto.min(cap),
        };
        let wait = wait.saturating_mul(1 << self.sent.min(RETRANSMISSIONS));
        self.sent = self.sent.saturating_add(1);
        self.progress = match (version, cap) {
            (Version::V0, _) => Progress::Answered,
            (Version::V1, 0) => Progress::GivenUp,
            (Version::V1, _) => Progress::Waiting {
                until: context.now.saturating_add(wait),
            },
        };
    }

    /// Acts on the time.
    // rfc8684:3.4.1-8
    pub(super) fn wake(&mut self, now: u64) {
        // RFC 8684 section 3.4.1: the option is not acknowledged by TCP, so it is repeated until
        // its echo comes, a small number of times.
        if self.until().is_some_and(|until| until <= now) {
            self.progress = match self.sent > RETRANSMISSIONS {
                true => Progress::GivenUp,
                false => Progress::Due,
            };
        }
    }

    /// Notes an echo.
    #[inline]
    pub(super) fn on_echo(&mut self, echo: &Announcement) {
        if self.sent > 0 && self.what == *echo {
            self.progress = Progress::Answered;
        }
    }

    /// When time matters next.
    #[inline]
    pub(super) const fn until(&self) -> Option<u64> {
        match self.progress {
            Progress::Waiting { until } => Some(until),
            _ => None,
        }
    }
}
