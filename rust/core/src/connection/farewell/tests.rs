// SPDX-License-Identifier: GPL-2.0

use super::{Farewell, ANSWERS, REPEATS};
use crate::seq::{Dsn, Ssn};
use crate::wire::plan::Wanted;
use crate::wire::{Dss, MpFail, MpPrio, Received, WireSeq};

const DATA: Ssn = Ssn::new(1000);
const FIRST: Dsn = Dsn::new(u64::MAX);
const FAILED: Dsn = Dsn::new(77);
const NOTHING: Ssn = Ssn::new(1);

fn farewell(checksums: bool) -> Farewell {
    Farewell::new(DATA, FIRST, checksums)
}

fn says_fail(wanted: &Wanted) -> Option<Dsn> {
    wanted.mp_fail.map(|fail| fail.dsn)
}

// rfc8684:3.3.1-19 rfc8684:3.7-6 rfc8684:3.7-18
#[test]
fn data_from_the_fallback_on_has_an_infinite_mapping_until_it_is_acknowledged() {
    for checksums in [false, true] {
        let mut farewell = farewell(checksums);
        assert_eq!(farewell.say(DATA, false, NOTHING), Wanted::default());
        // What was sent before has the mapping that it had.
        assert_eq!(
            farewell.say(DATA.minus(1), true, NOTHING),
            Wanted::default()
        );
        for ahead in [0, 700, 0] {
            let said = farewell.say(DATA.plus(ahead), true, DATA);
            let dss = said.dss.expect("data has a mapping");
            let map = dss.map.expect("data has a mapping");
            assert_eq!((map.len, dss.data_ack, said.mp_fail), (0, None, None));
            assert_eq!(map.checksum, checksums.then_some(0));
            assert_eq!(map.ssn, DATA.plus(ahead));
            assert_eq!(map.dsn, WireSeq::long(FIRST.plus(ahead.into())));
        }
        assert!(!farewell.is_over());
        let said = farewell.say(DATA.plus(700), true, DATA.plus(1));
        assert_eq!(said, Wanted::default());
        assert!(farewell.is_over());
    }
    assert!(Farewell::default().is_over());
}

#[test]
fn a_complaint_goes_first_until_the_peer_has_heard_it() {
    let plain = Received {
        mp_fail: Some(MpFail { dsn: FIRST }),
        ..Received::default()
    };
    let infinite = Received {
        dss: farewell(false).say(DATA, true, NOTHING).dss,
        ..Received::default()
    };
    let speaks = Received {
        mp_prio: Some(MpPrio { backup: false }),
        ..Received::default()
    };
    let dss = Received {
        dss: Some(Dss {
            data_ack: Some(WireSeq::Long(1)),
            ..Dss::default()
        }),
        ..Received::default()
    };
    for (received, ends) in [
        (plain, true),
        (infinite, true),
        (speaks, false),
        (dss, false),
    ] {
        let mut farewell = farewell(true);
        farewell.complain(FAILED);
        for has_data in [true, false] {
            let said = farewell.say(DATA, has_data, NOTHING);
            assert_eq!((says_fail(&said), said.dss), (Some(FAILED), None));
        }
        assert!(!farewell.heard(&received));
        let said = farewell.say(DATA, true, NOTHING);
        assert_eq!(says_fail(&said).is_none(), ends, "{received:?}");
        assert_eq!(said.dss.is_some(), ends);
    }
}

#[test]
fn a_complaint_that_nobody_hears_ends() {
    let mut farewell = farewell(true);
    farewell.complain(FAILED);
    for _ in 0..REPEATS {
        assert_eq!(says_fail(&farewell.say(DATA, true, NOTHING)), Some(FAILED));
    }
    assert_eq!(says_fail(&farewell.say(DATA, true, NOTHING)), None);
}

// rfc8684:3.7-14
#[test]
fn an_answer_leaves_data_its_mapping_and_is_not_repeated_for_ever() {
    let mut farewell = farewell(true);
    let again = Received {
        mp_fail: Some(MpFail { dsn: FIRST }),
        ..Received::default()
    };
    assert!(!farewell.heard(&Received::default()));
    assert!(farewell.heard(&again));
    farewell.answer(FAILED);
    // The first segment has it, and so has the same data when it is sent again.
    for _ in 0..5 {
        let first = farewell.say(DATA, true, NOTHING);
        assert_eq!((says_fail(&first), first.dss), (Some(FAILED), None));
    }
    for _ in 1..ANSWERS {
        let data = farewell.say(DATA.plus(700), true, NOTHING);
        assert!(data.dss.is_some() && data.mp_fail.is_none());
        let alone = farewell.say(DATA, false, NOTHING);
        assert_eq!((says_fail(&alone), alone.dss), (Some(FAILED), None));
        assert!(!farewell.heard(&again));
    }
    assert_eq!(farewell.say(DATA, false, NOTHING), Wanted::default());
    assert!(farewell.say(DATA, true, NOTHING).dss.is_some());
}

#[test]
fn an_answer_without_data_leaves_all_data_its_mapping() {
    let mut farewell = farewell(true);
    farewell.answer(FAILED);
    assert_eq!(says_fail(&farewell.say(DATA, false, NOTHING)), Some(FAILED));
    let data = farewell.say(DATA, true, NOTHING);
    assert!(data.dss.is_some() && data.mp_fail.is_none());
}

#[test]
fn an_answer_goes_with_data_that_needs_no_mapping() {
    let mut farewell = farewell(true);
    farewell.answer(FAILED);
    assert_eq!(
        says_fail(&farewell.say(DATA.minus(1), true, NOTHING)),
        Some(FAILED)
    );
    assert_eq!(
        says_fail(&farewell.say(DATA, true, DATA.plus(1))),
        Some(FAILED)
    );
}
