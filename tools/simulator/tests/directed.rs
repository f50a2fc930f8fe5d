// SPDX-License-Identifier: GPL-2.0

//! One middlebox, no other trouble: how the connection ends must be the best that is possible.

use mptcp_core::connection::handshake::Versions;
use mptcp_core::wire::Version;
use mptcp_simulator::link::LinkKind;
use mptcp_simulator::middlebox::{BoxKind, Stage, Way};
use mptcp_simulator::scenario::{Scenario, Simplification};
use mptcp_simulator::shrink::simplest;
use mptcp_simulator::world::{run, Report};

const BYTES: u64 = 60_000;

/// Both ends send the same, nothing goes wrong.
fn calm() -> Scenario {
    let steps = [
        "good-links",
        "large-buffers",
        "no-pruning",
        "no-checksum",
        "no-wrap",
        "quick-readers",
        "quick-client",
        "quick-server",
        "same-mss",
        "patient-ends",
        "one-path",
    ];
    let steps = steps.map(|name| Simplification::named(name).expect("it exists"));
    let random = Scenario::random(1);
    let mut scenario = steps
        .iter()
        .fold(random, |scenario, step| step.of(&scenario));
    scenario.routes[0].boxes.clear();
    for end in [&mut scenario.client, &mut scenario.server] {
        end.versions = Versions::V1;
        end.app.bytes = BYTES;
    }
    scenario
}

/// How the connection ends with a middlebox on its way.
fn behind(kind: BoxKind, checksum: bool) -> Report {
    let mut scenario = calm();
    scenario.routes[0].boxes.push(kind);
    scenario.client.checksum = checksum;
    run(&scenario).unwrap_or_else(|failure| panic!("{kind:?}: {failure:?}"))
}

fn strip(way: Option<Way>, stage: Stage) -> BoxKind {
    BoxKind::Strip { way, stage }
}

#[test]
fn without_trouble_it_is_mptcp() {
    let report = run(&calm()).expect("nothing goes wrong");
    assert!(report.mptcp && !report.broken);
    assert_eq!(report.read, [BYTES; 2]);
}

/// RFC 8684 section 3.1: the version is the highest that both speak; where there is none, and where
/// an older server does not know the form of the SYN, the connection is plain TCP.
// rfc8684:3.1-9 rfc8684:3.1-10 rfc8684:3.1-24
#[test]
fn the_ends_agree_on_a_version() {
    let (zero, one, all) = (Versions::V0, Versions::V1, Versions::ALL);
    for (client, server, spoken) in [
        (one, one, Some(Version::V1)),
        (all, all, Some(Version::V1)),
        (all, one, Some(Version::V1)),
        (one, all, Some(Version::V1)),
        (zero, zero, Some(Version::V0)),
        (zero, all, Some(Version::V0)),
        (zero, one, None),
        (one, zero, None),
        (all, zero, None),
        (Versions::NONE, all, None),
        (all, Versions::NONE, None),
    ] {
        let mut scenario = calm();
        scenario.client.versions = client;
        scenario.server.versions = server;
        let report = run(&scenario).expect("nothing goes wrong");
        assert_eq!(report.mptcp, spoken.is_some(), "{client:?} {server:?}");
        assert_eq!(report.version, spoken, "{client:?} {server:?}");
        assert!(!report.broken && report.read == [BYTES; 2]);
    }
}

/// Version 0: the third ACK is lost, or a box takes its option off; the first data has none of
/// MP_CAPABLE, but a DSS (RFC 6824 section 3.1).
// rfc8684:v0-1 rfc8684:v0-4
#[test]
fn version_0_outlives_its_third_ack() {
    for checksum in [false, true] {
        let mut scenario = calm();
        for end in [&mut scenario.client, &mut scenario.server] {
            end.versions = Versions::V0;
            end.checksum = checksum;
        }
        // The SYN/ACK is there after two delays.
        let delay = scenario.routes[0].links[0].delay;
        let lost = (2 * delay - 1_000, 2 * delay + 1_000);
        scenario.routes[0].links[Way::ToServer.index()].dead = Some(lost);
        scenario.client.app.reads_from = 0;
        let report = run(&scenario).expect("nothing goes wrong");
        assert!(report.mptcp && !report.broken, "{report:?}");
        assert_eq!(report.read, [BYTES; 2]);
    }
}

#[test]
fn boxes_that_leave_the_options_leave_mptcp() {
    let split = |copy_options| BoxKind::Split {
        most: 300,
        copy_options,
    };
    for kind in [BoxKind::Nat, BoxKind::Renumber, split(true), split(false)] {
        for checksum in [false, true] {
            let report = behind(kind, checksum);
            assert!(report.mptcp && !report.broken, "{kind:?}");
            assert_eq!(report.read, [BYTES; 2]);
        }
    }
}

// rfc8684:3.7-1 rfc8684:3.7-5
#[test]
fn stripped_options_leave_plain_tcp() {
    let ways = [None, Some(Way::ToServer), Some(Way::ToClient)];
    let stages = [Stage::Data, Stage::Later, Stage::After(20)];
    let mut kinds = vec![
        strip(None, Stage::Syn),
        strip(None, Stage::SynAck),
        strip(Some(Way::ToServer), Stage::ThirdAck),
    ];
    for stage in stages {
        kinds.extend(ways.map(|way| strip(way, stage)));
    }
    for kind in kinds {
        for checksum in [false, true] {
            let report = behind(kind, checksum);
            assert!(!report.mptcp && !report.broken, "{kind:?}");
            assert_eq!(report.read, [BYTES; 2]);
        }
    }
}

// rfc8684:3.7-13
#[test]
fn a_rewritten_stream_is_noticed_by_checksums_alone() {
    for (remove, insert) in [(5, 5), (9, 2), (2, 9)] {
        for way in Way::BOTH {
            let kind = BoxKind::Rewrite {
                way,
                at: 30_000,
                remove,
                insert,
            };
            let report = behind(kind, true);
            // When bytes seem to be missing they are sent again, and then nobody knows which are
            // which.
            if remove > insert {
                assert!(report.broken && report.read[way.index()] <= 30_000);
                continue;
            }
            assert!(!report.mptcp && !report.broken, "{kind:?}");
            let mut read = [BYTES; 2];
            read[way.index()] += u64::from(insert);
            read[way.index()] -= u64::from(remove);
            assert_eq!(report.read, read);
        }
    }
    let same_length = BoxKind::Rewrite {
        way: Way::ToServer,
        at: 30_000,
        remove: 5,
        insert: 5,
    };
    assert!(behind(same_length, false).mptcp);
}

#[test]
fn a_failure_is_noticed_and_made_simple() {
    let mut scenario = Scenario::random(3);
    // A death that the scenario does not admit.
    let dead = LinkKind {
        dead: Some((20_000, u64::MAX - 1)),
        ..LinkKind::GOOD
    };
    scenario.routes[0].links = [dead.clone(), dead];
    scenario.client.app.bytes = BYTES;
    let steps = ["patient-ends", "one-path"].map(Simplification::named);
    let steps = steps.into_iter().flatten();
    let scenario = steps.fold(scenario, |scenario, step| step.of(&scenario));
    let shrunk = simplest(scenario).expect("the link is dead");
    assert!(shrunk.scenario.routes[0].boxes.is_empty());
    assert!(shrunk.scenario.routes[0].links[0].dead.is_some());
    assert!(shrunk.command().contains("--seed 3 "));
}
