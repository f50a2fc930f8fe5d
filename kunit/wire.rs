// SPDX-License-Identifier: GPL-2.0

//! The option codec against the vectors that it shares with the tests on the host.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_wire)]
mod tests {
    use mptcp_core::vectors::{captured, options, version0};
    use mptcp_core::wire::plan::{plan, Wanted};
    use mptcp_core::wire::{walk, Dss, Received, SegmentKind, OPTION_SPACE};

    #[test]
    fn every_option_round_trips() {
        assert_eq!(options::check_round_trips(), Ok(()));
        assert_eq!(version0::check_round_trips(), Ok(()));
    }

    #[test]
    fn what_the_kernels_own_mptcp_says_is_understood() {
        assert_eq!(captured::check(), Ok(()));
    }

    // rfc8684:3-1
    #[test]
    fn malformed_options_are_counted_and_ignored() {
        assert_eq!(options::check_malformed(), Ok(()));
        assert_eq!(version0::check_malformed(), Ok(()));
    }

    #[test]
    fn walk_stops_at_the_end_of_the_list() {
        let bytes = [1, 1, 8, 4, 9, 9, 1, 30, 3, 0x50, 0, 30, 3, 0x51];
        let mut walk = walk(&bytes);
        assert_eq!(walk.next().map(|option| option.kind), Some(8));
        assert_eq!(walk.next().map(|option| option.kind), Some(30));
        assert!(walk.next().is_none());
        assert!(!walk.broken());
    }

    #[test]
    fn a_full_mapping_fits_beside_timestamps_only() {
        let [.., (_, full, _), _, _] = options::DSS;
        let wanted = wanted(full);
        let fits = plan(&wanted, OPTION_SPACE - 12);
        assert_eq!(fits.carried, wanted);
        assert_eq!(fits.length, Dss::MAX_LENGTH);

        let tight = plan(&wanted, OPTION_SPACE - 12 - 8);
        assert_eq!(tight.missing, 8);
        assert_eq!(tight.length, 20);
        assert!(tight.carried.dss.is_some_and(|dss| dss.map == full.map));

        let mut room = [0; OPTION_SPACE];
        assert_eq!(fits.emit(&mut room), Some(28));
        let received = Received::parse(&room, SegmentKind::ACK);
        assert_eq!(received.dss, Some(full));
    }

    fn wanted(dss: Dss) -> Wanted {
        Wanted {
            dss: Some(dss),
            ..Wanted::default()
        }
    }
}
