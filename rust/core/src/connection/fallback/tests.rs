// SPDX-License-Identifier: GPL-2.0

use super::{
    on_checksum_failure, on_infinite_mapping, on_mp_fail, on_unmapped_data, Answer, ChecksumAnswer,
    Circumstances,
};

const FRESH: Circumstances = Circumstances {
    only_subflow: true,
    dss_seen: false,
    in_order: true,
    retransmitted: false,
    fell_back: false,
};

// rfc8684:3.3.1-4 rfc8684:3.7-7
#[test]
fn data_without_mapping_falls_back_while_contiguous() {
    assert_eq!(on_unmapped_data(&FRESH), Answer::FallBack);
    let established = Circumstances {
        dss_seen: true,
        ..FRESH
    };
    assert_eq!(on_unmapped_data(&established), Answer::FallBack);
    for other in [
        Circumstances {
            only_subflow: false,
            ..FRESH
        },
        Circumstances {
            in_order: false,
            ..FRESH
        },
        Circumstances {
            retransmitted: true,
            ..FRESH
        },
    ] {
        assert_eq!(on_unmapped_data(&other), Answer::Reset, "{other:?}");
    }
}

// rfc8684:3.7-19
#[test]
fn after_fallback_nothing_is_unmapped() {
    let fell_back = Circumstances {
        fell_back: true,
        dss_seen: true,
        ..FRESH
    };
    assert_eq!(on_unmapped_data(&fell_back), Answer::Ignore);
    assert_eq!(on_infinite_mapping(&fell_back), Answer::Ignore);
    assert_eq!(on_mp_fail(&fell_back), Answer::Ignore);
}

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::fallback::check(), Ok(()));
}

// rfc8684:3.7-20
#[test]
fn infinite_mapping_needs_one_contiguous_subflow() {
    let established = Circumstances {
        dss_seen: true,
        ..FRESH
    };
    assert_eq!(on_infinite_mapping(&established), Answer::FallBack);
    assert_eq!(on_mp_fail(&established), Answer::FallBack);
    let answer = on_checksum_failure(&established);
    assert_eq!(answer, ChecksumAnswer::FailAndFallBack);
    for other in [
        Circumstances {
            only_subflow: false,
            ..established
        },
        Circumstances {
            in_order: false,
            ..established
        },
        Circumstances {
            retransmitted: true,
            ..established
        },
    ] {
        assert_eq!(on_infinite_mapping(&other), Answer::Reset, "{other:?}");
        assert_eq!(on_mp_fail(&other), Answer::Reset, "{other:?}");
        let answer = on_checksum_failure(&other);
        assert_eq!(answer, ChecksumAnswer::FailAndReset, "{other:?}");
    }
}
