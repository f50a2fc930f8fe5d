// SPDX-License-Identifier: GPL-2.0

//! MP_CAPABLE (RFC 8684 section 3.1): the option that opens a connection.

use super::bytes::{Reader, Writer};
use super::{subtype, Malformed};
use crate::crypto::Key;

/// The flags of MP_CAPABLE (RFC 8684 section 3.1). The unassigned bits D to G are sent as zero and
/// ignored on receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CapableFlags {
    /// A: the sender requires DSS checksums.
    pub checksum: bool,
    /// B: reserved for a future extension; must be zero today.
    pub extensibility: bool,
    /// C: the peer must not open subflows to the source address and port of this option.
    pub deny_join: bool,
    /// H: the sender can use the algorithm of its version, HMAC-SHA256, or HMAC-SHA1 in version 0.
    pub hmac_sha256: bool,
}

impl CapableFlags {
    const A: u8 = 0x80;
    const B: u8 = 0x40;
    const C: u8 = 0x20;
    const H: u8 = 0x01;

    /// The flags in this byte.
    #[inline]
    pub const fn from_byte(byte: u8) -> Self {
        Self {
            checksum: byte & Self::A != 0,
            extensibility: byte & Self::B != 0,
            deny_join: byte & Self::C != 0,
            hmac_sha256: byte & Self::H != 0,
        }
    }

    /// The flags that this version has.
    ///
    /// RFC 6824 section 3.1: in version 0 the bits C to H are all names of algorithms.
    #[inline]
    const fn in_version(self, version: u8) -> Self {
        Self {
            deny_join: self.deny_join && version != 0,
            ..self
        }
    }

    /// The byte of these flags.
    #[inline]
    pub const fn to_byte(self) -> u8 {
        const fn bit(set: bool, mask: u8) -> u8 {
            if set {
                mask
            } else {
                0
            }
        }
        bit(self.checksum, Self::A)
            | bit(self.extensibility, Self::B)
            | bit(self.deny_join, Self::C)
            | bit(self.hmac_sha256, Self::H)
    }
}

/// What an MP_CAPABLE carries beside version and flags; its length tells which
/// (RFC 8684 section 3.1; for version 0 RFC 6824 section 3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CapableContent {
    /// SYN, 4 bytes: nothing. Not in version 0.
    Syn,
    /// SYN/ACK, and SYN of version 0, 12 bytes.
    SynAck {
        /// The key of the end that sends the option.
        sender: Key,
    },
    /// Third ACK without data, 20 bytes.
    Ack {
        /// The key of the end that sends the option.
        sender: Key,
        /// The key of the end that receives it, echoed.
        receiver: Key,
    },
    /// Third ACK or first segment with data, 22 or 24 bytes. Not in version 0.
    AckData {
        /// The key of the end that sends the option.
        sender: Key,
        /// The key of the end that receives it, echoed.
        receiver: Key,
        /// How many bytes of data the implied mapping covers; they start at the sender's initial
        /// data sequence number plus one and at relative subflow sequence number one.
        data_len: u16,
        /// The DSS checksum of that mapping, if checksums are in use.
        checksum: Option<u16>,
    },
}

/// An MP_CAPABLE option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MpCapable {
    /// The protocol version, four bits; 1 for RFC 8684, 0 for RFC 6824.
    pub version: u8,
    /// The flags.
    pub flags: CapableFlags,
    /// The rest.
    pub content: CapableContent,
}

impl MpCapable {
    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is one of those of [`CapableContent`] that the version
    /// has.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let version = reader.u8()? & 0xf;
        let flags = CapableFlags::from_byte(reader.u8()?).in_version(version);
        let content = match reader.left() {
            0 | 18 | 20 if version == 0 => return Err(Malformed),
            0 => CapableContent::Syn,
            8 => CapableContent::SynAck {
                sender: Key::new(reader.u64()?),
            },
            16 => CapableContent::Ack {
                sender: Key::new(reader.u64()?),
                receiver: Key::new(reader.u64()?),
            },
            18 | 20 => CapableContent::AckData {
                sender: Key::new(reader.u64()?),
                receiver: Key::new(reader.u64()?),
                data_len: reader.u16()?,
                checksum: reader.u16().ok(),
            },
            _ => return Err(Malformed),
        };
        Ok(Self {
            version,
            flags,
            content,
        })
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        match self.content {
            CapableContent::Syn => 4,
            CapableContent::SynAck { .. } => 12,
            CapableContent::Ack { .. } => 20,
            CapableContent::AckData { checksum: None, .. } => 22,
            CapableContent::AckData { .. } => 24,
        }
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(self.length(), subtype::MP_CAPABLE, self.version)?;
        writer.u8(self.flags.in_version(self.version).to_byte())?;
        match self.content {
            CapableContent::Syn => {}
            CapableContent::SynAck { sender } => writer.u64(sender.raw())?,
            CapableContent::Ack { sender, receiver } => {
                writer.u64(sender.raw())?;
                writer.u64(receiver.raw())?;
            }
            CapableContent::AckData {
                sender,
                receiver,
                data_len,
                checksum,
            } => {
                writer.u64(sender.raw())?;
                writer.u64(receiver.raw())?;
                writer.u16(data_len)?;
                if let Some(checksum) = checksum {
                    writer.u16(checksum)?;
                }
            }
        }
        Some(writer.written())
    }
}
