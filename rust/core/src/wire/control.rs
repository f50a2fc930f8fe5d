// SPDX-License-Identifier: GPL-2.0

//! The small options: MP_PRIO, MP_FAIL, MP_FASTCLOSE and MP_TCPRST.

use super::bytes::{Reader, Writer};
use super::{subtype, Malformed, Version};
use crate::crypto::Key;
use crate::seq::Dsn;

/// An MP_PRIO option (RFC 8684 section 3.3.8): changes the priority of the subflow it comes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MpPrio {
    /// B: send on this subflow only when no other works.
    pub backup: bool,
}

impl MpPrio {
    const B: u8 = 0x1;
    const LENGTH: u8 = 3;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is 3.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let backup = reader.u8()? & Self::B != 0;
        reader.end()?;
        Ok(Self { backup })
    }

    /// Parses `body`, the bytes after kind and length, as an option of `version`. The second
    /// result is the address id of version 0: the option then speaks of all subflows of the
    /// sender's address with that id (RFC 6824 section 3.3.8).
    ///
    /// # Errors
    /// [`Malformed`] unless the length is 3, or 4 in version 0.
    // rfc8684:v0-7
    #[inline]
    pub fn parse_as(version: Version, body: &[u8]) -> Result<(Self, Option<u8>), Malformed> {
        match (version, body) {
            (Version::V0, [flags, address_id]) => {
                let option = Self::parse(core::slice::from_ref(flags))?;
                Ok((option, Some(*address_id)))
            }
            _ => Self::parse(body).map(|option| (option, None)),
        }
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        Self::LENGTH
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(Self::LENGTH, subtype::MP_PRIO, u8::from(self.backup))?;
        Some(writer.written())
    }
}

/// An MP_FAIL option (RFC 8684 section 3.7): a checksum failed.
// rfc8684:3.7-12
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MpFail {
    /// The data sequence number of the start of the mapping whose checksum failed.
    pub dsn: Dsn,
}

impl MpFail {
    const LENGTH: u8 = 12;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is 12.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        reader.u16()?;
        let dsn = Dsn::new(reader.u64()?);
        reader.end()?;
        Ok(Self { dsn })
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        Self::LENGTH
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(Self::LENGTH, subtype::MP_FAIL, 0)?;
        writer.u8(0)?;
        writer.u64(self.dsn.raw())?;
        Some(writer.written())
    }
}

/// An MP_FASTCLOSE option (RFC 8684 section 3.5): the connection is aborted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MpFastclose {
    /// The key of the end that receives the option, as proof of who sent it.
    pub receiver: Key,
}

impl MpFastclose {
    const LENGTH: u8 = 12;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is 12.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        reader.u16()?;
        let receiver = Key::new(reader.u64()?);
        reader.end()?;
        Ok(Self { receiver })
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        Self::LENGTH
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(Self::LENGTH, subtype::MP_FASTCLOSE, 0)?;
        writer.u8(0)?;
        writer.u64(self.receiver.raw())?;
        Some(writer.written())
    }
}

/// Why a subflow was reset (RFC 8684 section 3.6); numbers that have no constant are legal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ResetReason(pub u8);

impl ResetReason {
    /// Nothing more is known.
    pub const UNSPECIFIED: Self = Self(0);
    /// The peer broke the rules of MPTCP.
    pub const MPTCP_SPECIFIC: Self = Self(1);
    /// The sender has not the resources for the subflow.
    pub const LACK_OF_RESOURCES: Self = Self(2);
    /// The sender's administrator does not allow the subflow.
    pub const ADMINISTRATIVELY_PROHIBITED: Self = Self(3);
    /// Too much data waits to be acknowledged at the connection level.
    pub const TOO_MUCH_OUTSTANDING_DATA: Self = Self(4);
    /// The subflow performs too badly.
    pub const UNACCEPTABLE_PERFORMANCE: Self = Self(5);
    /// A middlebox interferes with the subflow.
    pub const MIDDLEBOX_INTERFERENCE: Self = Self(6);

    /// Its number on the wire.
    #[inline]
    pub const fn raw(self) -> u8 {
        self.0
    }
}

/// An MP_TCPRST option (RFC 8684 section 3.6): says in a RST why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MpTcpRst {
    /// T: the condition may pass, the subflow can be tried again later.
    pub transient: bool,
    /// The reason.
    pub reason: ResetReason,
}

impl MpTcpRst {
    const T: u8 = 0x1;
    const LENGTH: u8 = 4;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is 4.
    // rfc8684:3.6-2
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let transient = reader.u8()? & Self::T != 0;
        let reason = ResetReason(reader.u8()?);
        reader.end()?;
        Ok(Self { transient, reason })
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        Self::LENGTH
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    // rfc8684:3.6-1
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(Self::LENGTH, subtype::MP_TCPRST, u8::from(self.transient))?;
        writer.u8(self.reason.0)?;
        Some(writer.written())
    }
}
