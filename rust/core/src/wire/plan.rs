// SPDX-License-Identifier: GPL-2.0

//! Choosing which options fit the option space of an outgoing segment.
//!
//! TCP writes its own options first; what it leaves free of [`super::OPTION_SPACE`] is ours. A
//! data segment without its mapping would stall the connection, so some options are essential: if
//! they do not fit, the plan says how many bytes are missing and the caller takes them from TCP's
//! selective acknowledgements. All others wait for a later segment.

use super::{
    pad, padded, AddAddr, Dss, MpCapable, MpFail, MpFastclose, MpJoin, MpPrio, MpTcpRst,
    RemoveAddr, Version,
};

/// What a segment should carry.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// MP_CAPABLE.
    pub mp_capable: Option<MpCapable>,
    /// MP_JOIN.
    pub mp_join: Option<MpJoin>,
    /// MP_FASTCLOSE.
    pub fastclose: Option<MpFastclose>,
    /// MP_TCPRST.
    pub tcp_rst: Option<MpTcpRst>,
    /// DSS.
    pub dss: Option<Dss>,
    /// MP_FAIL.
    pub mp_fail: Option<MpFail>,
    /// MP_PRIO.
    pub mp_prio: Option<MpPrio>,
    /// ADD_ADDR.
    pub add_addr: Option<AddAddr>,
    /// REMOVE_ADDR.
    pub remove_addr: Option<RemoveAddr>,
}

/// The options of one segment, chosen from what was [`Wanted`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Plan {
    /// What the segment will carry: the part of the wanted that fits.
    pub carried: Wanted,
    /// The length of the carried options, padded to a multiple of four.
    pub length: usize,
    /// How many more bytes, a multiple of four, would let all essential options fit.
    pub missing: usize,
    /// Whether something that was wanted is not carried.
    pub waiting: bool,
}

/// One option that a plan may carry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    MpCapable,
    MpJoin,
    Fastclose,
    TcpRst,
    Dss,
    MpFail,
    MpPrio,
    AddAddr,
    RemoveAddr,
}

/// Without these the segment would fail its purpose; in the order in which they are admitted.
const ESSENTIAL: [Part; 5] = [
    Part::MpCapable,
    Part::MpJoin,
    Part::Fastclose,
    Part::TcpRst,
    Part::Dss,
];

/// These can wait for another segment; in the order in which they are admitted.
const PATIENT: [Part; 4] = [Part::MpFail, Part::MpPrio, Part::RemoveAddr, Part::AddAddr];

/// What [`write`] wrote.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// Bytes of options, padded to a multiple of four.
    pub length: usize,
    /// Whether they need some of the space that the caller can free.
    pub trimmed: bool,
    /// Whether something that was wanted is not carried.
    pub waiting: bool,
}

/// Writes `dss`, which nearly all segments carry alone, to the front of `out`: into `free` bytes, or if it
/// needs them, into those that the caller can free besides, which it tells when it is asked.
#[inline]
pub fn write_dss(
    dss: &Dss,
    free: usize,
    droppable: impl FnOnce() -> usize,
    out: &mut [u8],
) -> Option<Written> {
    let length = padded(dss.length().into());
    let trimmed = length > free;
    if trimmed {
        let droppable = droppable();
        if length > free.saturating_add(droppable) {
            let wanted = Wanted {
                dss: Some(*dss),
                ..Wanted::default()
            };
            return write_any(&wanted, free, droppable, out);
        }
    }
    let written = dss.emit(out)?;
    pad(out.get_mut(written..length)?);
    Some(Written {
        length,
        trimmed,
        waiting: false,
    })
}

/// Writes what fits of `wanted` to the front of `out`: into `free` bytes, or if an essential option
/// needs them, into `droppable` more bytes that the caller can free.
#[inline]
pub fn write(wanted: &Wanted, free: usize, droppable: usize, out: &mut [u8]) -> Option<Written> {
    if let Some(dss) = wanted.lone_dss() {
        return write_dss(&dss, free, || droppable, out);
    }
    if let Some(capable) = wanted.lone_capable() {
        let length = padded(capable.length().into());
        if length <= free {
            let written = capable.emit(out)?;
            pad(out.get_mut(written..length)?);
            return Some(Written {
                length,
                ..Written::default()
            });
        }
    }
    write_any(wanted, free, droppable, out)
}

/// What TCP's own options leave of the option space of a segment, in bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Room {
    /// What is free.
    pub free: usize,
    /// What its selective acknowledgements take.
    pub sack: usize,
    /// What its timestamps take, if they may be left out.
    pub timestamps: usize,
}

/// What [`write_alone`] wrote.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WrittenAlone {
    /// Bytes of options, padded to a multiple of four.
    pub length: usize,
    /// Whether they need some of the space of selective acknowledgements.
    pub trimmed: bool,
    /// Whether they need the space of the timestamps.
    pub without_timestamps: bool,
    /// Whether something that was wanted is not carried; then nothing need give way.
    pub waiting: bool,
}

/// As [`write`], for an acknowledgement that is sent for the sake of `wanted` alone: what TCP says in
/// it was or will be said in others. Its selective acknowledgements give way first, then its
/// timestamps: ADD_ADDR with an IPv6 address and a port (RFC 8684 section 3.4.1) has 30 bytes, and
/// 12 of the 40 are those of timestamps. A receiver accepts an acknowledgement without them.
pub fn write_alone(wanted: &Wanted, room: &Room, out: &mut [u8]) -> Option<WrittenAlone> {
    let with_sack = room.free.saturating_add(room.sack);
    let with_all = with_sack.saturating_add(room.timestamps);
    let narrow = plan(wanted, room.free);
    let mut chosen = narrow;
    let mut found = (false, false);
    for (space, gives_way) in [(with_sack, (true, false)), (with_all, (true, true))] {
        if chosen.waiting {
            chosen = plan(wanted, space);
            found = gives_way;
        }
    }
    if chosen.waiting {
        (chosen, found) = (narrow, (false, false));
    }
    let (trimmed, without_timestamps) = found;
    Some(WrittenAlone {
        length: chosen.emit(out)?,
        trimmed: trimmed && room.sack > 0,
        without_timestamps,
        waiting: chosen.waiting,
    })
}

#[inline(never)]
fn write_any(wanted: &Wanted, free: usize, droppable: usize, out: &mut [u8]) -> Option<Written> {
    let narrow = plan(wanted, free);
    let trimmed = narrow.missing > 0 && droppable > 0;
    let chosen = match trimmed {
        true => plan(wanted, free.saturating_add(droppable)),
        false => narrow,
    };
    Some(Written {
        length: chosen.emit(out)?,
        trimmed,
        waiting: chosen.waiting,
    })
}

/// Chooses from `wanted` what fits into `free` bytes.
pub fn plan(wanted: &Wanted, free: usize) -> Plan {
    let mut carried = Wanted::default();
    let mut used: usize = 0;
    let mut needed: usize = 0;
    for part in ESSENTIAL {
        needed = needed.saturating_add(wanted.length_of(part));
        if !admit(wanted, part, &mut carried, &mut used, free) && part == Part::Dss {
            // A mapping without its acknowledgement still moves data.
            let bare = Wanted {
                dss: wanted.dss.map(|dss| Dss {
                    data_ack: None,
                    ..dss
                }),
                ..Wanted::default()
            };
            if wanted.dss.is_some_and(|dss| dss.map.is_some()) {
                admit(&bare, part, &mut carried, &mut used, free);
            }
        }
    }
    for part in PATIENT {
        admit(wanted, part, &mut carried, &mut used, free);
    }
    Plan {
        carried,
        length: padded(used),
        missing: padded(padded(needed).saturating_sub(free)),
        waiting: carried != *wanted,
    }
}

/// Takes `part` into the plan if it is wanted and fits; `false` if it is wanted and does not.
#[inline]
fn admit(wanted: &Wanted, part: Part, carried: &mut Wanted, used: &mut usize, free: usize) -> bool {
    let total = used.saturating_add(wanted.length_of(part));
    if padded(total) > free && total != *used {
        return false;
    }
    *used = total;
    match part {
        Part::MpCapable => carried.mp_capable = wanted.mp_capable,
        Part::MpJoin => carried.mp_join = wanted.mp_join,
        Part::Fastclose => carried.fastclose = wanted.fastclose,
        Part::TcpRst => carried.tcp_rst = wanted.tcp_rst,
        Part::Dss => carried.dss = wanted.dss,
        Part::MpFail => carried.mp_fail = wanted.mp_fail,
        Part::MpPrio => carried.mp_prio = wanted.mp_prio,
        Part::AddAddr => carried.add_addr = wanted.add_addr,
        Part::RemoveAddr => carried.remove_addr = wanted.remove_addr,
    }
    true
}

impl Wanted {
    /// What of this can be said in `version`: version 0 has no MP_TCPRST, and no HMAC in ADD_ADDR.
    #[inline]
    #[must_use]
    pub fn in_version(self, version: Version) -> Self {
        match version {
            Version::V1 => self,
            Version::V0 => Self {
                tcp_rst: None,
                add_addr: self.add_addr.map(|option| option.echo()),
                ..self
            },
        }
    }

    /// The DSS if nothing else is wanted.
    #[inline]
    fn lone_dss(&self) -> Option<Dss> {
        match self {
            Self {
                mp_capable: None,
                mp_join: None,
                fastclose: None,
                tcp_rst: None,
                dss,
                mp_fail: None,
                mp_prio: None,
                add_addr: None,
                remove_addr: None,
            } => *dss,
            _ => None,
        }
    }

    /// MP_CAPABLE if nothing else is wanted.
    #[inline]
    fn lone_capable(&self) -> Option<MpCapable> {
        match self {
            Self {
                mp_capable,
                mp_join: None,
                fastclose: None,
                tcp_rst: None,
                dss: None,
                mp_fail: None,
                mp_prio: None,
                add_addr: None,
                remove_addr: None,
            } => *mp_capable,
            _ => None,
        }
    }

    /// The length of an option in bytes; zero if it is not wanted.
    #[inline]
    fn length_of(&self, part: Part) -> usize {
        let length = match part {
            Part::MpCapable => self.mp_capable.map(|option| option.length()),
            Part::MpJoin => self.mp_join.map(|option| option.length()),
            Part::Fastclose => self.fastclose.map(|option| option.length()),
            Part::TcpRst => self.tcp_rst.map(|option| option.length()),
            Part::Dss => self.dss.map(|option| option.length()),
            Part::MpFail => self.mp_fail.map(|option| option.length()),
            Part::MpPrio => self.mp_prio.map(|option| option.length()),
            Part::AddAddr => self.add_addr.map(|option| option.length()),
            Part::RemoveAddr => self.remove_addr.map(|option| option.length()),
        };
        usize::from(length.unwrap_or(0))
    }

    /// Writes an option to the front of `out` and returns its length, zero if it is not wanted;
    /// `None` if `out` is too short.
    #[inline]
    fn emit_part(&self, version: Version, part: Part, out: &mut [u8]) -> Option<usize> {
        let written = match part {
            Part::MpCapable => self.mp_capable.map(|option| option.emit(out)),
            Part::MpJoin => self.mp_join.map(|option| option.emit(out)),
            Part::Fastclose => self.fastclose.map(|option| option.emit(out)),
            Part::TcpRst => self.tcp_rst.map(|option| option.emit(out)),
            Part::Dss => self.dss.map(|option| option.emit(out)),
            Part::MpFail => self.mp_fail.map(|option| option.emit(out)),
            Part::MpPrio => self.mp_prio.map(|option| option.emit(out)),
            Part::AddAddr => self.add_addr.map(|option| option.emit_as(version, out)),
            Part::RemoveAddr => self.remove_addr.map(|option| option.emit(out)),
        };
        written.unwrap_or(Some(0))
    }
}

impl Plan {
    /// Writes the carried options and their padding to the front of `out` and returns the length,
    /// which is [`Plan::length`]; `None` if `out` is too short.
    #[inline]
    pub fn emit(&self, out: &mut [u8]) -> Option<usize> {
        self.emit_as(Version::V1, out)
    }

    /// As [`Self::emit`], for `version`; `None` too if what is carried cannot be said in it, see
    /// [`Wanted::in_version`].
    #[inline]
    pub fn emit_as(&self, version: Version, out: &mut [u8]) -> Option<usize> {
        let mut rest = out.get_mut(..self.length)?;
        if let Some(dss) = self.carried.lone_dss() {
            let written = dss.emit(rest)?;
            pad(rest.get_mut(written..)?);
            return Some(self.length);
        }
        for part in ESSENTIAL.into_iter().chain(PATIENT) {
            let written = self.carried.emit_part(version, part, rest)?;
            rest = rest.get_mut(written..)?;
        }
        pad(rest);
        Some(self.length)
    }
}

#[cfg(test)]
mod tests;
