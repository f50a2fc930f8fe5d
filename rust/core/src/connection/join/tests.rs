// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::crypto::{tests::Published, Hashes, Sha256};
use crate::vectors::joins::{self, ACK_BYTES, CLIENT, REQUEST, SERVER, SYN_ACK_BYTES, SYN_BYTES};
use crate::wire::{kind, Address, Dss, MpCapable, SegmentKind, Version, WireSeq, OPTION_SPACE};

const SYN: SegmentKind = flags(true, false);
const SYN_ACK: SegmentKind = flags(true, true);
const ACK: SegmentKind = flags(false, true);

const fn flags(syn: bool, ack: bool) -> SegmentKind {
    SegmentKind { syn, ack }
}

/// The option as it stands in a segment.
fn bytes(option: MpJoin) -> std::vec::Vec<u8> {
    let mut room = [0; OPTION_SPACE];
    let length = option.emit(&mut room).unwrap();
    room[..length].to_vec()
}

fn received(options: &[u8], segment: SegmentKind) -> Received {
    Received::parse(options, segment)
}

// rfc8684:3.2-3 rfc8684:3.2-5 rfc8684:3.2-13
#[test]
fn the_bytes_of_a_handshake() {
    assert_eq!(joins::check(&Published), Ok(()));
}

// rfc8684:v0-2
#[test]
fn the_bytes_of_a_handshake_of_version_0() {
    let hashes = |version| Hashes {
        version,
        sha256: Published,
        sha1: Published,
    };
    assert_eq!(joins::check_v0(&hashes(Version::V0)), Ok(()));
    assert_eq!(joins::check_v0(&hashes(Version::V1)), Err("SYN/ACK"));
    assert_eq!(joins::check(&hashes(Version::V1)), Ok(()));
}

// rfc8684:3.2-7
#[test]
fn a_syn_asks_for_one_thing() {
    assert_eq!(on_syn(&Received::default()), None);
    let mut both = received(&SYN_BYTES, SYN);
    both.mp_capable = Some(MpCapable::parse(&[1, 1]).unwrap());
    assert_eq!(on_syn(&both), None);
    // The other segments of a join are no requests.
    assert_eq!(on_syn(&received(&SYN_ACK_BYTES, SYN_ACK)), None);
    assert_eq!(on_syn(&received(&ACK_BYTES, ACK)), None);
}

// rfc8684:3.2-3 rfc8684:3.2-6
#[test]
fn the_client_refuses_whoever_has_not_the_keys() {
    let conclude = |options: &[u8]| {
        let syn_ack = received(options, SYN_ACK);
        on_syn_ack(&syn_ack, CLIENT.keys, CLIENT.our_nonce, &Published)
    };
    assert_eq!(conclude(&[]), Err(Refusal::NoOption));
    // Our own code, sent back to us.
    let own = bytes(server_syn_ack(&CLIENT, 9, false, &Published));
    assert_eq!(conclude(&own), Err(Refusal::WrongHmac));
}

#[test]
fn a_backup_is_asked_for_by_either_end() {
    for backup in [false, true] {
        let syn = bytes(client_syn(&Request { backup, ..REQUEST }));
        assert_eq!(on_syn(&received(&syn, SYN)).unwrap().backup, backup);
        let answer = bytes(server_syn_ack(&SERVER, 9, backup, &Published));
        let answer = received(&answer, SYN_ACK);
        let accepted = on_syn_ack(&answer, CLIENT.keys, CLIENT.our_nonce, &Published);
        assert_eq!(accepted.unwrap().backup, backup);
    }
}

// rfc8684:3.2-5 rfc8684:3.8-2 rfc8684:3.9.3-2
#[test]
fn the_server_refuses_whoever_has_not_the_keys() {
    let conclude = |options: &[u8]| on_third_ack(&received(options, ACK), &SERVER, &Published);
    assert_eq!(conclude(&[]), Err(Refusal::NoOption));
    let mirrored = SERVER
        .keys
        .join_ack_hmac(&Published, SERVER.our_nonce, SERVER.peer_nonce);
    let mirrored = bytes(MpJoin::Ack { hmac: mirrored });
    assert_eq!(conclude(&mirrored), Err(Refusal::WrongHmac));
}

#[test]
fn a_code_of_one_subflow_does_not_open_another() {
    for other in [
        Secrets {
            our_nonce: SERVER.our_nonce ^ 1,
            ..SERVER
        },
        Secrets {
            peer_nonce: SERVER.peer_nonce ^ 1,
            ..SERVER
        },
    ] {
        let third = received(&ACK_BYTES, ACK);
        assert_eq!(
            on_third_ack(&third, &other, &Published),
            Err(Refusal::WrongHmac)
        );
    }
}

// rfc8684:3.2-4
#[test]
fn refusals_have_their_reasons() {
    for refusal in [Refusal::UnknownToken, Refusal::NoOption, Refusal::WrongHmac] {
        assert_eq!(refusal.reason(), ResetReason(1));
    }
    assert_eq!(Refusal::Silence.reason(), ResetReason(6));
}

// rfc8684:3.2-8 rfc8684:3.2-10
#[test]
fn the_fourth_segment_needs_an_option() {
    let third = received(&ACK_BYTES, ACK);
    assert!(acknowledgement_due(&third));
    for silent in [
        Received::default(),
        third,
        received(&SYN_ACK_BYTES, SYN_ACK),
    ] {
        assert!(!establishes_client(&silent));
    }
    let fourth = Received {
        dss: Some(Dss {
            data_ack: Some(WireSeq::Short(5)),
            ..Dss::default()
        }),
        ..Received::default()
    };
    assert!(establishes_client(&fourth));
    assert!(!acknowledgement_due(&fourth));
    let reset = received(&[kind::MPTCP, 4, 0x80, 3], ACK);
    assert!(!establishes_client(&reset));
}

// rfc8684:3.2-9
#[test]
fn the_third_ack_is_repeated_for_a_while() {
    let waits: std::vec::Vec<u32> = (1..=5)
        .map(|sent| third_ack_timeout(sent, 200_000, 2_000_000))
        .collect();
    assert_eq!(waits, [200_000, 400_000, 800_000, 1_600_000, 2_000_000]);
    assert_eq!(third_ack_timeout(255, u32::MAX, u32::MAX), u32::MAX);
    assert_eq!(on_silence(1, 3), Ok(()));
    assert_eq!(on_silence(2, 3), Ok(()));
    assert_eq!(on_silence(3, 3), Err(Refusal::Silence));
    assert_eq!(on_silence(0, 0), Err(Refusal::Silence));
}

#[test]
fn a_nonce_is_made_of_all_that_names_the_attempt() {
    let attempt = Attempt {
        local: Address::V4([10, 0, 0, 1]),
        remote: Address::V4([10, 0, 0, 2]),
        local_port: 80,
        remote_port: 40_000,
        local_isn: 5,
        remote_isn: 6,
    };
    let nonce = |attempt: &Attempt, token| {
        server_nonce(attempt, Token::new(token), |bytes| {
            let digest = Published.hash(&[bytes]);
            u64::from_be_bytes(*digest.first_chunk().unwrap())
        })
    };
    let first = nonce(&attempt, 1);
    assert_eq!(first, nonce(&attempt, 1));
    assert_ne!(first, nonce(&attempt, 2));
    let again = Attempt {
        local_isn: 7,
        ..attempt
    };
    assert_ne!(first, nonce(&again, 1));
    server_nonce(&attempt, Token::new(0x0102_0304), |bytes| {
        assert_eq!(bytes[..Attempt::LENGTH], attempt.to_bytes());
        assert_eq!(bytes[Attempt::LENGTH..], [1, 2, 3, 4]);
        0
    });
}
