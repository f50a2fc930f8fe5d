// SPDX-License-Identifier: GPL-2.0

//! What the expiry of the data-level retransmission timer means on the only subflow.

use super::{expect, Check};
use crate::connection::expiry::{on_expiry, Expiry, Situation};

/// What is known: data or only the DATA_FIN is not acknowledged; the peer has shown that it has all, that it speaks
/// MPTCP, or nothing ever.
#[derive(Clone, Copy)]
enum Missing {
    Data,
    Fin,
}

#[derive(Clone, Copy)]
enum Heard {
    All,
    Before,
    Never,
}

use Expiry::{FallBack, Reset, SendAgain, Wait};
use Heard::{All, Before, Never};
use Missing::{Data, Fin};

/// A name; what is missing, what was heard, how often the timer expired in vain; what to do where the streams of
/// subflow and connection are the same, and where they are not.
type Expired = (&'static str, Missing, Heard, u8, [Expiry; 2]);

#[rustfmt::skip]
const EXPIRED: [Expired; 14] = [
    ("the peer has not taken it", Data, All, 0, [SendAgain, SendAgain]),
    ("the peer does not take it", Data, All, 200, [SendAgain, SendAgain]),
    ("nothing was ever heard", Data, Never, 1, [FallBack, Wait]),
    ("nothing was ever heard for long", Data, Never, 3, [FallBack, Wait]),
    ("nothing was ever heard for too long", Data, Never, 4, [FallBack, Reset]),
    ("nothing is heard", Data, Before, 1, [Wait, Wait]),
    ("nothing is heard twice", Data, Before, 2, [FallBack, Wait]),
    ("nothing is heard for long", Data, Before, 3, [FallBack, Wait]),
    ("nothing is heard for too long", Data, Before, 4, [FallBack, Reset]),
    ("the end is not acknowledged", Fin, Before, 1, [SendAgain, SendAgain]),
    ("the end is not acknowledged twice", Fin, All, 2, [SendAgain, SendAgain]),
    ("the end cannot pass", Fin, Before, 3, [FallBack, SendAgain]),
    ("the end cannot pass for long", Fin, All, 7, [FallBack, SendAgain]),
    ("the end cannot pass for too long", Fin, Before, 8, [FallBack, Reset]),
];

/// Decides in every situation.
///
/// # Errors
/// The name of the first in which something else is done.
// rfc8684:3.3.6-2 rfc8684:3.7-3 rfc8684:3.7-5 rfc8684:4-1
pub fn check() -> Check {
    for (name, missing, heard, unheard, expected) in EXPIRED {
        for (contiguous, expected) in [true, false].into_iter().zip(expected) {
            let situation = Situation {
                stuck: true,
                drained: true,
                fin_only: matches!(missing, Fin),
                heard: matches!(heard, All),
                ever_heard: !matches!(heard, Never),
                unheard,
                contiguous,
            };
            expect(on_expiry(&situation) == expected, name)?;
            let in_vain = matches!((missing, heard), (Fin, _) | (_, Before | Never));
            expect(situation.in_vain() == in_vain, name)?;
            // The subflow tries first.
            let progress = Situation {
                stuck: false,
                ..situation
            };
            let busy = Situation {
                drained: false,
                ..situation
            };
            for other in [progress, busy] {
                expect(on_expiry(&other) == Wait && !other.in_vain(), name)?;
            }
        }
    }
    Ok(())
}
