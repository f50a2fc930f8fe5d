// SPDX-License-Identifier: GPL-2.0

//! The path manager decides in the kernel as on the host.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_paths)]
mod tests {
    use mptcp_core::vectors::{endpoints, paths};

    // rfc8684:3.1-25 rfc8684:3.4.1-3 rfc8684:3.4.1-6 rfc8684:3.4.1-8 rfc8684:3.4.2-2 rfc8684:3.4.2-7
    #[test]
    fn lives_are_as_told() {
        assert_eq!(paths::check(), Ok(()));
    }

    // rfc8684:3.4.1-1
    #[test]
    fn endpoints_are_kept_as_on_the_host() {
        assert_eq!(endpoints::check(), Ok(()));
    }
}
