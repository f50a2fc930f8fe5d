// SPDX-License-Identifier: GPL-2.0

//! The schedulers choose between paths: the fast one, a backup, one that lost contact.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_scheduler)]
mod tests {
    use mptcp_core::vectors::scheduling;

    // rfc8684:3.3.8-1
    #[test]
    fn paths_are_chosen_as_on_the_host() {
        assert_eq!(scheduling::check(), Ok(()));
    }
}
