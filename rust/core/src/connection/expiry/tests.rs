// SPDX-License-Identifier: GPL-2.0

use super::{on_expiry, Expiry, Situation};

const SILENCE: Situation = Situation {
    stuck: true,
    drained: true,
    fin_only: false,
    heard: false,
    ever_heard: true,
    unheard: 1,
    contiguous: true,
};

#[test]
fn the_subflow_tries_first() {
    for (stuck, drained) in [(false, true), (true, false)] {
        let busy = Situation {
            stuck,
            drained,
            unheard: 200,
            ..SILENCE
        };
        assert_eq!(on_expiry(&busy), Expiry::Wait);
    }
}

// rfc8684:3.3.6-2
#[test]
fn a_peer_that_answers_gets_it_again() {
    for contiguous in [true, false] {
        let answered = Situation {
            heard: true,
            contiguous,
            unheard: 0,
            ..SILENCE
        };
        assert!(!answered.in_vain());
        assert_eq!(on_expiry(&answered), Expiry::SendAgain);
    }
    assert!(SILENCE.in_vain());
}

// rfc8684:3.7-5
#[test]
fn a_silent_peer_gets_no_byte_twice() {
    let when = |unheard, ever_heard, contiguous| {
        on_expiry(&Situation {
            unheard,
            ever_heard,
            contiguous,
            ..SILENCE
        })
    };
    assert_eq!(when(1, false, true), Expiry::FallBack);
    assert_eq!(when(1, true, true), Expiry::Wait);
    assert_eq!(when(2, true, true), Expiry::FallBack);
    assert_eq!(when(3, true, false), Expiry::Wait);
    assert_eq!(when(4, true, false), Expiry::Reset);
    assert_eq!(when(4, false, false), Expiry::Reset);
}

#[test]
fn an_unanswered_end_is_repeated_then_told_by_tcp() {
    for heard in [true, false] {
        let when = |unheard, contiguous| {
            let situation = Situation {
                fin_only: true,
                heard,
                unheard,
                contiguous,
                ..SILENCE
            };
            assert!(situation.in_vain());
            on_expiry(&situation)
        };
        assert_eq!(when(1, true), Expiry::SendAgain);
        assert_eq!(when(2, true), Expiry::SendAgain);
        assert_eq!(when(3, true), Expiry::FallBack);
        assert_eq!(when(7, false), Expiry::SendAgain);
        assert_eq!(when(8, false), Expiry::Reset);
    }
}
