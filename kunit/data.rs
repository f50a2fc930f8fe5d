// SPDX-License-Identifier: GPL-2.0

//! Sending and receiving at the data level across the end of the sequence space.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_data)]
mod tests {
    use mptcp_core::vectors::{receive, send};

    // rfc8684:3.3.3-5 rfc8684:3.3.4-1
    #[test]
    fn data_is_received_as_on_the_host() {
        assert_eq!(receive::check(), Ok(()));
    }

    // rfc8684:3.3.2-1 rfc8684:3.3.6-4
    #[test]
    fn data_is_sent_as_on_the_host() {
        assert_eq!(send::check(), Ok(()));
    }
}
