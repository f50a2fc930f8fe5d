// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::vectors::version0;
use crate::wire::{Dss, SegmentKind, Version, WireSeq, OPTION_SPACE};

const CLIENT: Key = Key::new(0xc1);
const SERVER: Key = Key::new(0x5e);
const PLAIN: Policy = Policy {
    checksum: false,
    deny_join: false,
};
const STRICT: Policy = Policy {
    checksum: true,
    deny_join: true,
};

/// Sends an option over the wire in a segment of the kind it belongs to.
fn over_the_wire(option: MpCapable) -> Received {
    let mut room = [0; OPTION_SPACE];
    let length = option.emit(&mut room).unwrap();
    let (syn, ack) = match option.content {
        CapableContent::Syn => (true, false),
        CapableContent::SynAck { .. } => (true, true),
        CapableContent::Ack { .. } | CapableContent::AckData { .. } => (false, true),
    };
    let segment = SegmentKind { syn, ack };
    let received = Received::parse(&room[..length], segment);
    assert_eq!(received.mp_capable, Some(option));
    received
}

fn with(change: impl FnOnce(&mut MpCapable), mut option: MpCapable) -> Received {
    change(&mut option);
    over_the_wire(option)
}

// rfc8684:3.1-17 rfc8684:3.1-30
#[test]
fn both_ends_agree() {
    let first = FirstMapping {
        len: 1000,
        checksum: Some(5),
    };
    for (client, server) in [
        (PLAIN, PLAIN),
        (STRICT, PLAIN),
        (PLAIN, STRICT),
        (STRICT, STRICT),
    ] {
        let checksum = client.checksum || server.checksum;
        let for_server = Agreed {
            version: Version::V1,
            checksum,
            deny_join: client.deny_join,
        };
        let for_client = Agreed {
            version: Version::V1,
            checksum,
            deny_join: server.deny_join,
        };
        let syn = over_the_wire(client_syn(client));
        assert_eq!(
            on_syn(&syn, server),
            SynAnswer::Mptcp { agreed: for_server }
        );

        let syn_ack = over_the_wire(server_syn_ack(server, for_server, SERVER));
        let client_outcome = ClientOutcome::Mptcp {
            remote_key: SERVER,
            agreed: for_client,
        };
        assert_eq!(on_syn_ack(&syn_ack, client), client_outcome);

        let first = FirstMapping {
            checksum: first.checksum.filter(|_| checksum),
            ..first
        };
        for first in [None, Some(first)] {
            let ack = over_the_wire(client_ack(client, for_client, CLIENT, SERVER, first));
            let server_outcome = ServerOutcome::Mptcp {
                remote_key: CLIENT,
                agreed: for_server,
                first,
            };
            assert_eq!(on_third_ack(&ack, server, SERVER), server_outcome);
        }
    }
}

// rfc8684:3.1-12 rfc8684:3.1-15
#[test]
fn what_is_offered_names_the_one_algorithm() {
    for policy in [PLAIN, STRICT] {
        let agreed = Agreed::default();
        for option in [
            client_syn(policy),
            server_syn_ack(policy, agreed, SERVER),
            client_ack(policy, agreed, CLIENT, SERVER, None),
        ] {
            let mut bytes = [0; 24];
            option.emit(&mut bytes).expect("it fits");
            // All but A and C, which are the policy's: B and D to G are zero, H is one.
            assert_eq!(bytes[3] & 0x5f, 0x01);
        }
    }
}

// rfc8684:3.1-4 rfc8684:3.1-10 rfc8684:3.1-13 rfc8684:3.1-16 rfc8684:3.7-1 rfc8684:3.1-27
#[test]
fn client_falls_back_without_a_usable_answer() {
    let agreed = Agreed::default();
    let answer = server_syn_ack(PLAIN, agreed, SERVER);
    let malformed = Received {
        malformed: 1,
        ..Received::default()
    };
    for (received, reason) in [
        (Received::default(), Reason::NoOption),
        (malformed, Reason::Malformed),
        (with(|o| o.version = 0, answer), Reason::Version),
        (with(|o| o.version = 2, answer), Reason::Version),
        (
            with(|o| o.flags.extensibility = true, answer),
            Reason::Extension,
        ),
        (
            with(|o| o.flags.hmac_sha256 = false, answer),
            Reason::Crypto,
        ),
        (over_the_wire(client_syn(PLAIN)), Reason::Malformed),
    ] {
        assert_eq!(
            on_syn_ack(&received, PLAIN),
            ClientOutcome::Fallback(reason)
        );
    }
}

#[test]
fn a_syn_that_answers_no_offer_leads_to_plain_tcp() {
    let answer = server_syn_ack(PLAIN, Agreed::default(), SERVER);
    let (syn_ack, syn) = (over_the_wire(answer), over_the_wire(client_syn(PLAIN)));
    let mptcp = on_syn_ack(&syn_ack, PLAIN);
    let plain = ClientOutcome::Fallback;
    for (segment, received, offered, outcome) in [
        (SegmentKind::SYN_ACK, syn_ack, true, mptcp),
        (
            SegmentKind::SYN_ACK,
            syn_ack,
            false,
            plain(Reason::NotOffered),
        ),
        (SegmentKind::SYN, syn, true, plain(Reason::Simultaneous)),
        (SegmentKind::SYN, syn, false, plain(Reason::Simultaneous)),
    ] {
        assert_eq!(on_peers_syn(segment, &received, offered, PLAIN), outcome);
    }
}

// rfc8684:3.1-5 rfc8684:3.1-9 rfc8684:3.1-13 rfc8684:3.1-16 rfc8684:3.1-31
#[test]
fn server_answers_plainly_what_it_does_not_know() {
    let syn = client_syn(PLAIN);
    let (_, _, keyed) = version0::MP_CAPABLE[0];
    let segment = SegmentKind {
        syn: true,
        ..SegmentKind::default()
    };
    for (received, reason) in [
        (Received::default(), Reason::NoOption),
        (Received::parse(keyed, segment), Reason::Version),
        (
            with(|o| o.flags.extensibility = true, syn),
            Reason::Extension,
        ),
        (with(|o| o.flags.hmac_sha256 = false, syn), Reason::Crypto),
        (
            over_the_wire(server_syn_ack(PLAIN, Agreed::default(), SERVER)),
            Reason::Malformed,
        ),
    ] {
        assert_eq!(on_syn(&received, PLAIN), SynAnswer::Plain(reason));
    }
    // A newer initiator is answered in our version.
    for version in 1..16 {
        let newer = with(|o| o.version = version, syn);
        let agreed = Agreed::default();
        assert_eq!(on_syn(&newer, PLAIN), SynAnswer::Mptcp { agreed });
    }
}

// rfc8684:3.1-6 rfc8684:3.1-27
#[test]
fn server_falls_back_on_a_wrong_third_ack() {
    let agreed = Agreed::default();
    let ack = client_ack(PLAIN, agreed, CLIENT, SERVER, None);
    let stranger = client_ack(PLAIN, agreed, CLIENT, CLIENT, None);
    for (received, reason) in [
        (Received::default(), Reason::NoOption),
        (over_the_wire(stranger), Reason::WrongKey),
        (with(|o| o.version = 2, ack), Reason::Version),
        (
            with(|o| o.flags.extensibility = true, ack),
            Reason::Extension,
        ),
        (with(|o| o.flags.hmac_sha256 = false, ack), Reason::Crypto),
        (over_the_wire(client_syn(PLAIN)), Reason::Malformed),
        (
            over_the_wire(server_syn_ack(PLAIN, agreed, CLIENT)),
            Reason::Malformed,
        ),
    ] {
        let outcome = on_third_ack(&received, PLAIN, SERVER);
        assert_eq!(outcome, ServerOutcome::Fallback(reason), "{received:?}");
    }
}

#[test]
fn checksum_of_the_first_mapping_follows_the_agreement() {
    let first = |checksum| FirstMapping { len: 9, checksum };
    let send = |policy, agreed, checksum| {
        let option = client_ack(policy, agreed, CLIENT, SERVER, Some(first(checksum)));
        on_third_ack(&over_the_wire(option), PLAIN, SERVER)
    };
    let without = Agreed::default();
    let with = Agreed {
        checksum: true,
        ..without
    };
    let mptcp = |agreed, checksum| ServerOutcome::Mptcp {
        remote_key: CLIENT,
        agreed,
        first: Some(first(checksum)),
    };
    assert_eq!(send(PLAIN, without, Some(3)), mptcp(without, None));
    assert_eq!(send(PLAIN, with, Some(3)), mptcp(with, Some(3)));
    let missing = ServerOutcome::Fallback(Reason::Malformed);
    assert_eq!(send(PLAIN, with, None), missing);
}

// rfc8684:3.1-1 rfc8684:3.1-22 rfc8684:v0-13
#[test]
fn server_key_depends_on_every_field_and_the_secret() {
    let attempt = Attempt {
        local: Address::V4([10, 0, 0, 1]),
        remote: Address::V4([10, 0, 0, 2]),
        local_port: 80,
        remote_port: 4000,
        local_isn: 1,
        remote_isn: 2,
    };
    let digest = |secret: u64| {
        move |bytes: &[u8; Attempt::LENGTH]| {
            bytes.iter().fold(secret, |state, byte| {
                (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            })
        }
    };
    let key = server_key(&attempt, digest(7));
    assert_eq!(server_key(&attempt, digest(7)), key);
    assert_ne!(server_key(&attempt, digest(8)), key);
    for other in [
        Attempt {
            local: Address::V4([10, 0, 0, 3]),
            ..attempt
        },
        Attempt {
            remote: Address::V6([1; 16]),
            ..attempt
        },
        Attempt {
            local_port: 81,
            ..attempt
        },
        Attempt {
            remote_port: 4001,
            ..attempt
        },
        Attempt {
            local_isn: 3,
            ..attempt
        },
        Attempt {
            remote_isn: 3,
            ..attempt
        },
    ] {
        assert_ne!(server_key(&other, digest(7)), key, "{other:?}");
    }
    let bytes = attempt.to_bytes();
    assert_eq!(bytes[10..16], [0xff, 0xff, 10, 0, 0, 1]);
    assert_eq!(bytes[26..32], [0xff, 0xff, 10, 0, 0, 2]);
    assert_eq!(bytes[32..], [0, 80, 15, 160, 0, 0, 0, 1, 0, 0, 0, 2]);
}

#[test]
fn data_acknowledgement_ends_the_clients_handshake() {
    let with_dss = |data_ack| Received {
        dss: Some(Dss {
            data_ack,
            ..Dss::default()
        }),
        ..Received::default()
    };
    let acked = with_dss(Some(WireSeq::Short(1)));
    assert!(establishes_client(&acked) && establishes_server(&acked));
    let bare = with_dss(None);
    assert!(!establishes_client(&bare) && establishes_server(&bare));
    let none = Received::default();
    assert!(!establishes_client(&none) && !establishes_server(&none));
}

// rfc8684:3.1-19
#[test]
fn client_repeats_mp_capable_until_established() {
    for (established, data, first, speaks) in [
        (false, false, false, ClientSpeaks::CapableAck),
        (false, true, true, ClientSpeaks::CapableData),
        (false, true, false, ClientSpeaks::Dss),
        (true, false, false, ClientSpeaks::Dss),
        (true, true, true, ClientSpeaks::Dss),
    ] {
        assert_eq!(client_speaks(established, data, first), speaks);
    }
}
