// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::connection::handshake::{self, on_syn, on_syn_ack, ClientOutcome, Policy, SynAnswer};
use crate::connection::handshake::{Agreed, Reason};
use crate::crypto::Key;
use crate::wire::{MpCapable, SegmentKind, OPTION_SPACE};

const SETS: [Versions; 4] = [Versions::NONE, Versions::V0, Versions::V1, Versions::ALL];
const PLAIN: Policy = Policy {
    checksum: false,
    deny_join: false,
};
const KEY: Key = Key::new(0x0102_0304_0506_0708);

/// A segment of the handshake with this option.
fn sent(option: MpCapable, ack: bool) -> Received {
    let mut room = [0; OPTION_SPACE];
    let length = option.emit(&mut room).expect("it fits");
    let segment = SegmentKind { syn: true, ack };
    Received::parse(&room[..length], segment)
}

fn syn(version: Version) -> Received {
    match version {
        Version::V0 => sent(version0::client_syn(PLAIN, KEY), false),
        Version::V1 => sent(handshake::client_syn(PLAIN), false),
    }
}

// rfc8684:3.1-23
#[test]
fn the_highest_version_is_offered_first() {
    let offers = SETS.map(Versions::first_offer);
    let [none, zero, one] = [None, Some(Version::V0), Some(Version::V1)];
    assert_eq!(offers, [none, zero, one, one]);
}

// rfc8684:3.1-9 rfc8684:3.1-24
#[test]
fn a_server_answers_in_the_version_of_the_offer_or_as_plain_tcp() {
    for server in SETS {
        for version in [Version::V0, Version::V1] {
            let spoken = match version {
                Version::V0 => server.v0,
                Version::V1 => server.v1,
            };
            assert_eq!(server.answer(&syn(version)), spoken.then_some(version));
        }
        assert_eq!(server.answer(&Received::default()), None);
        let mut newer = handshake::client_syn(PLAIN);
        newer.version = 7;
        let answer = server.v1.then_some(Version::V1);
        assert_eq!(server.answer(&sent(newer, false)), answer);
    }
}

/// A server of version 0 that was made before version 1 does not know the form of its SYN.
// rfc8684:3.1-10 rfc8684:3.1-24
#[test]
fn ends_without_a_common_version_speak_plain_tcp() {
    let newer = syn(Version::V1);
    let refused = version0::on_syn(&newer, PLAIN);
    assert_eq!(refused, Err(Reason::Version));
    assert_eq!(Versions::V0.answer(&newer), None);

    let older = syn(Version::V0);
    assert_eq!(on_syn(&older, PLAIN), SynAnswer::Plain(Reason::Version));
    assert_eq!(Versions::V1.answer(&older), None);

    // Nor does a client take an answer in another version.
    let fallback = ClientOutcome::Fallback(Reason::Version);
    let agreed = Agreed::default();
    let answer = sent(version0::server_syn_ack(agreed, KEY), true);
    assert_eq!(on_syn_ack(&answer, PLAIN), fallback);
    let answer = sent(handshake::server_syn_ack(PLAIN, agreed, KEY), true);
    assert_eq!(version0::on_syn_ack(&answer, PLAIN), fallback);
}
