// SPDX-License-Identifier: GPL-2.0

use super::mask_of_list;

#[test]
fn lists_and_masks() {
    for (list, mask) in [
        ("0", "00000001"),
        ("0-3\n", "0000000f"),
        ("0-1,4,6-7", "000000d3"),
        ("31-32", "00000001,80000000"),
        ("0-63", "ffffffff,ffffffff"),
        ("64", "00000001,00000000,00000000"),
    ] {
        assert_eq!(mask_of_list(list).ok().as_deref(), Some(mask), "{list}");
    }
}

#[test]
fn no_lists() {
    for list in ["", "a", "3-1", "0,", "-1", "0-99999999"] {
        assert!(mask_of_list(list).is_err(), "{list}");
    }
}
