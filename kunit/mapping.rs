// SPDX-License-Identifier: GPL-2.0

//! The mapping tables around the end of both sequence spaces, at their bound, and under contradiction.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_mapping)]
mod tests {
    use mptcp_core::vectors::mapping;

    // rfc8684:3.3.1-18
    #[test]
    fn sent_mappings_are_kept_as_on_the_host() {
        assert_eq!(mapping::check_sent(), Ok(()));
    }

    // rfc8684:3.3.1-10
    #[test]
    fn received_mappings_are_kept_as_on_the_host() {
        assert_eq!(mapping::check_received(), Ok(()));
    }

    // rfc8684:3.3.1-12
    #[test]
    fn checksums_are_those_of_the_host() {
        assert_eq!(mapping::check_checksums(), Ok(()));
    }
}
