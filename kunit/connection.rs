// SPDX-License-Identifier: GPL-2.0

//! What a connection decides from its handshake to its end.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_connection)]
mod tests {
    use mptcp_core::vectors::{
        abort, acceptable, arrival, delivery, departure, doubt, ending, expiry, fallback,
        handshake, patience,
    };

    // rfc8684:3.1-4 rfc8684:3.1-5 rfc8684:3.1-6 rfc8684:3.1-17
    #[test]
    fn hands_are_shaken_as_on_the_host() {
        assert_eq!(handshake::check(), Ok(()));
    }

    // rfc8684:3-2 rfc8684:3.4.2-5
    #[test]
    fn forged_segments_are_refused_as_on_the_host() {
        assert_eq!(acceptable::check(), Ok(()));
    }

    // rfc8684:3-2 rfc8684:3.1-20 rfc8684:3.3-1 rfc8684:3.3-2
    #[test]
    fn arriving_segments_are_read_as_on_the_host() {
        assert_eq!(arrival::check(), Ok(()));
    }

    // rfc8684:3.3.1-3 rfc8684:3.7-8
    #[test]
    fn bytes_are_placed_as_on_the_host() {
        assert_eq!(delivery::check(), Ok(()));
    }

    // rfc8684:3.7-5 rfc8684:3.7-6 rfc8684:3.7-7 rfc8684:3.7-13 rfc8684:3.7-14 rfc8684:3.7-15 rfc8684:3.7-20
    #[test]
    fn mptcp_ends_in_the_middle_as_on_the_host() {
        assert_eq!(fallback::check(), Ok(()));
    }

    // rfc8684:3.3.6-2 rfc8684:3.7-3 rfc8684:3.7-5 rfc8684:4-1
    #[test]
    fn the_timer_expires_as_on_the_host() {
        assert_eq!(expiry::check(), Ok(()));
    }

    // rfc8684:3.1-7
    #[test]
    fn patience_ends_as_on_the_host() {
        assert_eq!(patience::check(), Ok(()));
    }

    // rfc8684:3.5-1 rfc8684:3.5-2
    #[test]
    fn connections_are_aborted_as_on_the_host() {
        assert_eq!(abort::check(), Ok(()));
    }

    // rfc8684:3.3.3-1 rfc8684:3.3.3-6 rfc8684:3.3.3-8
    #[test]
    fn connections_end_as_on_the_host() {
        assert_eq!(ending::check(), Ok(()));
    }

    // rfc8684:3.3.3-7
    #[test]
    fn subflows_leave_as_on_the_host() {
        assert_eq!(departure::check(), Ok(()));
    }

    // rfc8684:3.4.2-2
    #[test]
    fn subflows_are_doubted_as_on_the_host() {
        assert_eq!(doubt::check(), Ok(()));
    }
}
