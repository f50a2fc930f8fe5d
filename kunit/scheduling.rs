// SPDX-License-Identifier: GPL-2.0

//! The schedulers choose between paths: the fast one, a backup, one that lost contact.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_scheduler)]
mod tests {
    use mptcp_core::scheduler::{
        penalised, AnyScheduler, Decision, Health, Kind, Path, PathId, PathsView, Scheduler,
        Segment, Standing, RETURN_ANSWERS,
    };

    #[test]
    fn the_faster_path_carries_what_it_has_room_for() {
        let paths = [path(0, 10_000), path(1, 50_000)];
        for kind in [Kind::LowestRtt, Kind::Blest, Kind::Ecf] {
            assert!(sends_on(kind, &paths) == Some(0));
        }
        let full = Path {
            in_flight: 10,
            ..path(0, 10_000)
        };
        assert!(sends_on(Kind::LowestRtt, &[full, path(1, 50_000)]) == Some(1));
    }

    // rfc8684:3.3.8-1
    #[test]
    fn a_backup_waits_for_the_last_regular_path_to_go() {
        let backup = Path {
            backup: true,
            ..path(0, 10_000)
        };
        let stale = Path {
            standing: Standing::Stale,
            ..path(1, 50_000)
        };
        for kind in [Kind::LowestRtt, Kind::Blest, Kind::Ecf, Kind::RoundRobin] {
            assert!(sends_on(kind, &[backup, path(1, 50_000)]) == Some(1));
            assert!(sends_on(kind, &[backup, stale]) == Some(0));
        }
    }

    #[test]
    fn a_silent_path_is_left_and_comes_back() {
        let mut health = Health::new();
        for _ in 0..3 {
            assert!(!health.on_timeout(4, 1_000, 200_000));
        }
        assert!(health.on_timeout(4, 1_000, 200_000));
        assert!(health.standing() == Standing::Stale);
        assert!(!health.probe(1_000, 200_000));
        assert!(health.probe(201_000, 200_000));
        assert!(health.on_progress());
        for _ in 0..RETURN_ANSWERS {
            assert!(health.standing() == Standing::Returned);
            assert!(!health.on_progress());
        }
        assert!(health.standing() == Standing::Active);
    }

    #[test]
    fn a_penalised_path_keeps_two_segments() {
        assert_eq!(penalised(40, 20), (20, 10));
        assert_eq!(penalised(3, 3), (2, 2));
        assert_eq!(penalised(10, 100), (5, 100));
    }

    fn path(number: u8, rtt_us: u32) -> Path {
        Path {
            id: PathId::new(number).unwrap_or(PathId::FIRST),
            srtt_us: rtt_us,
            rttvar_us: rtt_us / 4,
            min_rtt_us: rtt_us,
            cwnd: 10,
            mss: 1000,
            send_room: u32::MAX,
            ..Path::UNKNOWN
        }
    }

    /// The path to which a scheduler of this kind gives new data.
    fn sends_on(kind: Kind, paths: &[Path]) -> Option<u8> {
        let segment = Segment {
            len: 1000,
            unsent: 1000,
            window_left: 100_000,
            ..Segment::default()
        };
        let view = PathsView::new(paths, 0, 100_000);
        match AnyScheduler::new(kind).pick(&view, &segment) {
            Decision::Send { path, .. } => Some(path.number()),
            _ => None,
        }
    }
}
