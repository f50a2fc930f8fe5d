// SPDX-License-Identifier: GPL-2.0

use super::{
    parse_group,
    parse_pairs, //
};
use crate::arguments::CounterSelection;

fn selection(patterns: &[&str], zeros: bool) -> CounterSelection {
    CounterSelection {
        patterns: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
        zeros,
    }
}

#[test]
fn lines_of_the_module() {
    let pairs = parse_pairs("MPCapableSYNTX 3\nRmAddr 0\nnonsense\nOdd x\n");
    assert_eq!(
        pairs,
        [("MPCapableSYNTX".to_owned(), 3), ("RmAddr".to_owned(), 0)]
    );
}

#[test]
fn group_of_the_kernel() {
    let text = "TcpExt: A B\nTcpExt: 1 2\nMPTcpExt: C D\nMPTcpExt: 3 4\n";
    let group = parse_group(text, "MPTcpExt:");
    assert_eq!(group, Some(vec![("C".to_owned(), 3), ("D".to_owned(), 4)]));
    assert_eq!(parse_group(text, "UdpExt:"), None);
    assert_eq!(parse_group("MPTcpExt: C\n", "MPTcpExt:"), None);
}

#[test]
fn selection_by_words_and_zeros() {
    assert!(selection(&[], false).has("AddAddr", 1));
    assert!(!selection(&[], false).has("AddAddr", 0));
    assert!(selection(&[], true).has("AddAddr", 0));
    assert!(selection(&["join", "addaddr"], true).has("AddAddr", 0));
    assert!(!selection(&["join"], true).has("AddAddr", 1));
}
