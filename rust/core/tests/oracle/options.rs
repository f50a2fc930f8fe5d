// SPDX-License-Identifier: GPL-2.0

//! Options of any bytes.

use crate::input::Input;
use mptcp_core::vectors::captured::said;
use mptcp_core::wire::plan::{plan, write, Wanted, Written};
use mptcp_core::wire::{
    kind, padded, walk, AddAddr, Dss, MpCapable, MpFail, MpFastclose, MpJoin, MpPrio, MpTcpRst,
    Received, RemoveAddr, SegmentKind, OPTION_SPACE,
};

/// What lies between a TCP header and its data, with the flags of the segment.
fn segment(input: &[u8]) -> (SegmentKind, &[u8]) {
    let (flags, options) = input.split_first().unwrap_or((&0, &[]));
    let segment = SegmentKind {
        syn: flags & 1 != 0,
        ack: flags & 2 != 0,
    };
    (segment, options)
}

/// The options by index arithmetic: kind and body of each, and whether the list is broken.
fn slow_walk(options: &[u8]) -> (Vec<(u8, &[u8])>, bool) {
    let mut found = Vec::new();
    let mut at = 0;
    while at < options.len() && options[at] != kind::END {
        if options[at] == kind::NOP {
            at += 1;
            continue;
        }
        let length = options.get(at + 1).map_or(0, |length| usize::from(*length));
        if length < 2 || at + length > options.len() {
            return (found, true);
        }
        found.push((options[at], &options[at + 2..at + length]));
        at += length;
    }
    (found, false)
}

/// The walk finds what a slow one finds, and a segment says what its options say one by one.
pub(crate) fn check_segment(input: &[u8]) {
    let (segment, options) = segment(input);
    let mut fast = walk(options);
    let found: Vec<(u8, &[u8])> = fast
        .by_ref()
        .map(|option| (option.kind, option.body))
        .collect();
    assert_eq!((found.clone(), fast.broken()), slow_walk(options));

    let received = Received::parse(options, segment);
    let shifted: Vec<u8> = [kind::NOP].iter().chain(options).copied().collect();
    assert_eq!(received, Received::parse(&shifted, segment));

    let bodies = found.iter().filter(|(kind, _)| *kind == kind::MPTCP);
    let counted = [
        received.mp_capable.is_some(),
        received.mp_join.is_some(),
        received.dss.is_some(),
        received.add_addr.is_some(),
        received.remove_addr.is_some(),
        received.mp_prio.is_some(),
        received.mp_fail.is_some(),
        received.fastclose.is_some(),
        received.tcp_rst.is_some(),
    ];
    let counted = counted.iter().filter(|is| **is).count();
    let all = bodies.clone().count() + usize::from(fast.broken());
    assert_eq!(
        counted + usize::from(received.malformed),
        all.min(counted + 255)
    );
    assert_eq!(received.has_mptcp(), counted > 0);
    let beside = counted - usize::from(received.dss.is_some());
    assert_eq!(received.has_other_than_dss(), beside > 0);

    // The first that is well formed counts.
    let first = |subtype: u8| {
        let mut bodies = bodies.clone().map(|(_, body)| *body);
        move |parses: fn(&[u8]) -> bool| {
            bodies
                .find(|body| body.first().is_some_and(|byte| byte >> 4 == subtype) && parses(body))
        }
    };
    let dss = first(2)(|body| Dss::parse(body).is_ok());
    assert_eq!(received.dss, dss.and_then(|body| Dss::parse(body).ok()));
    let add = first(3)(|body| AddAddr::parse(body).is_ok());
    assert_eq!(
        received.add_addr,
        add.and_then(|body| AddAddr::parse(body).ok())
    );
    let remove = first(4)(|body| RemoveAddr::parse(body).is_ok());
    let expected = remove.and_then(|body| RemoveAddr::parse(body).ok());
    assert_eq!(received.remove_addr, expected);
    let fail = first(6)(|body| MpFail::parse(body).is_ok());
    assert_eq!(
        received.mp_fail,
        fail.and_then(|body| MpFail::parse(body).ok())
    );
}

/// Parses a body, and if it is well formed writes it again: the same value, the length that was
/// promised, the bytes that it came from with reserved bits cleared, and no room too small.
macro_rules! round_trip {
    ($type:ty, $body:expr, $reserved:expr) => {
        if let Ok(option) = <$type>::parse($body) {
            let mut room = [0xaa; OPTION_SPACE + 2];
            let length = option.emit(&mut room).expect("any option fits the room");
            assert_eq!(length, usize::from(option.length()));
            assert_eq!(room[..2], [kind::MPTCP, length as u8]);
            assert_eq!(<$type>::parse(&room[2..length]), Ok(option));
            assert!(room[length..].iter().all(|byte| *byte == 0xaa));
            let mut cleared = $body.to_vec();
            for (byte, reserved) in cleared.iter_mut().zip($reserved) {
                *byte &= !reserved;
            }
            assert_eq!(room[2..length], cleared);
            for short in 0..length {
                assert_eq!(option.emit(&mut room[..short]), None);
            }
        }
    };
}

/// Bits of a DSS that mean nothing: the reserved, and the width of a field that is not there.
fn idle_flags(body: &[u8]) -> [u8; 2] {
    let flags = body.get(1).copied().unwrap_or(0);
    let width = |field, wide| if flags & field == 0 { wide } else { 0 };
    [0x0f, 0xe0 | width(0x01, 0x02) | width(0x04, 0x08)]
}

/// Every form of every option survives being parsed and written.
// rfc8684:3.2-11 rfc8684:3.6-1 rfc8684:3.6-2 rfc8684:3.7-12
// rfc8684:3.3-4 rfc8684:3.4.1-13 rfc8684:3.4.1-14
pub(crate) fn check_option(input: &[u8]) {
    let mut body = input[..input.len().min(OPTION_SPACE - 2)].to_vec();
    // The subtype is the caller's to look at, so any body may be any option.
    for subtype in 0..9 {
        if let Some(first) = body.first_mut() {
            *first = subtype << 4 | *first & 0xf;
        }
        let body = body.as_slice();
        match subtype {
            // In version 0 the bits C to G are all names of algorithms.
            0 if body.first() == Some(&0) => round_trip!(MpCapable, body, [0, 0x3e]),
            0 => round_trip!(MpCapable, body, [0, 0x1e]),
            1 if body.len() == 22 => round_trip!(MpJoin, body, [0x0f, 0xff]),
            1 => round_trip!(MpJoin, body, [0x0e]),
            2 => round_trip!(Dss, body, idle_flags(body)),
            3 => round_trip!(AddAddr, body, [0x0e]),
            4 => round_trip!(RemoveAddr, body, [0x0f]),
            5 => round_trip!(MpPrio, body, [0x0e]),
            6 => round_trip!(MpFail, body, [0x0f, 0xff]),
            7 => round_trip!(MpFastclose, body, [0x0f, 0xff]),
            _ => round_trip!(MpTcpRst, body, [0x0e]),
        }
    }
}

/// A plan carries what fits, says what it lacks, and what it writes means what it carries.
pub(crate) fn check_plan(input: &[u8]) {
    let mut choices = Input::new(input.get(..2).unwrap_or(&[]));
    let free = choices.below(OPTION_SPACE as u32 + 4).unwrap_or(0) as usize;
    let (segment, options) = segment(input.get(1..).unwrap_or(&[]));
    let received = Received::parse(options, segment);
    let wanted = said(&received);
    let plan = plan(&wanted, free);
    assert!(plan.length <= free && plan.length == padded(plan.length));
    assert_eq!(plan.waiting, plan.carried != wanted);

    let mut room = vec![0xaa; plan.length + 1];
    assert_eq!(plan.emit(&mut room), Some(plan.length));
    assert_eq!(room[plan.length], 0xaa);
    if plan.length > 0 {
        assert_eq!(plan.emit(&mut room[..plan.length - 1]), None);
    }
    let written = Received::parse(&room[..plan.length], segment);
    assert_eq!(written.malformed, 0);
    let meant = Wanted {
        mp_capable: written.mp_capable,
        mp_join: written.mp_join,
        fastclose: written.fastclose,
        tcp_rst: written.tcp_rst,
        dss: written.dss,
        mp_fail: written.mp_fail,
        mp_prio: written.mp_prio,
        add_addr: written.add_addr,
        remove_addr: written.remove_addr,
    };
    assert_eq!(meant, plan.carried);

    let essential = |all: &Wanted| Wanted {
        mp_fail: None,
        mp_prio: None,
        add_addr: None,
        remove_addr: None,
        ..*all
    };
    assert_eq!(
        plan.missing == 0,
        essential(&plan.carried) == essential(&wanted)
    );
    let roomier = self::plan(&wanted, free + plan.missing);
    assert_eq!(essential(&roomier.carried), essential(&wanted));

    let droppable = usize::from(input.get(1).copied().unwrap_or(0) >> 3);
    same_at_once(&wanted, free, droppable);
}

/// To plan and write at once is to plan, to plan again with more room if that helps, and to write.
fn same_at_once(wanted: &Wanted, free: usize, droppable: usize) {
    let narrow = plan(wanted, free);
    let trimmed = narrow.missing > 0 && droppable > 0;
    let chosen = match trimmed {
        true => plan(wanted, free + droppable),
        false => narrow,
    };
    let mut expected = [0xaa; 2 * OPTION_SPACE];
    let mut room = expected;
    let length = chosen.emit(&mut expected).expect("there is room");
    let written = Written {
        length,
        trimmed,
        waiting: chosen.waiting,
    };
    assert_eq!(write(wanted, free, droppable, &mut room), Some(written));
    assert_eq!(room, expected);
    if length > 0 {
        let short = &mut room[..length - 1];
        assert_eq!(write(wanted, free, droppable, short), None);
    }
}
