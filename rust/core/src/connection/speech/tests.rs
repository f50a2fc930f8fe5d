// SPDX-License-Identifier: GPL-2.0

use super::{lone_dss, of_segment, Speaker};
use crate::connection::handshake::{version0, Agreed};
use crate::crypto::{Key, KeyPair};
use crate::mapping::{DssChecksum, TxRecord};
use crate::seq::{Dsn, Ssn};
use crate::wire::plan::Wanted;
use crate::wire::{CapableContent, Version, WireSeq};

const KEYS: KeyPair = KeyPair {
    sender: Key::new(1),
    receiver: Key::new(2),
};

fn record(ssn: u32) -> TxRecord {
    TxRecord {
        ssn: Ssn::new(ssn),
        dsn: Dsn::new(u64::MAX).plus(ssn.into()),
        len: 700,
        checksum: Some(0xabcd),
    }
}

fn speaker(client: bool, fully_established: bool) -> Speaker {
    Speaker {
        client,
        fully_established,
        keys: KEYS,
        rcv_nxt: Dsn::new(77),
        ..Speaker::default()
    }
}

/// RFC 6824 section 3.1: MP_CAPABLE has no mapping, so data has a DSS from the first byte on.
// rfc8684:v0-1 rfc8684:v0-4
#[test]
fn the_client_of_version_0_has_a_dss_for_all_data() {
    let new = Speaker {
        agreed: Agreed {
            version: Version::V0,
            ..Agreed::default()
        },
        ..speaker(true, false)
    };
    let keys = version0::client_ack(new.agreed, KEYS);
    assert_eq!(of_segment(&new, false, None).mp_capable, Some(keys));
    for ssn in [1, 701] {
        let said = of_segment(&new, true, Some(&record(ssn)));
        assert_eq!(said.mp_capable, None);
        let map = said
            .dss
            .and_then(|dss| dss.map)
            .expect("data has a mapping");
        assert_eq!((map.ssn, map.len), (Ssn::new(ssn), 700));
    }
    let heard = Speaker {
        fully_established: true,
        ..new
    };
    assert_eq!(of_segment(&heard, false, None).mp_capable, None);
}

// rfc8684:3.1-26 rfc8684:3.3.2-4
#[test]
fn the_client_repeats_its_keys_until_it_is_heard() {
    let content = |wanted: Wanted| wanted.mp_capable.map(|option| option.content);
    let (sender, receiver) = (KEYS.sender, KEYS.receiver);
    let new = speaker(true, false);
    assert_eq!(
        content(of_segment(&new, false, None)),
        Some(CapableContent::Ack { sender, receiver })
    );
    assert_eq!(
        content(of_segment(&new, true, Some(&record(1)))),
        Some(CapableContent::AckData {
            sender,
            receiver,
            data_len: 700,
            checksum: Some(0xabcd)
        })
    );
    for said in [
        of_segment(&new, true, Some(&record(701))),
        of_segment(&speaker(true, true), false, None),
        of_segment(&speaker(true, true), true, Some(&record(1))),
        of_segment(&speaker(false, false), true, Some(&record(1))),
        of_segment(&speaker(false, false), false, None),
    ] {
        assert_eq!(content(said), None);
        assert_eq!(
            said.dss.and_then(|dss| dss.data_ack),
            Some(WireSeq::Long(77))
        );
    }
}

// rfc8684:3.3.1-7 rfc8684:3.3.1-11 rfc8684:3.7-2
#[test]
fn data_carries_its_mapping_and_only_its_own() {
    let speaker = speaker(false, true);
    let dss = of_segment(&speaker, true, Some(&record(9))).dss.unwrap();
    let map = dss.map.unwrap();
    assert_eq!(
        (map.ssn, map.len, map.checksum),
        (Ssn::new(9), 700, Some(0xabcd))
    );
    assert!(!dss.data_fin);
    assert_eq!(of_segment(&speaker, true, None).dss.unwrap().map, None);
    let without_data = of_segment(&speaker, false, Some(&record(9)));
    assert_eq!(without_data.dss.unwrap().map, None);
}

// rfc8684:3.3.3-4
#[test]
fn a_data_fin_is_told_on_segments_without_data_even_early() {
    let fin = Dsn::new(4711);
    for (client, established, checksum) in [
        (true, false, false),
        (true, true, true),
        (false, false, true),
    ] {
        let speaker = Speaker {
            fin_in_flight: Some(fin),
            agreed: Agreed {
                checksum,
                ..Agreed::default()
            },
            ..speaker(client, established)
        };
        let dss = of_segment(&speaker, false, None).dss.unwrap();
        let map = dss.map.unwrap();
        assert!(dss.data_fin);
        assert_eq!(dss.data_fin_at(fin), Some(fin));
        assert_eq!((map.ssn, map.len), (Ssn::new(0), 1));
        let right = DssChecksum::new().finish(fin, Ssn::new(0), 1);
        assert_eq!(map.checksum, checksum.then_some(right));
        let data = of_segment(&speaker, true, Some(&record(900)));
        assert!(!data.dss.unwrap().data_fin);
    }
}

#[test]
fn the_short_way_to_a_dss_leads_where_the_long_one_does() {
    let records = [None, Some(record(1)), Some(record(701))];
    // The last column: how many of the six segments say a DSS alone.
    for (version, client, fully_established, fin_in_flight, expected) in [
        (Version::V0, true, false, None, 3),
        (Version::V1, true, false, None, 2),
        (Version::V1, true, false, Some(Dsn::new(9)), 5),
        (Version::V1, true, true, None, 6),
        (Version::V1, false, false, Some(Dsn::new(9)), 6),
        (Version::V1, false, true, None, 6),
    ] {
        let speaker = Speaker {
            agreed: Agreed {
                version,
                ..Agreed::default()
            },
            fin_in_flight,
            ..speaker(client, fully_established)
        };
        let mut short = 0;
        for (record, has_data) in records.iter().flat_map(|one| [(one, false), (one, true)]) {
            let long = of_segment(&speaker, has_data, record.as_ref());
            match lone_dss(&speaker, has_data, record.as_ref()) {
                Some(dss) => {
                    let alone = Wanted {
                        dss: Some(dss),
                        ..Wanted::default()
                    };
                    assert_eq!(long, alone);
                    short += 1;
                }
                None => assert!(long.mp_capable.is_some()),
            }
        }
        assert_eq!(short, expected, "{speaker:?}");
    }
}
