// SPDX-License-Identifier: GPL-2.0

//! Connections of several subflows, one trouble at a time.

use mptcp_core::connection::handshake::Versions;
use mptcp_core::path_manager::EndpointFlags;
use mptcp_core::scheduler::Kind;
use mptcp_core::wire::{Address, Version};
use mptcp_simulator::app::Ending;
use mptcp_simulator::endpoint::{Happening, PathsKind};
use mptcp_simulator::link::LinkKind;
use mptcp_simulator::middlebox::{BoxKind, Stage, Way};
use mptcp_simulator::scenario::{
    client_address, server_address, Families, Route, Scenario, SIMPLIFICATIONS,
};
use mptcp_simulator::world::{run, run_logged, Report};

const BYTES: u64 = 600_000;

/// A path manager that opens one more subflow if it has an endpoint for it.
fn paths(endpoints: &[(Address, EndpointFlags)]) -> PathsKind {
    let without_port = |(address, flags): &(Address, _)| (*address, None, *flags);
    PathsKind {
        endpoints: endpoints.iter().map(without_port).collect(),
        extra_subflows: 1,
        accepted_addresses: 1,
        subflows_per_pair: 1,
        denies: false,
        add_addr_timeout: 1_000_000,
        scheduler: Kind::LowestRtt,
        patience: 20_000_000,
        happenings: Vec::new(),
    }
}

/// Two routes that do no harm; the client has an address on each and sends.
fn calm() -> Scenario {
    let steps = SIMPLIFICATIONS.iter();
    let steps = steps.filter(|step| !step.name.starts_with("half"));
    let mut scenario = steps.fold(Scenario::random(1), |scenario, step| step.of(&scenario));
    let good = Route {
        links: [LinkKind::GOOD, LinkKind::GOOD],
        boxes: Vec::new(),
    };
    // The first DSS is at the server before the first join.
    let mut longer = good.clone();
    longer.links.iter_mut().for_each(|link| link.delay = 9_000);
    scenario.routes = vec![good, longer];
    scenario.client.app.bytes = BYTES;
    // What the first subflow took before the others came is its own.
    scenario.client.tcp.send_buffer = 40_000;
    scenario.client.paths = Some(paths(&[(client_address(1), EndpointFlags::SUBFLOW)]));
    scenario.server.paths = Some(paths(&[]));
    scenario
}

fn outcome(scenario: &Scenario) -> Report {
    run(scenario).unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// All arrived, and nobody saw anything wrong.
fn is_whole(report: &Report) -> bool {
    report.mptcp && !report.broken && report.read == [BYTES, 0]
}

fn dying_at(at: u64) -> [LinkKind; 2] {
    let dying = LinkKind {
        delay: 9_000,
        dead: Some((at, u64::MAX)),
        ..LinkKind::GOOD
    };
    [dying.clone(), dying]
}

#[test]
fn every_scheduler_uses_both_paths() {
    for scheduler in Kind::ALL {
        let mut scenario = calm();
        scenario.client.paths.as_mut().unwrap().scheduler = scheduler;
        let report = outcome(&scenario);
        assert!(is_whole(&report) && report.joined == 1, "{report:?}");
        let [first, second, ..] = report.carried;
        assert!(first > BYTES / 5 && second > BYTES / 5, "{scheduler:?}");
        let doubled = scheduler == Kind::Redundant;
        assert_eq!(first + second > BYTES * 3 / 2, doubled, "{report:?}");
    }
}

#[test]
fn an_announced_address_is_joined() {
    let mut scenario = calm();
    scenario.client.paths = Some(paths(&[]));
    scenario.server.paths = Some(paths(&[(server_address(1), EndpointFlags::SIGNAL)]));
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.joined == 1);
    // The option or its echo is lost: it is announced again.
    for lost in [Way::ToServer, Way::ToClient] {
        scenario.routes[0].links[lost.index()].dead = Some((14_000, 29_000));
        let report = outcome(&scenario);
        assert!(is_whole(&report) && report.joined == 1, "{lost:?}");
    }
}

/// RFC 6824 sections 3.2 and 3.4.1: other hashes, and addresses without HMAC and echo.
// rfc8684:v0-2 rfc8684:v0-3
#[test]
fn version_0_joins_too() {
    let mut by_client = calm();
    let mut by_server = calm();
    by_server.client.paths = Some(paths(&[]));
    by_server.server.paths = Some(paths(&[(server_address(1), EndpointFlags::SIGNAL)]));
    for scenario in [&mut by_client, &mut by_server] {
        scenario.client.versions = Versions::V0;
        scenario.server.versions = Versions::ALL;
        let report = outcome(scenario);
        assert!(is_whole(&report) && report.joined == 1, "{report:?}");
        assert_eq!(report.version, Some(Version::V0));
        assert!(report.carried[1] > BYTES / 5);
    }
    // Who has not the keys does not join here either.
    for which in 1..=3 {
        let mut scenario = by_client.clone();
        scenario.routes[1].boxes = vec![BoxKind::Tamper { which }];
        let report = outcome(&scenario);
        assert!(is_whole(&report) && report.joined == 0, "{which}");
    }
}

/// RFC 6824 section 3.5: the abort travels on an ACK and is answered by RST; if the ACK is lost, it
/// is sent again.
// rfc8684:v0-6
#[test]
fn version_0_aborts_on_an_ack() {
    for version in [Versions::V0, Versions::V1] {
        for lost in [None, Some((199_000, 350_000)), Some((199_000, u64::MAX))] {
            let mut scenario = calm();
            scenario.client.versions = version;
            scenario.server.versions = version;
            scenario.client.app.pause = 400_000;
            scenario.client.app.chunk = 1000;
            scenario.client.app.ending = Ending::Abort(200_000);
            scenario.routes[0]
                .links
                .iter_mut()
                .for_each(|l| l.dead = lost);
            scenario.routes[1]
                .links
                .iter_mut()
                .for_each(|l| l.dead = lost);
            let report = outcome(&scenario);
            assert!(report.broken && report.read == [1000, 0], "{report:?}");
            // A RST that is lost does not come again.
            let heard_at = match (lost, version) {
                (None, _) => 0..400_000,
                (Some((_, 350_000)), Versions::V0) => 350_000..1_000_000,
                _ => 1_000_000..u64::MAX,
            };
            assert!(
                heard_at.contains(&report.time),
                "{version:?} {lost:?} {report:?}"
            );
        }
    }
}

/// RFC 8684 section 3.4.1: a join goes to the announced port, in either family and version.
// rfc8684:3.4.1-4 rfc8684:3.4.1-6
#[test]
fn an_announced_port_is_joined() {
    for families in [Families::V4, Families::V6, Families::Mixed] {
        for versions in [Versions::V0, Versions::V1] {
            for port in [None, Some(8080)] {
                let mut scenario = calm();
                scenario.families = families;
                scenario.client.versions = versions;
                scenario.server.versions = versions;
                let ours = families.place(client_address(1));
                scenario.client.paths = Some(paths(&[(ours, EndpointFlags::FULLMESH)]));
                let mut at_server = paths(&[]);
                let address = families.place(server_address(1));
                at_server.endpoints = vec![(address, port, EndpointFlags::SIGNAL)];
                scenario.server.paths = Some(at_server);
                // From 1 to 1 is the first route again.
                scenario.routes.swap(0, 1);
                let mut reached = Vec::new();
                let report = run_logged(&scenario, &mut |line| reached.push(line))
                    .unwrap_or_else(|failure| panic!("{failure:?}"));
                assert!(is_whole(&report) && report.joined == 1, "{report:?}");
                let port = port.unwrap_or(80);
                let place = match address {
                    Address::V4(_) => format!("10.0.1.2:{port} "),
                    Address::V6(_) => format!("[fd00:102::1]:{port} "),
                };
                let joins = |line: &&String| line.contains("SYN seq") && line.contains(&place);
                assert!(
                    reached.iter().any(|line| joins(&line)),
                    "{families:?} {port}"
                );
            }
        }
    }
}

#[test]
fn joins_pass_translators() {
    let mut scenario = calm();
    for route in &mut scenario.routes {
        route.boxes = vec![BoxKind::Nat, BoxKind::Renumber];
    }
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.joined == 1);
}

// rfc8684:3.2-5 rfc8684:3.2-6 rfc8684:3.7-3 rfc8684:3.7-4
#[test]
fn a_join_without_options_leaves_the_connection_alone() {
    for way in [None, Some(Way::ToServer), Some(Way::ToClient)] {
        for stage in [Stage::Syn, Stage::SynAck, Stage::ThirdAck, Stage::Later] {
            let mut scenario = calm();
            scenario.routes[1].boxes = vec![BoxKind::Strip { way, stage }];
            let report = outcome(&scenario);
            assert!(is_whole(&report), "{way:?} {stage:?} {report:?}");
        }
    }
}

// rfc8684:3.2-3 rfc8684:3.2-5
#[test]
fn who_has_not_the_keys_does_not_join() {
    for which in 1..=3 {
        let mut scenario = calm();
        scenario.routes[1].boxes = vec![BoxKind::Tamper { which }];
        let report = outcome(&scenario);
        assert!(is_whole(&report), "{which} {report:?}");
        assert_eq!((report.joined, report.carried[1]), (0, 0), "{which}");
    }
}

// rfc8684:3.2-9
#[test]
fn a_lost_third_ack_is_repeated() {
    let mut scenario = calm();
    // The SYN has passed; the third ACK and its first repetitions are lost.
    scenario.routes[1].links[Way::ToServer.index()].dead = Some((30_000, 900_000));
    scenario.client.app.pause = 400_000;
    scenario.client.app.chunk = BYTES / 5;
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.joined == 1 && report.carried[1] > 0);
}

#[test]
fn the_death_of_a_path_is_survived() {
    for route in 0..2 {
        for at in [60_000, 150_000, 300_000] {
            let mut scenario = calm();
            scenario.routes[route].links = dying_at(at);
            let report = outcome(&scenario);
            assert!(is_whole(&report), "{route} {at} {report:?}");
        }
    }
}

#[test]
fn a_lost_address_is_survived() {
    for number in 0..2 {
        let mut scenario = calm();
        let lost = (150_000, Happening::Gone(client_address(number)));
        scenario.client.paths.as_mut().unwrap().happenings = vec![lost];
        let report = outcome(&scenario);
        assert!(is_whole(&report) && report.lost == 1, "{number} {report:?}");
    }
}

#[test]
fn the_only_address_may_go_and_come_back() {
    let mut scenario = calm();
    let paths = scenario.client.paths.as_mut().unwrap();
    paths.endpoints.clear();
    paths.happenings = vec![
        (150_000, Happening::Gone(client_address(0))),
        (5_150_000, Happening::Back(client_address(0))),
    ];
    let report = outcome(&scenario);
    // The subflow that waits for it goes on.
    assert!(is_whole(&report) && report.joined == 0, "{report:?}");
    assert!(report.time > 5_150_000);
}

#[test]
fn another_address_may_come_after_the_only_one_is_gone() {
    let mut scenario = calm();
    scenario.client.paths.as_mut().unwrap().happenings = vec![
        (0, Happening::Gone(client_address(1))),
        (150_000, Happening::Gone(client_address(0))),
        (5_150_000, Happening::Back(client_address(1))),
    ];
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.joined == 1, "{report:?}");
    assert!(report.time > 5_150_000);
}

// rfc8684:3.7-9 rfc8684:3.7-10 rfc8684:3.7-11 rfc8684:3.7-15 rfc8684:3.7-19
#[test]
fn a_wrong_checksum_costs_one_of_several_subflows() {
    let mut scenario = calm();
    scenario.server.checksum = true;
    scenario.routes[1].boxes = vec![BoxKind::Rewrite {
        way: Way::ToServer,
        at: 50_000,
        remove: 5,
        insert: 5,
    }];
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.lost > 0, "{report:?}");
}

// rfc8684:3.3.8-1
#[test]
fn a_backup_waits_until_it_is_needed() {
    let mut scenario = calm();
    let backup = EndpointFlags::SUBFLOW.with(EndpointFlags::BACKUP);
    scenario.client.paths = Some(paths(&[(client_address(1), backup)]));
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.joined == 1);
    assert_eq!(report.carried[1], 0);
    scenario.routes[0].links = dying_at(200_000);
    let report = outcome(&scenario);
    assert!(is_whole(&report) && report.carried[1] > 0, "{report:?}");
}

#[test]
fn a_subflow_becomes_a_backup_and_a_regular_one_again() {
    let mut scenario = calm();
    let address = client_address(1);
    let paths = scenario.client.paths.as_mut().unwrap();
    paths.happenings = vec![(100_000, Happening::Backup(address, true))];
    let kept_back = outcome(&scenario);
    let again = (200_000, Happening::Backup(address, false));
    scenario
        .client
        .paths
        .as_mut()
        .unwrap()
        .happenings
        .push(again);
    let used_again = outcome(&scenario);
    assert!(is_whole(&kept_back) && is_whole(&used_again));
    assert!(kept_back.carried[1] > 0 && kept_back.carried[1] < used_again.carried[1]);
}

// rfc8684:3.5-2
#[test]
fn an_abort_ends_all_subflows() {
    let mut scenario = calm();
    scenario.client.app.ending = Ending::Abort(200_000);
    scenario.server.app.answers = true;
    let report = outcome(&scenario);
    assert!(report.broken && report.joined == 1);
    assert!(report.time < 1_000_000, "nobody waits for anything");
}

// rfc8684:3.7-20
#[test]
fn there_is_no_plain_tcp_with_several_subflows() {
    for way in [None, Some(Way::ToServer), Some(Way::ToClient)] {
        let mut scenario = calm();
        let stage = Stage::After(150);
        scenario.routes[0].boxes = vec![BoxKind::Strip { way, stage }];
        let report = outcome(&scenario);
        assert!(is_whole(&report), "{way:?} {report:?}");
    }
}
