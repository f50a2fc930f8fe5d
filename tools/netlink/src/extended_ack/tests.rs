// SPDX-License-Identifier: GPL-2.0

use super::{
    refusal_of_dump,
    refusal_of_error, //
};
use crate::error::Error;

const HEADER: [u8; 16] = [0; 16];
const EINVAL: i32 = 22;

#[test]
fn without_words() {
    let error = refusal_of_error(EINVAL, &HEADER);
    assert_eq!(error.errno(), Some(EINVAL));
    assert_eq!(error.to_string(), "the kernel refused: Invalid argument");
}

#[test]
fn words_end_a_dump() {
    let error = refusal_of_dump(EINVAL, b"\x09\0\x01\0why?\0\0\0\0");
    assert_eq!(
        error.to_string(),
        "the kernel refused: why? (Invalid argument)"
    );
}

#[test]
fn rights_have_a_sentence_of_their_own() {
    let error = refusal_of_error(1, &HEADER);
    assert!(matches!(error, Error::NotPermitted));
    assert_eq!(error.errno(), Some(1));
}

#[test]
fn damaged_attributes_leave_the_number() {
    for damaged in [
        &b"\x40\0\x01\0why?"[..],
        b"\x01\0\x01\0",
        b"\x08",
        b"\x08\0\x01\0\xff\xff\xff\xff",
    ] {
        let error = refusal_of_dump(EINVAL, damaged);
        assert_eq!(error.errno(), Some(EINVAL), "{damaged:?}");
    }
}
