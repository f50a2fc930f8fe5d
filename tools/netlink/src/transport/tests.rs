// SPDX-License-Identifier: GPL-2.0

use super::{
    payloads,
    Answers,
    Wanted, //
};
use crate::{
    error::Error,
    path_manager,
    recorded,
    tcp, //
};
use netlink_packet_core::{
    DecodeError,
    ParseableParametrized, //
};
use netlink_packet_generic::{
    ctrl::GenlCtrl,
    GenlHeader,
    GenlMessage, //
};
use proptest::prelude::*;

/// A payload that keeps its bytes.
#[derive(Debug, PartialEq, Eq)]
struct Raw(Vec<u8>);

impl ParseableParametrized<[u8], GenlHeader> for Raw {
    fn parse_with_param(bytes: &[u8], _header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Self(bytes.to_vec()))
    }
}

type RawAnswers = Answers<GenlMessage<Raw>>;

#[test]
fn one_answer_is_complete() {
    let mut answers = RawAnswers::new(2, Wanted::Answer);
    let complete = answers.take(&recorded::bytes(recorded::LIMITS));
    assert!(complete.expect("an answer"));
    assert_eq!(answers.collected.len(), 1);
    assert_eq!(answers.collected[0].payload.0.len(), 16);
}

#[test]
fn a_dump_ends_with_done() {
    let mut answers = RawAnswers::new(4, Wanted::Dump);
    let entries = answers.take(&recorded::bytes(recorded::ENDPOINTS));
    assert!(!entries.expect("two entries"));
    assert_eq!(answers.collected.len(), 2);
    let end = answers.take(&recorded::bytes(recorded::END_OF_DUMP));
    assert!(end.expect("the end"));
    assert_eq!(answers.collected.len(), 2);
}

#[test]
fn an_acknowledgement_is_complete() {
    let mut answers = RawAnswers::new(6, Wanted::Acknowledgement);
    let complete = answers.take(&recorded::bytes(recorded::ACKNOWLEDGED));
    assert!(complete.expect("an acknowledgement"));
}

#[test]
fn answers_to_others_are_passed_over() {
    let mut answers = RawAnswers::new(3, Wanted::Answer);
    let complete = answers.take(&recorded::bytes(recorded::LIMITS));
    assert!(!complete.expect("somebody else's answer"));
    assert!(answers.collected.is_empty());
}

#[test]
fn a_refusal_tells_why() {
    let mut answers = RawAnswers::new(5, Wanted::Answer);
    let error = answers
        .take(&recorded::bytes(recorded::REFUSED))
        .expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "the kernel refused: address not found (Invalid argument)"
    );
    assert_eq!(error.errno(), Some(22));
}

#[test]
fn a_refusal_without_words_has_its_number() {
    let mut answers = RawAnswers::new(7, Wanted::Answer);
    let error = answers
        .take(&recorded::bytes(recorded::NO_FAMILY))
        .expect_err("a refusal");
    assert!(matches!(error, Error::RefusedSilently(2)));
}

#[test]
fn cut_datagrams_are_malformed() {
    for digits in recorded::ALL {
        let whole = recorded::bytes(digits);
        for length in 1..whole.len() {
            let result = payloads::<GenlMessage<Raw>>(&whole[..length]);
            let between_messages = digits == recorded::ENDPOINTS && length == 0x48;
            assert_eq!(
                result.is_ok(),
                between_messages,
                "{length} bytes of {digits}"
            );
        }
    }
}

/// Whoever reads these bytes gets a value or an error.
fn read_all(datagram: &[u8]) {
    let _ignored = payloads::<GenlMessage<GenlCtrl>>(datagram);
    path_manager::parse_any(datagram);
    tcp::parse_any(datagram);
    let mut answers = RawAnswers::new(5, Wanted::Dump);
    let _ignored = answers.take(datagram);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(datagram in prop::collection::vec(any::<u8>(), 0..200)) {
        read_all(&datagram);
    }

    #[test]
    fn damaged_datagrams_are_read_without_panic(
        which in 0..recorded::ALL.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut datagram = recorded::bytes(recorded::ALL[which]);
        for (place, value) in damage {
            let place = place.index(datagram.len());
            datagram[place] = value;
        }
        read_all(&datagram);
    }
}
