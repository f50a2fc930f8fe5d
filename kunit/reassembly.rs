// SPDX-License-Identifier: GPL-2.0

//! Data of several subflows becomes one stream, at the end of the sequence space and at the bound.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_reassembly)]
mod tests {
    use mptcp_core::vectors::reassembly;

    // rfc8684:3.3.4-4
    #[test]
    fn pieces_become_a_stream_as_on_the_host() {
        assert_eq!(reassembly::check(), Ok(()));
    }
}
