// SPDX-License-Identifier: GPL-2.0

//! ADD_ADDR and REMOVE_ADDR (RFC 8684 sections 3.4.1 and 3.4.2, RFC 6824 for version 0).

use super::bytes::{Reader, Writer};
use super::{subtype, Malformed, Version};

/// An IP address, octets in the order of the wire.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// IPv6.
    V6([u8; 16]),
}

impl Address {
    /// The octets.
    #[inline]
    pub const fn octets(&self) -> &[u8] {
        match self {
            Self::V4(octets) => octets,
            Self::V6(octets) => octets,
        }
    }

    /// Whether two addresses are of one family.
    #[inline]
    pub const fn same_family(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::V4(_), Self::V4(_)) | (Self::V6(_), Self::V6(_))
        )
    }
}

/// An ADD_ADDR option (RFC 8684 section 3.4.1, for version 0 RFC 6824 section 3.4.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AddAddr {
    /// The sender's id of the address.
    pub address_id: u8,
    /// The address.
    pub address: Address,
    /// The TCP port, if it is another one than that of the subflow the option came on.
    pub port: Option<u16>,
    /// The rightmost 64 bits of the HMAC; `None` makes the option an echo (the E bit), or one of
    /// version 0, which has neither.
    pub hmac: Option<u64>,
}

impl AddAddr {
    const E: u8 = 0x1;

    /// Parses `body`, the bytes after kind and length, as an option of `version`.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is one that the version has.
    #[inline]
    pub fn parse_as(version: Version, body: &[u8]) -> Result<Self, Malformed> {
        match version {
            Version::V0 => Self::parse_v0(body),
            Version::V1 => Self::parse(body),
        }
    }

    /// RFC 6824 section 3.4.1: in version 0 the family stands beside the subtype, and length and
    /// family must agree.
    // rfc8684:v0-3
    fn parse_v0(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let family = reader.u8()? & 0xf;
        let address_id = reader.u8()?;
        let (address, port) = match (family, reader.left()) {
            (4, 4 | 6) => (Address::V4(reader.array()?), reader.u16().ok()),
            (6, 16 | 18) => (Address::V6(reader.array()?), reader.u16().ok()),
            _ => return Err(Malformed),
        };
        Ok(Self {
            address_id,
            address,
            port,
            hmac: None,
        })
    }

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is that of an IPv4 or IPv6 address with or without a port,
    /// and with an HMAC exactly when it is no echo.
    // rfc8684:3.4.1-14
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let echo = reader.u8()? & Self::E != 0;
        let address_id = reader.u8()?;
        let left = match echo {
            true => reader.left(),
            false => reader.left().checked_sub(8).ok_or(Malformed)?,
        };
        let address = match left {
            4 | 6 => Address::V4(reader.array()?),
            16 | 18 => Address::V6(reader.array()?),
            _ => return Err(Malformed),
        };
        let port = match left {
            6 | 18 => Some(reader.u16()?),
            _ => None,
        };
        let hmac = match echo {
            true => None,
            false => Some(reader.u64()?),
        };
        reader.end()?;
        Ok(Self {
            address_id,
            address,
            port,
            hmac,
        })
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        let address: u8 = match self.address {
            Address::V4(_) => 8,
            Address::V6(_) => 20,
        };
        let port = match self.port {
            Some(_) => 2,
            None => 0,
        };
        let hmac = match self.hmac {
            Some(_) => 8,
            None => 0,
        };
        address.wrapping_add(port).wrapping_add(hmac)
    }

    /// The echo that confirms this option.
    #[inline]
    pub const fn echo(&self) -> Self {
        Self {
            hmac: None,
            ..*self
        }
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        self.emit_as(Version::V1, out)
    }

    /// As [`Self::emit`], for `version`; `None` too if the version has no such option: in version
    /// 0 there is no HMAC.
    // rfc8684:3.4.1-13
    #[inline]
    pub fn emit_as(&self, version: Version, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        let low = match (version, self.hmac, self.address) {
            (Version::V0, Some(_), _) => return None,
            (Version::V0, None, Address::V4(_)) => 4,
            (Version::V0, None, Address::V6(_)) => 6,
            (Version::V1, hmac, _) => u8::from(hmac.is_none()),
        };
        writer.option(self.length(), subtype::ADD_ADDR, low)?;
        writer.u8(self.address_id)?;
        match self.address {
            Address::V4(octets) => writer.array(octets)?,
            Address::V6(octets) => writer.array(octets)?,
        }
        if let Some(port) = self.port {
            writer.u16(port)?;
        }
        if let Some(hmac) = self.hmac {
            writer.u64(hmac)?;
        }
        Some(writer.written())
    }
}

/// A REMOVE_ADDR option (RFC 8684 section 3.4.2): a list of address ids, at least one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RemoveAddr {
    ids: [u8; Self::MAX_IDS],
    count: u8,
}

impl RemoveAddr {
    /// The most ids that fit one option.
    pub const MAX_IDS: usize = 37;

    /// An option with these ids; `None` if there are none or more than [`Self::MAX_IDS`].
    #[inline]
    pub fn new(ids: &[u8]) -> Option<Self> {
        let count = u8::try_from(ids.len()).ok()?;
        if ids.is_empty() || ids.len() > Self::MAX_IDS {
            return None;
        }
        let mut copy = [0; Self::MAX_IDS];
        for (place, id) in copy.iter_mut().zip(ids) {
            *place = *id;
        }
        Some(Self { ids: copy, count })
    }

    /// The ids.
    #[inline]
    pub fn ids(&self) -> &[u8] {
        self.ids.get(..usize::from(self.count)).unwrap_or(&[])
    }

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] if there is no id.
    #[inline]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        reader.u8()?;
        Self::new(reader.rest()).ok_or(Malformed)
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        self.count.wrapping_add(3)
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(self.length(), subtype::REMOVE_ADDR, 0)?;
        for id in self.ids() {
            writer.u8(*id)?;
        }
        Some(writer.written())
    }
}
