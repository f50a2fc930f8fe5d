// SPDX-License-Identifier: GPL-2.0

//! What is believed of arriving segments, and what their mappings say.

use super::{expect, Check};
use crate::acceptable::{Refusal, Verdict};
use crate::connection::arrival::{
    announced, implied, may_pass, shows_mptcp, trust, Announced, Trust,
};
use crate::connection::handshake::Agreed;
use crate::crypto::Key;
use crate::mapping::{RecordError, Recorded, RxMapping};
use crate::seq::{Dsn, Ssn};
use crate::wire::{
    CapableContent, CapableFlags, Dss, DssMap, MpCapable, MpFail, MpPrio, Received, ResetReason,
    Version, WireSeq,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_trust()?;
    check_passing()?;
    check_mappings()?;
    check_checksums()?;
    check_implied()?;
    check_signs()
}

/// A name; TCP's verdict, bytes of data, whether it is old, whether it has MP_FASTCLOSE; what is done.
type Trusted = (&'static str, Verdict, u32, bool, bool, Trust);

#[rustfmt::skip]
const TRUSTED: [Trusted; 10] = [
    ("accepted", Verdict::Accept, 9, false, false, Trust::Believe),
    ("reset", Verdict::Reset, 0, false, false, Trust::Believe),
    ("reset beside the number, our key", refused(Refusal::ResetGuess), 0, false, true, Trust::Believe),
    ("reset beside the number", refused(Refusal::ResetGuess), 0, false, false, Trust::Ignore),
    ("came before", refused(Refusal::Sequence), 9, true, true, Trust::Ignore),
    ("data beyond the window", refused(Refusal::Sequence), 9, false, true, Trust::Drop),
    ("beyond the window", refused(Refusal::Sequence), 0, false, false, Trust::Ignore),
    ("data with an old timestamp", refused(Refusal::Timestamp), 9, true, false, Trust::Drop),
    ("data that acknowledges the unsent", refused(Refusal::Acknowledgement), 1, false, false, Trust::Drop),
    ("acknowledges the unsent", refused(Refusal::Acknowledgement), 0, false, false, Trust::Ignore),
];

const fn refused(refusal: Refusal) -> Verdict {
    Verdict::Refuse(refusal)
}

// rfc8684:3-2
fn check_trust() -> Check {
    for (name, verdict, len, old, fastclose, expected) in TRUSTED {
        expect(trust(verdict, len, old, fastclose) == expected, name)?;
    }
    Ok(())
}

// rfc8684:3.3.1-10
fn check_passing() -> Check {
    for (name, recorded, passes) in [
        ("a new mapping", Ok(Recorded::New), true),
        ("one that grows another", Ok(Recorded::Merged), true),
        ("one that is known", Ok(Recorded::Known), true),
        ("one of what was taken", Ok(Recorded::Old), true),
        ("one out of reach", Err(RecordError::Outside), true),
        (
            "another one of the same byte",
            Err(RecordError::Conflict),
            false,
        ),
        ("one too many", Err(RecordError::Full), false),
    ] {
        expect(may_pass(recorded) == passes, name)?;
    }
    Ok(())
}

const NEAR: Dsn = Dsn::new(u64::MAX - 99);
/// Version 1 without checksums.
const PLAIN: Agreed = Agreed {
    version: Version::V1,
    checksum: false,
    deny_join: false,
};
const SUMMED: Agreed = Agreed {
    checksum: true,
    ..PLAIN
};
const PLAIN_V0: Agreed = Agreed {
    version: Version::V0,
    ..PLAIN
};
const SUMMED_V0: Agreed = Agreed {
    version: Version::V0,
    ..SUMMED
};

/// A DSS with a mapping that lies 50 bytes behind [`NEAR`].
const fn dss(len: u16, checksum: Option<u16>, data_fin: bool) -> Dss {
    Dss {
        data_ack: None,
        map: Some(DssMap {
            dsn: WireSeq::Short(0xffff_ffce),
            ssn: Ssn::new(51),
            len,
            checksum,
        }),
        data_fin,
    }
}

const NOTHING: Dss = Dss {
    data_ack: None,
    map: None,
    data_fin: false,
};

/// A name; the DSS, bytes of data in its segment; where the DATA_FIN lies behind the mapping's first byte, and how
/// many bytes the mapping has.
type Read = (&'static str, Dss, u32, Option<u64>, Option<u16>);

#[rustfmt::skip]
const READ: [Read; 8] = [
    ("data", dss(100, None, false), 9, None, Some(100)),
    ("data and DATA_FIN", dss(100, None, true), 9, Some(99), Some(99)),
    ("DATA_FIN", dss(1, None, true), 0, Some(0), None),
    ("DATA_FIN beside other data", dss(1, None, true), 9, Some(0), None),
    ("a mapping without its data", dss(100, None, false), 0, None, None),
    ("DATA_FIN without length", dss(0, None, true), 0, None, None),
    ("an infinite mapping", dss(0, None, false), 9, None, Some(0)),
    ("no mapping", NOTHING, 9, None, None),
];

// rfc8684:3.3.2-8
fn check_mappings() -> Check {
    let first = NEAR.plus(50);
    for (name, dss, payload_len, fin, len) in READ {
        let expected = Announced {
            fin: fin.map(|offset| first.plus(offset)),
            mapping: len.map(|len| RxMapping {
                ssn: Ssn::new(51),
                dsn: first,
                len,
                checksum: None,
                data_fin: dss.data_fin,
            }),
            broken: None,
        };
        expect(announced(&dss, NEAR, payload_len, PLAIN) == expected, name)?;
    }
    Ok(())
}

/// A name; the DSS, what was agreed on; the checksum to verify, or `None` for a broken subflow.
type Summed = (&'static str, Dss, Agreed, Option<Option<u16>>);

#[rustfmt::skip]
const SUMS: [Summed; 12] = [
    ("with, agreed", dss(100, Some(7), false), SUMMED, Some(Some(7))),
    ("without, agreed", dss(100, None, false), PLAIN, Some(None)),
    ("with, not agreed", dss(100, Some(7), false), PLAIN, None),
    ("without, not agreed", dss(100, None, false), SUMMED, None),
    ("with, agreed, version 0", dss(100, Some(7), false), SUMMED_V0, Some(Some(7))),
    ("without, agreed, version 0", dss(100, None, false), PLAIN_V0, Some(None)),
    ("with, not agreed, version 0 does not mind", dss(100, Some(7), false), PLAIN_V0, Some(None)),
    ("without, not agreed, version 0", dss(100, None, false), SUMMED_V0, None),
    ("a DATA_FIN without", dss(100, None, true), SUMMED, None),
    // An infinite mapping covers nothing that could be summed.
    ("infinite, with", dss(0, Some(0), false), SUMMED, Some(None)),
    ("infinite, without", dss(0, None, false), SUMMED, Some(None)),
    ("infinite, with, not agreed", dss(0, Some(0), false), PLAIN, Some(None)),
];

// rfc8684:3.3-1 rfc8684:3.3-2 rfc8684:3.3-5 rfc8684:v0-8
fn check_checksums() -> Check {
    for (name, dss, agreed, expected) in SUMS {
        let read = announced(&dss, NEAR, 9, agreed);
        let checksum = read.mapping.map(|mapping| mapping.checksum);
        expect(checksum == expected, name)?;
        let reason = expected.is_none().then_some(ResetReason::MPTCP_SPECIFIC);
        expect(read.broken == reason, name)?;
        expect(read.broken.is_none() || read.fin.is_none(), name)?;
        // Without data there is nothing to hold against the sender.
        let without_data = announced(&dss, NEAR, 0, agreed);
        expect(without_data.broken.is_none(), name)?;
        expect(without_data.mapping.is_none(), name)?;
    }
    Ok(())
}

const SENDER: Key = Key::new(1);
const RECEIVER: Key = Key::new(2);

const fn with_data(data_len: u16, checksum: Option<u16>) -> Option<CapableContent> {
    Some(CapableContent::AckData {
        sender: SENDER,
        receiver: RECEIVER,
        data_len,
        checksum,
    })
}

/// A name; the content of MP_CAPABLE, whether checksums are in use; bytes of the mapping and its checksum.
type Implied = (
    &'static str,
    Option<CapableContent>,
    bool,
    Option<(u16, Option<u16>)>,
);

#[rustfmt::skip]
const IMPLIED: [Implied; 6] = [
    ("first data", with_data(80, Some(5)), true, Some((80, Some(5)))),
    ("first data, nobody sums", with_data(80, Some(5)), false, Some((80, None))),
    ("first data without checksum", with_data(80, None), true, None),
    ("no length", with_data(0, None), false, None),
    ("no option", None, false, None),
    ("no data", Some(CapableContent::Ack { sender: SENDER, receiver: RECEIVER }), false, None),
];

// rfc8684:3.1-20
fn check_implied() -> Check {
    for (name, content, checksums, expected) in IMPLIED {
        let received = Received {
            mp_capable: content.map(|content| MpCapable {
                version: 1,
                flags: CapableFlags::default(),
                content,
            }),
            ..Received::default()
        };
        let expected = expected.map(|(len, checksum)| RxMapping {
            ssn: Ssn::new(1),
            dsn: NEAR,
            len,
            checksum,
            data_fin: false,
        });
        expect(implied(&received, NEAR, checksums) == expected, name)?;
    }
    Ok(())
}

fn check_signs() -> Check {
    let with = |dss| Received {
        dss: Some(dss),
        ..Received::default()
    };
    let priority = Received {
        mp_prio: Some(MpPrio { backup: true }),
        ..Received::default()
    };
    let fail = Received {
        mp_fail: Some(MpFail { dsn: NEAR }),
        ..Received::default()
    };
    for (name, received, shows) in [
        ("no option", Received::default(), false),
        ("an empty DSS", with(NOTHING), true),
        ("a mapping", with(dss(5, None, false)), true),
        ("an infinite one", with(dss(0, None, false)), false),
        ("MP_PRIO", priority, true),
        ("MP_FAIL", fail, false),
    ] {
        expect(shows_mptcp(&received) == shows, name)?;
    }
    Ok(())
}
