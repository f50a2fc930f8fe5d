// SPDX-License-Identifier: GPL-2.0

//! What the options of one received segment said.

use super::bytes::Reader;
use super::{
    kind, subtype, walk, AddAddr, CapableContent, Dss, Malformed, MpCapable, MpFail, MpFastclose,
    MpJoin, MpPrio, MpTcpRst, RemoveAddr, Version,
};

/// What a segment is, as far as the meaning of its options depends on it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SegmentKind {
    /// The SYN flag.
    pub syn: bool,
    /// The ACK flag.
    pub ack: bool,
}

impl SegmentKind {
    /// The first of a handshake.
    pub const SYN: Self = Self {
        syn: true,
        ack: false,
    };
    /// The answer to it.
    pub const SYN_ACK: Self = Self {
        syn: true,
        ack: true,
    };
    /// All that follow.
    pub const ACK: Self = Self {
        syn: false,
        ack: true,
    };
}

/// The TCP timestamps option (RFC 7323 section 3).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Timestamp {
    /// TSval: the sender's clock.
    pub value: u32,
    /// TSecr: the echo of the receiver's clock.
    pub echo: u32,
}

/// What the options of one segment said; of several options of one subtype the first counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Received {
    /// MP_CAPABLE, of the form that belongs to the segment's flags.
    pub mp_capable: Option<MpCapable>,
    /// MP_JOIN, of the form that belongs to the segment's flags.
    pub mp_join: Option<MpJoin>,
    /// DSS.
    pub dss: Option<Dss>,
    /// ADD_ADDR.
    pub add_addr: Option<AddAddr>,
    /// REMOVE_ADDR.
    pub remove_addr: Option<RemoveAddr>,
    /// MP_PRIO.
    pub mp_prio: Option<MpPrio>,
    /// The address id of an MP_PRIO of version 0, if it has one; see [`MpPrio::parse_as`].
    pub mp_prio_address: Option<u8>,
    /// MP_FAIL.
    pub mp_fail: Option<MpFail>,
    /// MP_FASTCLOSE.
    pub fastclose: Option<MpFastclose>,
    /// MP_TCPRST.
    pub tcp_rst: Option<MpTcpRst>,
    /// The TCP timestamps, which the receive hook needs for PAWS.
    pub timestamp: Option<Timestamp>,
    /// How many MPTCP options were ignored because they were malformed, unknown, repeated or in
    /// the wrong kind of segment; an impossible option length counts too and ends the parse.
    pub malformed: u8,
}

impl Received {
    /// Reads `options`, the bytes between the fixed TCP header and the data of a segment of a
    /// connection of version 1, or of a handshake: MP_CAPABLE says its version itself, and MP_JOIN
    /// is the same in all.
    #[inline]
    pub fn parse(options: &[u8], segment: SegmentKind) -> Self {
        Self::parse_as(Version::V1, options, segment)
    }

    /// Reads `options`, the bytes between the fixed TCP header and the data of a segment of a
    /// connection of `version`.
    #[inline]
    pub fn parse_as(version: Version, options: &[u8], segment: SegmentKind) -> Self {
        Self::parse_lone_dss(options).unwrap_or_else(|| Self::parse_any(version, options, segment))
    }

    /// As [`Self::parse`], for what nearly all segments carry: timestamps as every stack lays them out, or
    /// none, then one DSS, then padding. `None` if the options are anything else.
    #[inline(always)]
    pub fn parse_lone_dss(options: &[u8]) -> Option<Self> {
        let (dss, timestamp) = lone_dss(options)?;
        Some(Self {
            dss: Some(dss),
            timestamp,
            ..Self::default()
        })
    }

    /// As [`Self::parse_as`], for what few segments carry.
    #[inline(never)]
    pub fn parse_any(version: Version, options: &[u8], segment: SegmentKind) -> Self {
        let mut received = Self::default();
        let mut options = walk(options);
        for option in options.by_ref() {
            match option.kind {
                kind::MPTCP => received.take(version, option.body, segment),
                kind::TIMESTAMP => received.take_timestamp(option.body),
                _ => {}
            }
        }
        if options.broken() {
            received.refuse();
        }
        received
    }

    /// Whether the segment had any MPTCP option that counts.
    #[inline]
    pub const fn has_mptcp(&self) -> bool {
        self.dss.is_some() || self.has_other_than_dss()
    }

    /// Whether the segment had any MPTCP option that counts beside a DSS.
    #[inline]
    pub const fn has_other_than_dss(&self) -> bool {
        self.mp_capable.is_some()
            || self.mp_join.is_some()
            || self.add_addr.is_some()
            || self.remove_addr.is_some()
            || self.mp_prio.is_some()
            || self.mp_fail.is_some()
            || self.fastclose.is_some()
            || self.tcp_rst.is_some()
    }

    // rfc8684:3-1
    // Out of line, so that all of this stays in memory instead of being moved about.
    #[inline(never)]
    fn take(&mut self, version: Version, body: &[u8], segment: SegmentKind) {
        let taken = match body.first().map(|byte| byte >> 4) {
            Some(subtype::DSS) => first(&mut self.dss, Dss::parse(body)),
            Some(other) => self.take_rare(version, other, body, segment),
            None => Err(Malformed),
        };
        if taken.is_err() {
            self.refuse();
        }
    }

    fn take_rare(
        &mut self,
        version: Version,
        subtype: u8,
        body: &[u8],
        segment: SegmentKind,
    ) -> Result<(), Malformed> {
        match subtype {
            subtype::MP_CAPABLE => {
                let option = MpCapable::parse(body).and_then(|o| fitting_capable(o, segment));
                first(&mut self.mp_capable, option)
            }
            subtype::MP_JOIN => {
                let option = MpJoin::parse(body).and_then(|o| fitting_join(o, segment));
                first(&mut self.mp_join, option)
            }
            subtype::ADD_ADDR => first(&mut self.add_addr, AddAddr::parse_as(version, body)),
            subtype::REMOVE_ADDR => first(&mut self.remove_addr, RemoveAddr::parse(body)),
            subtype::MP_PRIO => {
                let (option, address) = MpPrio::parse_as(version, body)?;
                first(&mut self.mp_prio, Ok(option))?;
                self.mp_prio_address = address;
                Ok(())
            }
            subtype::MP_FAIL => first(&mut self.mp_fail, MpFail::parse(body)),
            subtype::MP_FASTCLOSE => first(&mut self.fastclose, MpFastclose::parse(body)),
            // RFC 6824 section 8.3 does not know it. rfc8684:v0-5
            subtype::MP_TCPRST if version == Version::V0 => Err(Malformed),
            subtype::MP_TCPRST => first(&mut self.tcp_rst, MpTcpRst::parse(body)),
            _ => Err(Malformed),
        }
    }

    #[inline]
    fn take_timestamp(&mut self, body: &[u8]) {
        let mut reader = Reader::new(body);
        if let (Ok(value), Ok(echo), 0) = (reader.u32(), reader.u32(), reader.left()) {
            self.timestamp.get_or_insert(Timestamp { value, echo });
        }
    }

    #[inline]
    fn refuse(&mut self) {
        self.malformed = self.malformed.saturating_add(1);
    }
}

/// RFC 7323 appendix A: how every stack lays timestamps out.
#[inline]
fn lone_dss(options: &[u8]) -> Option<(Dss, Option<Timestamp>)> {
    let (timestamp, rest) = match options.split_first_chunk::<12>() {
        Some(([kind::NOP, kind::NOP, kind::TIMESTAMP, 10, a, b, c, d, e, f, g, h], rest)) => {
            let timestamp = Timestamp {
                value: u32::from_be_bytes([*a, *b, *c, *d]),
                echo: u32::from_be_bytes([*e, *f, *g, *h]),
            };
            (Some(timestamp), rest)
        }
        _ => (None, options),
    };
    let (&[kind::MPTCP, length], rest) = rest.split_first_chunk::<2>()? else {
        return None;
    };
    let (body, padding) = rest.split_at_checked(usize::from(length.checked_sub(2)?))?;
    let is_dss = body.first().is_some_and(|byte| byte >> 4 == subtype::DSS);
    if !is_dss || padding.iter().any(|byte| *byte != kind::NOP) {
        return None;
    }
    Some((Dss::parse(body).ok()?, timestamp))
}

/// Fills `place` unless it is taken.
#[inline]
fn first<T>(place: &mut Option<T>, option: Result<T, Malformed>) -> Result<(), Malformed> {
    let option = option?;
    if place.is_some() {
        return Err(Malformed);
    }
    *place = Some(option);
    Ok(())
}

/// RFC 8684 section 3.1: the form of MP_CAPABLE follows from the segment's place in the handshake.
fn fitting_capable(option: MpCapable, segment: SegmentKind) -> Result<MpCapable, Malformed> {
    let fits = match option.content {
        // Version 0 (RFC 6824 section 3.1) has the sender's key in the SYN already.
        CapableContent::SynAck { .. } if option.version == 0 => segment.syn,
        CapableContent::Syn => segment.syn && !segment.ack,
        CapableContent::SynAck { .. } => segment.syn && segment.ack,
        CapableContent::Ack { .. } | CapableContent::AckData { .. } => !segment.syn && segment.ack,
    };
    if fits {
        Ok(option)
    } else {
        Err(Malformed)
    }
}

/// RFC 8684 section 3.2: the form of MP_JOIN follows from the segment's place in the handshake.
fn fitting_join(option: MpJoin, segment: SegmentKind) -> Result<MpJoin, Malformed> {
    let fits = match option {
        MpJoin::Syn { .. } => segment.syn && !segment.ack,
        MpJoin::SynAck { .. } => segment.syn && segment.ack,
        MpJoin::Ack { .. } => !segment.syn && segment.ack,
    };
    if fits {
        Ok(option)
    } else {
        Err(Malformed)
    }
}
