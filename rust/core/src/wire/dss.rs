// SPDX-License-Identifier: GPL-2.0

//! DSS (RFC 8684 section 3.3): the option that carries mappings, data acknowledgements and the end
//! of the data.

use super::bytes::{Reader, Writer};
use super::{subtype, Malformed};
use crate::seq::{Dsn, Ssn};

/// A data sequence number or data acknowledgement as the wire carries it: whole, or its lower
/// half (RFC 8684 section 3.3.1).
// rfc8684:3.3.1-6
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WireSeq {
    /// The least significant 32 bits.
    Short(u32),
    /// All 64 bits.
    Long(u64),
}

impl WireSeq {
    /// The full number, the one nearest to `reference` if only its lower half is known.
    #[inline]
    pub const fn expand(self, reference: Dsn) -> Dsn {
        match self {
            Self::Short(low) => Dsn::expand(low, reference),
            Self::Long(raw) => Dsn::new(raw),
        }
    }

    /// The long form of `number`.
    #[inline]
    pub const fn long(number: Dsn) -> Self {
        Self::Long(number.raw())
    }

    /// The length of the field in bytes.
    #[inline]
    pub const fn length(self) -> u8 {
        match self {
            Self::Short(_) => 4,
            Self::Long(_) => 8,
        }
    }

    #[inline]
    fn read(reader: &mut Reader<'_>, long: bool) -> Result<Self, Malformed> {
        if long {
            reader.u64().map(Self::Long)
        } else {
            reader.u32().map(Self::Short)
        }
    }

    #[inline]
    fn write(self, writer: &mut Writer<'_>) -> Option<()> {
        match self {
            Self::Short(low) => writer.u32(low),
            Self::Long(raw) => writer.u64(raw),
        }
    }
}

/// The data sequence mapping of a DSS option (RFC 8684 section 3.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DssMap {
    /// Data sequence number of the first byte.
    pub dsn: WireSeq,
    /// Relative subflow sequence number of the first byte; zero for a DATA_FIN without data.
    pub ssn: Ssn,
    /// Bytes covered, a DATA_FIN counted as one. Zero means an infinite mapping
    /// (RFC 8684 section 3.7).
    pub len: u16,
    /// The DSS checksum, if the option has one.
    pub checksum: Option<u16>,
}

/// A DSS option.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Dss {
    /// The data acknowledgement: the next data sequence number that the sender expects.
    pub data_ack: Option<WireSeq>,
    /// The data sequence mapping.
    pub map: Option<DssMap>,
    /// F: the mapping's last byte is the DATA_FIN. Without a mapping it means nothing
    /// (RFC 8684 section 3.3.3).
    pub data_fin: bool,
}

impl Dss {
    const ACK: u8 = 0x01;
    const ACK_LONG: u8 = 0x02;
    const MAP: u8 = 0x04;
    const MAP_LONG: u8 = 0x08;
    const FIN: u8 = 0x10;

    /// Parses `body`, the bytes after kind and length.
    ///
    /// # Errors
    /// [`Malformed`] unless the length is the one that the flags ask for; a mapping may be two
    /// bytes longer, its checksum.
    // rfc8684:3.3.2-5
    #[inline(always)]
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        let [_, flags] = reader.array()?;
        let data_ack = match flags & Self::ACK {
            0 => None,
            _ => Some(WireSeq::read(&mut reader, flags & Self::ACK_LONG != 0)?),
        };
        let map = match flags & Self::MAP {
            0 => None,
            _ => Some(DssMap {
                dsn: WireSeq::read(&mut reader, flags & Self::MAP_LONG != 0)?,
                ssn: Ssn::new(reader.u32()?),
                len: reader.u16()?,
                checksum: match reader.left() {
                    0 => None,
                    _ => Some(reader.u16()?),
                },
            }),
        };
        reader.end()?;
        Ok(Self {
            data_ack,
            map,
            data_fin: flags & Self::FIN != 0,
        })
    }

    /// The data sequence number of the DATA_FIN, the last that the mapping covers; `reference`
    /// expands a short number. `None` if there is none.
    // rfc8684:3.3-3
    #[inline]
    pub fn data_fin_at(&self, reference: Dsn) -> Option<Dsn> {
        let map = self.map.filter(|map| self.data_fin && map.len > 0)?;
        Some(map.dsn.expand(reference).plus(u64::from(map.len)).minus(1))
    }

    /// How many bytes of data the mapping covers, a DATA_FIN not counted. `None` if there is no
    /// mapping or it covers only the DATA_FIN; zero if it is infinite.
    #[inline]
    pub fn data_len(&self) -> Option<u16> {
        match (self.map?.len, self.data_fin) {
            (1, true) => None,
            (len, fin) => Some(len.saturating_sub(u16::from(fin))),
        }
    }

    /// The length of the whole option in bytes.
    #[inline]
    pub const fn length(&self) -> u8 {
        let ack = match self.data_ack {
            Some(ack) => ack.length(),
            None => 0,
        };
        let map = match self.map {
            Some(DssMap { dsn, checksum, .. }) => match checksum {
                Some(_) => dsn.length().wrapping_add(8),
                None => dsn.length().wrapping_add(6),
            },
            None => 0,
        };
        ack.wrapping_add(map).wrapping_add(4)
    }

    /// Writes the whole option to the front of `out` and returns its length; `None` if `out` is
    /// too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.option(self.length(), subtype::DSS, 0)?;
        writer.u8(self.flags())?;
        if let Some(ack) = self.data_ack {
            ack.write(&mut writer)?;
        }
        if let Some(map) = self.map {
            map.dsn.write(&mut writer)?;
            writer.u32(map.ssn.raw())?;
            writer.u16(map.len)?;
            if let Some(checksum) = map.checksum {
                writer.u16(checksum)?;
            }
        }
        Some(writer.written())
    }

    // rfc8684:3.3-4
    #[inline]
    const fn flags(&self) -> u8 {
        let ack = match self.data_ack {
            Some(WireSeq::Long(_)) => Self::ACK | Self::ACK_LONG,
            Some(WireSeq::Short(_)) => Self::ACK,
            None => 0,
        };
        let map = match self.map {
            Some(DssMap {
                dsn: WireSeq::Long(_),
                ..
            }) => Self::MAP | Self::MAP_LONG,
            Some(_) => Self::MAP,
            None => 0,
        };
        let fin = if self.data_fin { Self::FIN } else { 0 };
        ack | map | fin
    }
}
