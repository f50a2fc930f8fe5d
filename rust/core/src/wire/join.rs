// SPDX-License-Identifier: GPL-2.0

//! MP_JOIN (RFC 8684 section 3.2): the option that adds a subflow to a connection.

use super::bytes::{Reader, Writer};
use super::{subtype, Malformed};
use crate::crypto::Token;

/// An MP_JOIN option; its length tells which segment of the handshake it belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MpJoin {
    /// SYN, 12 bytes.
    Syn {
        /// B: use this subflow only when no other works.
        backup: bool,
        /// The sender's id for the source address.
        address_id: u8,
        /// The receiver's token of the connection to join.
        token: Token,
        /// The sender's random number.
        nonce: u32,
    },
    /// SYN/ACK, 16 bytes.
    SynAck {
        /// B: use this subflow only when no other works.
        backup: bool,
        /// The sender's id for the source address.
        address_id: u8,
        /// The leftmost 64 bits of the sender's HMAC.
        hmac: u64,
        /// The sender's random number.
        nonce: u32,
    },
    /// Third ACK, 24 bytes.
    Ack {
        /// The leftmost 160 bits of the sender's HMAC.
        hmac: [u8; 20],
    },
}

impl MpJoin {
    const B: u8 = 0x1;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is one of the three.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let backup = reader.u8()? & Self::B != 0;
        let address_id = reader.u8()?;
        match reader.left() {
            8 => Ok(Self::Syn {
                backup,
                address_id,
                token: Token::new(reader.u32()?),
                nonce: reader.u32()?,
            }),
            12 => Ok(Self::SynAck {
                backup,
                address_id,
                hmac: reader.u64()?,
                nonce: reader.u32()?,
            }),
            20 => Ok(Self::Ack {
                hmac: reader.array()?,
            }),
            _ => Err(Malformed),
        }
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        match self {
            Self::Syn { .. } => 12,
            Self::SynAck { .. } => 16,
            Self::Ack { .. } => 24,
        }
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    // rfc8684:3.2-11
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        match *self {
            Self::Syn {
                backup,
                address_id,
                token,
                nonce,
            } => {
                writer.option(self.length(), subtype::MP_JOIN, u8::from(backup))?;
                writer.u8(address_id)?;
                writer.u32(token.raw())?;
                writer.u32(nonce)?;
            }
            Self::SynAck {
                backup,
                address_id,
                hmac,
                nonce,
            } => {
                writer.option(self.length(), subtype::MP_JOIN, u8::from(backup))?;
                writer.u8(address_id)?;
                writer.u64(hmac)?;
                writer.u32(nonce)?;
            }
            Self::Ack { hmac } => {
                writer.option(self.length(), subtype::MP_JOIN, 0)?;
                writer.u8(0)?;
                writer.array(hmac)?;
            }
        }
        Some(writer.written())
    }
}
