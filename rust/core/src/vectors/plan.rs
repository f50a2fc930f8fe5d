// SPDX-License-Identifier: GPL-2.0

//! Which options fit into a segment, what waits, and what gives way.

use super::{expect, Check};
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::plan::{plan, write, write_alone, write_dss, Room, Wanted};
use crate::wire::{
    AddAddr, Address, CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpFastclose,
    MpPrio, MpTcpRst, Received, ResetReason, SegmentKind, Version, WireSeq, OPTION_SPACE,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_plans()?;
    check_alone()?;
    check_data()?;
    check_version_zero()
}

/// No option at all.
pub(super) const NOTHING: Wanted = Wanted {
    mp_capable: None,
    mp_join: None,
    fastclose: None,
    tcp_rst: None,
    dss: None,
    mp_fail: None,
    mp_prio: None,
    add_addr: None,
    remove_addr: None,
};

/// A DSS with all that can be in it but a DATA_FIN, its mapping alone, its acknowledgement alone.
const fn full(checksum: Option<u16>) -> Dss {
    Dss {
        data_ack: Some(WireSeq::Long(7)),
        ..bare(checksum)
    }
}

const fn bare(checksum: Option<u16>) -> Dss {
    Dss {
        data_ack: None,
        map: Some(DssMap {
            dsn: WireSeq::Long(9),
            ssn: Ssn::new(1),
            len: 1420,
            checksum,
        }),
        data_fin: false,
    }
}

const ACK: Dss = Dss {
    data_ack: Some(WireSeq::Long(7)),
    map: None,
    data_fin: false,
};

const fn says(dss: Dss) -> Wanted {
    Wanted {
        dss: Some(dss),
        ..NOTHING
    }
}

const fn add(v6: bool) -> Option<AddAddr> {
    Some(AddAddr {
        address_id: 1,
        address: match v6 {
            true => Address::V6([1; 16]),
            false => Address::V4([1; 4]),
        },
        port: Some(80),
        hmac: Some(5),
    })
}

const CAPABLE: Option<MpCapable> = Some(MpCapable {
    version: 1,
    flags: CapableFlags::from_byte(1),
    content: CapableContent::Ack {
        sender: Key::new(1),
        receiver: Key::new(2),
    },
});
const PRIORITY: Option<MpPrio> = Some(MpPrio { backup: true });
const FAIL: Option<MpFail> = Some(MpFail { dsn: Dsn::new(4) });
const FASTCLOSE: Option<MpFastclose> = Some(MpFastclose {
    receiver: Key::new(3),
});
const RST: Option<MpTcpRst> = Some(MpTcpRst {
    transient: false,
    reason: ResetReason::UNSPECIFIED,
});

const ADDRESS_ALONE: Wanted = Wanted {
    add_addr: add(true),
    ..NOTHING
};
const DATA: Wanted = says(full(None));
const DATA_AND_MORE: Wanted = Wanted {
    add_addr: add(true),
    mp_prio: PRIORITY,
    ..DATA
};
const ACK_AND_PRIORITY: Wanted = Wanted {
    mp_prio: PRIORITY,
    ..says(ACK)
};
const THIRD_ACK: Wanted = Wanted {
    mp_capable: CAPABLE,
    ..NOTHING
};
const THIRD_ACK_AND_DATA: Wanted = Wanted {
    mp_capable: CAPABLE,
    ..DATA
};
const ABORT: Wanted = Wanted {
    fastclose: FASTCLOSE,
    tcp_rst: RST,
    ..NOTHING
};
const FAILURE: Wanted = Wanted {
    tcp_rst: RST,
    mp_fail: FAIL,
    ..NOTHING
};

/// A name; what is wanted and how much room there is; what is carried in how many bytes, how many are missing for
/// what cannot wait, whether something waits.
type Planned = (&'static str, Wanted, usize, Wanted, usize, usize, bool);

/// The room beside timestamps.
const STAMPED: usize = OPTION_SPACE - 12;

#[rustfmt::skip]
const PLANNED: [Planned; 16] = [
    ("nothing", NOTHING, 0, NOTHING, 0, 0, false),
    ("all of a mapping", DATA, STAMPED, DATA, 28, 0, false),
    ("all of a mapping with checksum", says(full(Some(1))), STAMPED, says(full(Some(1))), 28, 0, false),
    ("a mapping without its acknowledgement", DATA, 20, says(bare(None)), 20, 8, true),
    // One selective acknowledgement beside timestamps.
    ("no room for a mapping", DATA, STAMPED - 12, NOTHING, 0, 12, true),
    ("no room at all", DATA, 0, NOTHING, 0, 28, true),
    ("data goes first", DATA_AND_MORE, 28, DATA, 28, 0, true),
    ("an acknowledgement", says(ACK), 12, says(ACK), 12, 0, false),
    ("no room for an acknowledgement", says(ACK), 8, NOTHING, 0, 4, true),
    ("an acknowledgement and another option", ACK_AND_PRIORITY, 16, ACK_AND_PRIORITY, 16, 0, false),
    // RFC 8684 section 3.4.1: it fits a pure ACK without timestamps.
    ("the longest announcement", ADDRESS_ALONE, OPTION_SPACE, ADDRESS_ALONE, 32, 0, false),
    ("the longest announcement beside timestamps", ADDRESS_ALONE, STAMPED, NOTHING, 0, 0, true),
    ("a third ACK", THIRD_ACK, STAMPED, THIRD_ACK, 20, 0, false),
    ("a third ACK has no room for a mapping", THIRD_ACK_AND_DATA, STAMPED, THIRD_ACK, 20, 20, true),
    ("an abort", ABORT, STAMPED, ABORT, 16, 0, false),
    ("a wrong checksum", FAILURE, STAMPED, FAILURE, 16, 0, false),
];

fn check_plans() -> Check {
    for (name, wanted, free, carried, length, missing, waiting) in PLANNED {
        let found = plan(&wanted, free);
        let numbers = (found.length, found.missing, found.waiting);
        expect(found.carried == carried, name)?;
        expect(numbers == (length, missing, waiting), name)?;
        let enough = plan(&wanted, free.saturating_add(missing));
        expect(
            enough.missing == 0 && enough.carried.dss == wanted.dss,
            name,
        )?;

        let mut room = [0xaa; OPTION_SPACE];
        expect(found.emit(&mut room) == Some(length), name)?;
        let (written, behind) = room.split_at_checked(length).ok_or(name)?;
        expect(behind.iter().all(|byte| *byte == 0xaa), name)?;
        let received = Received::parse(written, SegmentKind::ACK);
        expect(received.malformed == 0, name)?;
        expect(super::captured::said(&received) == carried, name)?;
        let short = room.get_mut(..length.saturating_sub(1)).ok_or(name)?;
        expect(length == 0 || found.emit(short).is_none(), name)?;
    }
    Ok(())
}

/// A name; IPv6, the room: free, in selective acknowledgements, in timestamps; what is written: length, whether
/// acknowledgements and timestamps gave way, whether it waits.
type Alone = (&'static str, bool, [usize; 3], (usize, [bool; 3]));

#[rustfmt::skip]
const ALONE: [Alone; 7] = [
    ("there is room", false, [28, 0, 12], (20, [false, false, false])),
    ("acknowledgements give way", false, [8, 20, 12], (20, [true, false, false])),
    ("there are no timestamps", true, [40, 0, 0], (32, [false, false, false])),
    ("timestamps give way", true, [28, 0, 12], (32, [false, true, false])),
    ("both give way", true, [8, 20, 12], (32, [true, true, false])),
    ("timestamps may not give way", true, [28, 0, 0], (0, [false, false, true])),
    ("acknowledgements would not do", true, [8, 20, 0], (0, [false, false, true])),
];

fn check_alone() -> Check {
    for (name, v6, [free, sack, timestamps], expected) in ALONE {
        let wanted = Wanted {
            add_addr: add(v6),
            ..NOTHING
        };
        let room = Room {
            free,
            sack,
            timestamps,
        };
        let mut out = [0; OPTION_SPACE];
        let written = write_alone(&wanted, &room, &mut out).ok_or(name)?;
        let gives_way = [written.trimmed, written.without_timestamps, written.waiting];
        expect((written.length, gives_way) == expected, name)?;
        let bytes = out.get(..written.length).ok_or(name)?;
        let read = Received::parse(bytes, SegmentKind::ACK).add_addr;
        expect(read == wanted.add_addr.filter(|_| !written.waiting), name)?;
    }
    Ok(())
}

/// A name; the room: free, and in selective acknowledgements if that is to be asked for; what is written: length,
/// whether acknowledgements gave way, whether something waits; what is read again.
type Data = (
    &'static str,
    usize,
    Option<usize>,
    (usize, bool, bool),
    Option<Dss>,
);

#[rustfmt::skip]
const ROOMS: [Data; 5] = [
    ("room for all", 28, None, (28, false, false), Some(full(None))),
    ("room by acknowledgements", 16, Some(12), (28, true, false), Some(full(None))),
    ("room for a part", 16, Some(11), (20, true, true), Some(bare(None))),
    ("room for a part as it is", 20, Some(0), (20, false, true), Some(bare(None))),
    ("no room", 16, Some(0), (0, false, true), None),
];

fn check_data() -> Check {
    let dss = full(None);
    for (name, free, droppable, expected, read) in ROOMS {
        let (mut out, mut again) = ([0; OPTION_SPACE], [0; OPTION_SPACE]);
        let mut asked = false;
        let droppable_if_asked = || {
            asked = true;
            droppable.unwrap_or(0)
        };
        let written = write_dss(&dss, free, droppable_if_asked, &mut out).ok_or(name)?;
        expect(asked == droppable.is_some(), name)?;
        let found = (written.length, written.trimmed, written.waiting);
        expect(found == expected, name)?;
        let options = out.get(..written.length).ok_or(name)?;
        let received = Received::parse(options, SegmentKind::ACK);
        expect(received.dss == read, name)?;
        let long_way = write(&says(dss), free, droppable.unwrap_or(0), &mut again);
        expect((long_way, again) == (Some(written), out), name)?;
    }
    Ok(())
}

fn check_version_zero() -> Check {
    let name = "what version 0 cannot say";
    let wanted = Wanted {
        tcp_rst: RST,
        add_addr: add(false),
        mp_prio: PRIORITY,
        ..NOTHING
    };
    expect(wanted.in_version(Version::V1) == wanted, name)?;
    let mut room = [0; OPTION_SPACE];
    let unfit = plan(&wanted, OPTION_SPACE).emit_as(Version::V0, &mut room);
    expect(unfit.is_none(), name)?;
    let fit = wanted.in_version(Version::V0);
    let length = plan(&fit, OPTION_SPACE).emit_as(Version::V0, &mut room);
    expect(length == Some(16), name)?;
    let bytes = room.get(..16).unwrap_or(&[]);
    let received = Received::parse_as(Version::V0, bytes, SegmentKind::ACK);
    expect(received.malformed == 0, name)?;
    expect(super::captured::said(&received) == fit, name)?;
    expect(fit.tcp_rst.is_none() && fit.mp_prio == PRIORITY, name)
}
