// SPDX-License-Identifier: GPL-2.0

//! Sequence numbers of both spaces, as the kernel's compiler computes them.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_seq)]
mod tests {
    use mptcp_core::vectors::seq;

    // rfc8684:3.3.1-5 rfc8684:3.3.1-8
    #[test]
    fn numbers_wrap_as_on_the_host() {
        assert_eq!(seq::check(), Ok(()));
    }
}
