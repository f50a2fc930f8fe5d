// SPDX-License-Identifier: GPL-2.0

use super::{announced, implied, shows_mptcp, trust, Announced, Trust};
use crate::acceptable::{Refusal, Verdict};
use crate::crypto::Key;
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpPrio, Received, WireSeq,
};

const NEAR: Dsn = Dsn::new(u64::MAX - 99);

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

#[test]
fn a_mapping_is_read_with_its_data_fin() {
    let read = announced(&dss(100, None, false), NEAR, 9, false);
    let mapping = read.mapping.unwrap();
    assert_eq!((mapping.dsn, mapping.len), (NEAR.plus(50), 100));
    assert_eq!(read.fin, None);

    let read = announced(&dss(100, None, true), NEAR, 9, false);
    assert_eq!(read.fin, Some(NEAR.plus(149)));
    assert_eq!(read.mapping.map(|mapping| mapping.len), Some(99));
    assert_eq!(read.mapping.map(|mapping| mapping.data_fin), Some(true));

    // A DATA_FIN alone, whatever the segment carries.
    for payload_len in [0, 9] {
        let read = announced(&dss(1, None, true), NEAR, payload_len, false);
        assert_eq!(read.fin, Some(NEAR.plus(50)));
        assert_eq!(read.mapping, None);
    }
    // Without data no mapping counts; a DATA_FIN needs a length.
    assert_eq!(
        announced(&dss(100, None, false), NEAR, 0, false),
        Announced::default()
    );
    assert_eq!(announced(&dss(0, None, true), NEAR, 0, false).fin, None);
    assert_eq!(
        announced(&Dss::default(), NEAR, 9, false),
        Announced::default()
    );
}

#[test]
fn an_agreed_checksum_must_be_there_and_another_is_ignored() {
    let checksum = |dss: &Dss, agreed| {
        announced(dss, NEAR, 9, agreed)
            .mapping
            .map(|mapping| mapping.checksum)
    };
    let with = dss(100, Some(7), false);
    assert_eq!(checksum(&with, true), Some(Some(7)));
    assert_eq!(checksum(&with, false), Some(None));
    assert_eq!(checksum(&dss(100, None, false), true), None);
    // An infinite mapping covers nothing that could be summed.
    assert_eq!(checksum(&dss(0, Some(0), false), true), Some(None));
    assert_eq!(checksum(&dss(0, None, false), true), Some(None));
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
