// SPDX-License-Identifier: GPL-2.0

//! The tables of mappings and the reassembly, compared step by step with slow ones that keep an
//! account of every byte in the collections of the standard library.

mod input;
mod mappings;
mod reassembly;

use proptest::prelude::*;

fn inputs() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn received_mappings_are_an_account_of_bytes(input in inputs()) {
        mappings::compare_received(&input);
    }

    #[test]
    fn sent_mappings_are_a_list(input in inputs()) {
        mappings::compare_sent(&input);
    }

    #[test]
    fn reassembly_is_an_account_of_bytes(input in inputs()) {
        reassembly::compare(&input);
    }
}
