// SPDX-License-Identifier: GPL-2.0

//! Options: their bytes, what segments say with them, and which fit a segment.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_wire)]
mod tests {
    use mptcp_core::vectors::{captured, options, plan, reading, version0};

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

    // rfc8684:3-1 rfc8684:3.3-3
    #[test]
    fn segments_are_read_as_on_the_host() {
        assert_eq!(reading::check(), Ok(()));
    }

    #[test]
    fn options_are_planned_as_on_the_host() {
        assert_eq!(plan::check(), Ok(()));
    }
}
