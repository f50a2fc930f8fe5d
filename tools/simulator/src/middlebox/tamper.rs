// SPDX-License-Identifier: GPL-2.0

//! Somebody who wants into a connection without its keys: it changes what proves them in MP_JOIN.

use super::{Middlebox, Passed, Way};
use crate::segment::{Segment, Time};
use mptcp_core::wire::{pad, padded, MpJoin};

pub(super) struct Tamper {
    /// The segment of the handshake: 1 to 3.
    pub(super) which: u8,
}

impl Middlebox for Tamper {
    fn pass(&mut self, way: Way, mut segment: Segment, _now: Time, out: &mut Passed) {
        let changed = match (segment.received().mp_join, self.which) {
            (
                Some(MpJoin::Syn {
                    backup,
                    address_id,
                    token,
                    nonce,
                }),
                1,
            ) => Some(MpJoin::Syn {
                backup,
                address_id,
                token,
                nonce: !nonce,
            }),
            (
                Some(MpJoin::SynAck {
                    backup,
                    address_id,
                    hmac,
                    nonce,
                }),
                2,
            ) => Some(MpJoin::SynAck {
                backup,
                address_id,
                hmac: hmac ^ 1,
                nonce,
            }),
            (Some(MpJoin::Ack { hmac }), 3) => Some(MpJoin::Ack {
                hmac: hmac.map(|byte| !byte),
            }),
            _ => None,
        };
        if let Some(option) = changed {
            segment.options.write(|bytes| {
                let written = option.emit(bytes)?;
                let length = padded(written);
                pad(bytes.get_mut(written..length)?);
                Some(length)
            });
        }
        out.push((way, segment));
    }
}
