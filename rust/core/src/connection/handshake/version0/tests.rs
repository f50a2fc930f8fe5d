// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::wire::{Dss, SegmentKind, Version, OPTION_SPACE};

const CLIENT: Key = Key::new(0x0102_0304_0506_0708);
const SERVER: Key = Key::new(0x1112_1314_1516_1718);
const KEYS: KeyPair = KeyPair {
    sender: CLIENT,
    receiver: SERVER,
};
const PLAIN: Policy = policy(false);
const STRICT: Policy = policy(true);

const fn policy(checksum: bool) -> Policy {
    Policy {
        checksum,
        deny_join: true,
    }
}

const fn agreed(checksum: bool) -> Agreed {
    Agreed {
        version: Version::V0,
        checksum,
        deny_join: false,
    }
}

const fn offer(checksum: bool) -> Offer {
    Offer {
        remote_key: CLIENT,
        agreed: agreed(checksum),
    }
}

fn segment(syn: bool, ack: bool) -> SegmentKind {
    SegmentKind { syn, ack }
}

/// The bytes of an option, and what they say in a segment.
fn sent(option: MpCapable, segment: SegmentKind) -> (std::vec::Vec<u8>, Received) {
    let mut room = [0; OPTION_SPACE];
    let length = option.emit(&mut room).expect("it fits");
    let received = Received::parse_as(Version::V0, &room[..length], segment);
    (room[..length].to_vec(), received)
}

fn with(option: MpCapable, segment: SegmentKind, change: impl FnOnce(&mut MpCapable)) -> Received {
    let mut option = option;
    change(&mut option);
    sent(option, segment).1
}

/// RFC 6824 section 3.1: kind 30, length 12, 12 and 20, subtype and version zero, flags with H, and
/// with A if checksums are asked for; C, a flag of version 1, is another algorithm here.
// rfc8684:v0-1 rfc8684:v0-15
#[test]
fn the_bytes_of_a_handshake() {
    for (client, server) in [
        (PLAIN, PLAIN),
        (STRICT, PLAIN),
        (PLAIN, STRICT),
        (STRICT, STRICT),
    ] {
        let sums = client.checksum || server.checksum;
        let flags = |checksum| if checksum { 0x81 } else { 0x01 };
        let (bytes, syn) = sent(client_syn(client, CLIENT), segment(true, false));
        let expected = [0x1e, 12, 0, flags(client.checksum), 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(bytes, expected);
        assert_eq!(on_syn(&syn, server), Ok(offer(sums)));

        let (bytes, syn_ack) = sent(server_syn_ack(agreed(sums), SERVER), segment(true, true));
        assert_eq!(bytes[..4], [0x1e, 12, 0, flags(sums)]);
        assert_eq!(bytes[4..], SERVER.to_be_bytes());
        let outcome = ClientOutcome::Mptcp {
            remote_key: SERVER,
            agreed: agreed(sums),
        };
        assert_eq!(on_syn_ack(&syn_ack, client), outcome);

        let (bytes, ack) = sent(client_ack(agreed(sums), KEYS), segment(false, true));
        assert_eq!(bytes[..4], [0x1e, 20, 0, flags(sums)]);
        assert_eq!(bytes[4..], KEYS.to_be_bytes());
        let outcome = ServerOutcome::Mptcp {
            remote_key: CLIENT,
            agreed: agreed(sums),
            first: None,
        };
        assert_eq!(on_third_ack(&ack, offer(sums), SERVER), outcome);
    }
}

#[test]
fn the_flag_c_names_an_algorithm() {
    let flag = |option: &mut MpCapable| option.flags.deny_join = true;
    let syn = with(client_syn(PLAIN, CLIENT), segment(true, false), flag);
    assert_eq!(on_syn(&syn, PLAIN), Ok(offer(false)));
    let option = server_syn_ack(agreed(false), SERVER);
    let syn_ack = with(option, segment(true, true), flag);
    let outcome = ClientOutcome::Mptcp {
        remote_key: SERVER,
        agreed: agreed(false),
    };
    assert_eq!(on_syn_ack(&syn_ack, PLAIN), outcome);
}

// rfc8684:v0-4
#[test]
fn a_dss_stands_for_a_third_ack_that_was_lost() {
    let data = Received {
        dss: Some(Dss::default()),
        ..Received::default()
    };
    let outcome = ServerOutcome::Mptcp {
        remote_key: CLIENT,
        agreed: agreed(true),
        first: None,
    };
    assert_eq!(on_third_ack(&data, offer(true), SERVER), outcome);
    // Not where something is wrong with MP_CAPABLE itself.
    let both = Received {
        malformed: 1,
        ..data
    };
    let refused = ServerOutcome::Fallback(Reason::Malformed);
    assert_eq!(on_third_ack(&both, offer(true), SERVER), refused);
}

#[test]
fn whatever_else_comes_leads_to_plain_tcp() {
    let (syn, syn_ack) = (segment(true, false), segment(true, true));
    let first = client_syn(PLAIN, CLIENT);
    let second = server_syn_ack(agreed(false), SERVER);
    for (reason, change) in [
        (
            Reason::Extension,
            (|o| o.flags.extensibility = true) as fn(&mut MpCapable),
        ),
        (Reason::Crypto, |o| o.flags.hmac_sha256 = false),
        (Reason::Version, |o| {
            *o = super::super::server_syn_ack(PLAIN, Agreed::default(), SERVER);
        }),
    ] {
        let answer = with(second, syn_ack, change);
        assert_eq!(on_syn_ack(&answer, PLAIN), ClientOutcome::Fallback(reason));
        if reason != Reason::Version {
            assert_eq!(on_syn(&with(first, syn, change), PLAIN), Err(reason));
        }
    }
    let none = Received::default();
    assert_eq!(on_syn(&none, PLAIN), Err(Reason::NoOption));
    let mut misplaced = sent(first, syn).1;
    misplaced.mp_capable = Some(client_ack(agreed(false), KEYS));
    assert_eq!(on_syn(&misplaced, PLAIN), Err(Reason::Malformed));

    let third = |received: &Received| on_third_ack(received, offer(false), SERVER);
    let fallback = ServerOutcome::Fallback;
    assert_eq!(third(&none), fallback(Reason::NoOption));
    let ack = segment(false, true);
    for wrong in [
        KEYS.reversed(),
        KeyPair {
            sender: SERVER,
            ..KEYS
        },
        KeyPair {
            receiver: CLIENT,
            ..KEYS
        },
    ] {
        let (_, received) = sent(client_ack(agreed(false), wrong), ack);
        assert_eq!(third(&received), fallback(Reason::WrongKey));
    }
    let newer = super::super::client_ack(PLAIN, agreed(false), CLIENT, SERVER, None);
    assert_eq!(third(&sent(newer, ack).1), fallback(Reason::Version));
    let mut misplaced = none;
    misplaced.mp_capable = Some(first);
    assert_eq!(third(&misplaced), fallback(Reason::Malformed));
}
