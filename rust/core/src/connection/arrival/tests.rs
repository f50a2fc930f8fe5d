// SPDX-License-Identifier: GPL-2.0

use super::{announced, implied, shows_mptcp, trust, Announced, Trust};
use crate::acceptable::{Refusal, Verdict};
use crate::connection::handshake::Agreed;
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpPrio, Received, ResetReason,
    Version, WireSeq,
};

const NEAR: Dsn = Dsn::new(u64::MAX - 99);
/// Version 1 without checksums.
const PLAIN: Agreed = Agreed {
    version: Version::V1,
    checksum: false,
    deny_join: false,
};

fn dss(len: u16, checksum: Option<u16>, data_fin: bool) -> Dss {
    Dss {
        data_ack: None,
        map: Some(DssMap {
            dsn: WireSeq::short(NEAR.plus(50)),
            ssn: Ssn::new(51),
            len,
            checksum,
        }),
        data_fin,
    }
}

// rfc8684:3-2
#[test]
fn trust_follows_tcp() {
    use Refusal::{Acknowledgement, ResetGuess, Sequence, Timestamp};
    let refuse = Verdict::Refuse;
    for (verdict, payload_len, old, fastclose, expected) in [
        (Verdict::Accept, 9, false, false, Trust::Believe),
        (Verdict::Reset, 0, false, false, Trust::Believe),
        (refuse(ResetGuess), 0, false, true, Trust::Believe),
        (refuse(ResetGuess), 0, false, false, Trust::Ignore),
        (refuse(Sequence), 9, true, true, Trust::Ignore),
        (refuse(Sequence), 9, false, true, Trust::Drop),
        (refuse(Sequence), 0, false, false, Trust::Ignore),
        (refuse(Timestamp), 9, true, false, Trust::Drop),
        (refuse(Acknowledgement), 1, false, false, Trust::Drop),
        (refuse(Acknowledgement), 0, false, false, Trust::Ignore),
    ] {
        assert_eq!(
            trust(verdict, payload_len, old, fastclose),
            expected,
            "{verdict:?} {payload_len} {old}"
        );
    }
}

// rfc8684:3.3.2-8
#[test]
fn a_mapping_is_read_with_its_data_fin() {
    let read = announced(&dss(100, None, false), NEAR, 9, PLAIN);
    let mapping = read.mapping.unwrap();
    assert_eq!((mapping.dsn, mapping.len), (NEAR.plus(50), 100));
    assert_eq!(read.fin, None);

    let read = announced(&dss(100, None, true), NEAR, 9, PLAIN);
    assert_eq!(read.fin, Some(NEAR.plus(149)));
    assert_eq!(read.mapping.map(|mapping| mapping.len), Some(99));
    assert_eq!(read.mapping.map(|mapping| mapping.data_fin), Some(true));

    // A DATA_FIN alone, whatever the segment carries.
    for payload_len in [0, 9] {
        let read = announced(&dss(1, None, true), NEAR, payload_len, PLAIN);
        assert_eq!(read.fin, Some(NEAR.plus(50)));
        assert_eq!(read.mapping, None);
    }
    // Without data no mapping counts; a DATA_FIN needs a length.
    assert_eq!(
        announced(&dss(100, None, false), NEAR, 0, PLAIN),
        Announced::default()
    );
    assert_eq!(announced(&dss(0, None, true), NEAR, 0, PLAIN).fin, None);
    assert_eq!(
        announced(&Dss::default(), NEAR, 9, PLAIN),
        Announced::default()
    );
}

// rfc8684:3.3-1 rfc8684:3.3-2 rfc8684:3.3-5 rfc8684:v0-8
#[test]
fn a_checksum_is_there_exactly_if_that_was_agreed_on() {
    let summed = Agreed {
        checksum: true,
        ..PLAIN
    };
    let old = |agreed| Agreed {
        version: Version::V0,
        ..agreed
    };
    let (with, without) = (dss(100, Some(7), false), dss(100, None, false));
    // What was said, what was agreed on: the checksum to verify, or `None` for a broken subflow.
    for (dss, agreed, expected) in [
        (&with, summed, Some(Some(7))),
        (&without, PLAIN, Some(None)),
        (&with, PLAIN, None),
        (&without, summed, None),
        (&with, old(summed), Some(Some(7))),
        (&without, old(PLAIN), Some(None)),
        // Version 0 does not mind.
        (&with, old(PLAIN), Some(None)),
        (&without, old(summed), None),
    ] {
        let read = announced(dss, NEAR, 9, agreed);
        let checksum = read.mapping.map(|mapping| mapping.checksum);
        assert_eq!(checksum, expected, "{agreed:?}");
        let reason = expected.is_none().then_some(ResetReason::MPTCP_SPECIFIC);
        assert_eq!(read.broken, reason, "{agreed:?}");
        // Without data it is no mapping.
        assert_eq!(announced(dss, NEAR, 0, agreed), Announced::default());
    }
    // A DATA_FIN of a broken subflow does not count either.
    let read = announced(&dss(100, None, true), NEAR, 9, summed);
    assert_eq!((read.broken.is_some(), read.fin), (true, None));
    // An infinite mapping covers nothing that could be summed.
    for (checksum, agreed) in [(Some(0), summed), (None, summed), (Some(0), PLAIN)] {
        let read = announced(&dss(0, checksum, false), NEAR, 9, agreed);
        assert_eq!(read.mapping.map(|mapping| mapping.checksum), Some(None));
        assert_eq!(read.broken, None);
    }
}

// rfc8684:3.1-20
#[test]
fn the_first_data_has_its_mapping_in_mp_capable() {
    let received = |data_len, checksum| Received {
        mp_capable: Some(MpCapable {
            version: 1,
            flags: CapableFlags::default(),
            content: CapableContent::AckData {
                sender: Key::new(1),
                receiver: Key::new(2),
                data_len,
                checksum,
            },
        }),
        ..Received::default()
    };
    let mapping = implied(&received(80, Some(5)), NEAR, true).unwrap();
    assert_eq!((mapping.ssn, mapping.dsn), (Ssn::new(1), NEAR));
    assert_eq!((mapping.len, mapping.checksum), (80, Some(5)));
    let plain = implied(&received(80, Some(5)), NEAR, false).unwrap();
    assert_eq!(plain.checksum, None);
    assert_eq!(implied(&received(80, None), NEAR, true), None);
    assert_eq!(implied(&received(0, None), NEAR, false), None);
    assert_eq!(implied(&Received::default(), NEAR, false), None);
    let mut without_data = received(80, None);
    let option = without_data.mp_capable.as_mut().unwrap();
    option.content = CapableContent::Ack {
        sender: Key::new(1),
        receiver: Key::new(2),
    };
    assert_eq!(implied(&without_data, NEAR, false), None);
}

#[test]
fn some_options_show_that_mptcp_goes_on() {
    let with_dss = |dss| Received {
        dss: Some(dss),
        ..Received::default()
    };
    assert!(shows_mptcp(&with_dss(Dss::default())));
    assert!(shows_mptcp(&with_dss(dss(5, None, false))));
    assert!(!shows_mptcp(&with_dss(dss(0, None, false))));
    assert!(!shows_mptcp(&Received::default()));
    assert!(shows_mptcp(&Received {
        mp_prio: Some(MpPrio { backup: true }),
        ..Received::default()
    }));
    assert!(!shows_mptcp(&Received {
        mp_fail: Some(MpFail { dsn: NEAR }),
        ..Received::default()
    }));
}
