// SPDX-License-Identifier: GPL-2.0

//! The handshake of MP_CAPABLE over real option bytes, as both ends hear it.

use super::{expect, version0, Check};
use crate::connection::handshake::{
    client_ack, client_speaks, client_syn, establishes_client, establishes_server, on_peers_syn,
    on_syn, on_syn_ack, on_third_ack, server_key, server_syn_ack, Agreed, Attempt, ClientOutcome,
    ClientSpeaks, FirstMapping, Policy, Reason, ServerOutcome, SynAnswer,
};
use crate::crypto::Key;
use crate::wire::{
    Address, CapableContent, Dss, MpCapable, Received, SegmentKind, Version, WireSeq, OPTION_SPACE,
};

/// Runs everything.
///
/// # Errors
/// The name of the first vector that fails.
pub fn check() -> Check {
    check_agreement()?;
    check_offers()?;
    check_answers()?;
    check_peers_syn()?;
    check_syns()?;
    check_third_acks()?;
    check_first_data()?;
    check_attempt()?;
    check_established()
}

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
const SIMPLE: Agreed = Agreed {
    version: Version::V1,
    checksum: false,
    deny_join: false,
};
const SUMMED: Agreed = Agreed {
    checksum: true,
    ..SIMPLE
};

/// Sends an option over the wire in a segment of the kind it belongs to.
fn sent(option: MpCapable) -> Received {
    let mut room = [0; OPTION_SPACE];
    let segment = match option.content {
        CapableContent::Syn => SegmentKind::SYN,
        CapableContent::SynAck { .. } => SegmentKind::SYN_ACK,
        CapableContent::Ack { .. } | CapableContent::AckData { .. } => SegmentKind::ACK,
    };
    let bytes = option.emit(&mut room).and_then(|length| room.get(..length));
    Received::parse(bytes.unwrap_or(&[]), segment)
}

/// What is changed in an option.
#[derive(Clone, Copy)]
enum Change {
    Version(u8),
    Extension,
    Crypto,
}

use Change::{Crypto, Extension};

fn changed(mut option: MpCapable, change: Change) -> Received {
    match change {
        Change::Version(version) => option.version = version,
        Extension => option.flags.extensibility = true,
        Crypto => option.flags.hmac_sha256 = false,
    }
    sent(option)
}

// rfc8684:3.1-17 rfc8684:3.1-30
fn check_agreement() -> Check {
    for (name, client, server) in [
        ("nobody wants anything", PLAIN, PLAIN),
        ("the client does", STRICT, PLAIN),
        ("the server does", PLAIN, STRICT),
        ("both do", STRICT, STRICT),
    ] {
        let checksum = client.checksum || server.checksum;
        let agreed = |deny_join| Agreed {
            version: Version::V1,
            checksum,
            deny_join,
        };
        let (for_server, for_client) = (agreed(client.deny_join), agreed(server.deny_join));
        let answer = on_syn(&sent(client_syn(client)), server);
        expect(answer == SynAnswer::Mptcp { agreed: for_server }, name)?;

        let syn_ack = sent(server_syn_ack(server, for_server, SERVER));
        let outcome = ClientOutcome::Mptcp {
            remote_key: SERVER,
            agreed: for_client,
        };
        expect(on_syn_ack(&syn_ack, client) == outcome, name)?;

        let first = FirstMapping {
            len: 1000,
            checksum: checksum.then_some(5),
        };
        for first in [None, Some(first)] {
            let ack = sent(client_ack(client, for_client, CLIENT, SERVER, first));
            let outcome = ServerOutcome::Mptcp {
                remote_key: CLIENT,
                agreed: for_server,
                first,
            };
            expect(on_third_ack(&ack, server, SERVER) == outcome, name)?;
        }
    }
    Ok(())
}

/// What is offered names the one algorithm.
// rfc8684:3.1-12 rfc8684:3.1-15
fn check_offers() -> Check {
    for policy in [PLAIN, STRICT] {
        for (name, option) in [
            ("offer of a SYN", client_syn(policy)),
            ("offer of a SYN/ACK", server_syn_ack(policy, SIMPLE, SERVER)),
            (
                "third ACK",
                client_ack(policy, SIMPLE, CLIENT, SERVER, None),
            ),
        ] {
            let mut bytes = [0; OPTION_SPACE];
            expect(option.emit(&mut bytes).is_some(), name)?;
            // All but A and C, which are the policy's: B and D to G are zero, H is one.
            let flags = bytes.get(3).map(|flags| flags & 0x5f);
            expect(flags == Some(0x01), name)?;
        }
    }
    Ok(())
}

// rfc8684:3.1-4 rfc8684:3.1-10 rfc8684:3.1-13 rfc8684:3.1-16 rfc8684:3.7-1 rfc8684:3.1-27
fn check_answers() -> Check {
    let nothing = Received::default();
    let answer = server_syn_ack(PLAIN, SIMPLE, SERVER);
    let malformed = Received {
        malformed: 1,
        ..Received::default()
    };
    let older = changed(answer, Change::Version(0));
    let newer = changed(answer, Change::Version(2));
    for (name, received, reason) in [
        ("a SYN/ACK without option", nothing, Reason::NoOption),
        (
            "a SYN/ACK with a malformed one",
            malformed,
            Reason::Malformed,
        ),
        ("a SYN/ACK of version 0", older, Reason::Version),
        ("a SYN/ACK of version 2", newer, Reason::Version),
        (
            "a SYN/ACK with B",
            changed(answer, Extension),
            Reason::Extension,
        ),
        (
            "a SYN/ACK without H",
            changed(answer, Crypto),
            Reason::Crypto,
        ),
        (
            "the option of a SYN",
            sent(client_syn(PLAIN)),
            Reason::Malformed,
        ),
    ] {
        let outcome = on_syn_ack(&received, PLAIN);
        expect(outcome == ClientOutcome::Fallback(reason), name)?;
    }
    Ok(())
}

fn check_peers_syn() -> Check {
    let answer = sent(server_syn_ack(PLAIN, SIMPLE, SERVER));
    let syn = sent(client_syn(PLAIN));
    let mptcp = on_syn_ack(&answer, PLAIN);
    let unasked = ClientOutcome::Fallback(Reason::NotOffered);
    let crossed = ClientOutcome::Fallback(Reason::Simultaneous);
    for (name, segment, received, offered, expected) in [
        ("an answer", SegmentKind::SYN_ACK, answer, true, mptcp),
        (
            "an answer to no offer",
            SegmentKind::SYN_ACK,
            answer,
            false,
            unasked,
        ),
        ("SYNs that cross", SegmentKind::SYN, syn, true, crossed),
        (
            "SYNs that cross, no offer",
            SegmentKind::SYN,
            syn,
            false,
            crossed,
        ),
    ] {
        let outcome = on_peers_syn(segment, &received, offered, PLAIN);
        expect(outcome == expected, name)?;
    }
    Ok(())
}

// rfc8684:3.1-5 rfc8684:3.1-9 rfc8684:3.1-13 rfc8684:3.1-16 rfc8684:3.1-31
fn check_syns() -> Check {
    let nothing = Received::default();
    let syn = client_syn(PLAIN);
    let [(_, _, keyed), ..] = version0::MP_CAPABLE;
    let keyed = Received::parse(keyed, SegmentKind::SYN);
    let answer = sent(server_syn_ack(PLAIN, SIMPLE, SERVER));
    for (name, received, reason) in [
        ("a SYN without option", nothing, Reason::NoOption),
        ("a SYN of version 0", keyed, Reason::Version),
        ("a SYN with B", changed(syn, Extension), Reason::Extension),
        ("a SYN without H", changed(syn, Crypto), Reason::Crypto),
        ("the option of a SYN/ACK", answer, Reason::Malformed),
    ] {
        expect(on_syn(&received, PLAIN) == SynAnswer::Plain(reason), name)?;
    }
    // A newer initiator is answered in our version.
    for version in 1..16 {
        let newer = changed(syn, Change::Version(version));
        let answer = on_syn(&newer, PLAIN);
        expect(answer == SynAnswer::Mptcp { agreed: SIMPLE }, "a newer SYN")?;
    }
    Ok(())
}

// rfc8684:3.1-6 rfc8684:3.1-27
fn check_third_acks() -> Check {
    let nothing = Received::default();
    let ack = client_ack(PLAIN, SIMPLE, CLIENT, SERVER, None);
    let stranger = sent(client_ack(PLAIN, SIMPLE, CLIENT, CLIENT, None));
    let newer = changed(ack, Change::Version(2));
    let syn = sent(client_syn(PLAIN));
    let syn_ack = sent(server_syn_ack(PLAIN, SIMPLE, CLIENT));
    for (name, received, reason) in [
        ("an ACK without option", nothing, Reason::NoOption),
        ("an ACK with another key", stranger, Reason::WrongKey),
        ("an ACK of version 2", newer, Reason::Version),
        ("an ACK with B", changed(ack, Extension), Reason::Extension),
        ("an ACK without H", changed(ack, Crypto), Reason::Crypto),
        ("an ACK with the option of a SYN", syn, Reason::Malformed),
        ("an ACK with that of a SYN/ACK", syn_ack, Reason::Malformed),
    ] {
        let outcome = on_third_ack(&received, PLAIN, SERVER);
        expect(outcome == ServerOutcome::Fallback(reason), name)?;
    }
    Ok(())
}

/// The checksum of the first mapping follows the agreement. Columns: what was agreed on, the checksum that is said,
/// and the one that is read unless the option is malformed.
fn check_first_data() -> Check {
    for (name, agreed, said, read) in [
        ("first data, nobody sums", SIMPLE, Some(3), Some(None)),
        ("first data with checksum", SUMMED, Some(3), Some(Some(3))),
        ("first data without checksum", SUMMED, None, None),
    ] {
        let first = |checksum| FirstMapping { len: 9, checksum };
        let option = client_ack(PLAIN, agreed, CLIENT, SERVER, Some(first(said)));
        let outcome = on_third_ack(&sent(option), PLAIN, SERVER);
        let expected = match read {
            Some(checksum) => ServerOutcome::Mptcp {
                remote_key: CLIENT,
                agreed,
                first: Some(first(checksum)),
            },
            None => ServerOutcome::Fallback(Reason::Malformed),
        };
        expect(outcome == expected, name)?;
    }
    Ok(())
}

/// What the server's key depends on, through a function that only this host can compute.
// rfc8684:3.1-1 rfc8684:3.1-22 rfc8684:v0-13
fn check_attempt() -> Check {
    let attempt = Attempt {
        local: Address::V4([10, 0, 0, 1]),
        remote: Address::V6([6; 16]),
        local_port: 80,
        remote_port: 4000,
        local_isn: 1,
        remote_isn: 2,
    };
    let local = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    let numbers = [0, 80, 15, 160, 0, 0, 0, 1, 0, 0, 0, 2];
    let name = "the bytes of an attempt";
    let key = server_key(&attempt, |bytes| {
        let parts = [&local[..], &[6; 16], &numbers].into_iter().flatten();
        u64::from(bytes.iter().eq(parts))
    });
    expect(key == Key::new(1), name)?;
    let other = server_key(&attempt, |_| 7);
    expect(other == Key::new(7), "another secret")
}

// rfc8684:3.1-19
fn check_established() -> Check {
    let with_dss = |data_ack| Received {
        dss: Some(Dss {
            data_ack,
            ..Dss::default()
        }),
        ..Received::default()
    };
    let acked = with_dss(Some(WireSeq::Short(1)));
    for (name, received, client, server) in [
        ("a data acknowledgement", acked, true, true),
        ("a DSS", with_dss(None), false, true),
        ("neither", Received::default(), false, false),
    ] {
        expect(establishes_client(&received) == client, name)?;
        expect(establishes_server(&received) == server, name)?;
    }
    for (name, [established, data, first], speaks) in [
        ("not heard", [false, false, false], ClientSpeaks::CapableAck),
        (
            "not heard, first data",
            [false, true, true],
            ClientSpeaks::CapableData,
        ),
        (
            "not heard, later data",
            [false, true, false],
            ClientSpeaks::Dss,
        ),
        ("heard", [true, false, false], ClientSpeaks::Dss),
        ("heard, first data", [true, true, true], ClientSpeaks::Dss),
    ] {
        expect(client_speaks(established, data, first) == speaks, name)?;
    }
    Ok(())
}
