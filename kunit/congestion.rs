// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control computes in the kernel, where 128-bit division is a panic, what the
//! published formulas say.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_congestion)]
mod tests {
    use mptcp_core::vectors::congestion;

    // rfc8684:3.3.7-1
    #[test]
    fn windows_are_as_published() {
        assert_eq!(congestion::check(), Ok(()));
    }

    #[test]
    fn extremes_are_survived() {
        assert_eq!(congestion::check_extremes(), Ok(()));
    }
}
