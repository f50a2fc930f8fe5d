// SPDX-License-Identifier: GPL-2.0

//! Data that comes too early, twice, in part, or out of bounds. It is text: the stream is the alphabet.

use super::{expect, Check};
use crate::reassembly::{Divisible, Piece, Reassembly, Slot, Verdict};
use crate::receive::{FinConflict, ReceiveState};
use crate::seq::Dsn;

/// Letters that stand for bytes, each a packet.
#[derive(Clone, Copy, PartialEq)]
struct Text {
    letters: [u8; 26],
    len: usize,
}

impl Text {
    const EMPTY: Self = Self {
        letters: [0; 26],
        len: 0,
    };

    fn of(text: &[u8]) -> Self {
        let mut whole = Self::EMPTY;
        whole.extend(text);
        whole
    }

    fn extend(&mut self, text: &[u8]) {
        for (place, letter) in self.letters.iter_mut().skip(self.len).zip(text) {
            *place = *letter;
        }
        self.len = self.len.saturating_add(text.len());
    }

    fn as_bytes(&self) -> &[u8] {
        self.letters.get(..self.len).unwrap_or(&[])
    }
}

impl Piece for Text {
    fn cut(&mut self, skip: u32, take: u32) {
        let (skip, take) = (usize::try_from(skip), usize::try_from(take));
        let rest = self.as_bytes().get(skip.unwrap_or(usize::MAX)..);
        let part = rest.and_then(|rest| rest.get(..take.unwrap_or(usize::MAX)));
        // Nothing is too much: it will not be what is expected.
        *self = Self::of(part.unwrap_or(&[]));
    }

    fn append(&mut self, next: Self) {
        self.extend(next.as_bytes());
    }
}

impl Divisible for Text {
    fn take_last(&mut self) -> Option<(Self, u32)> {
        let (last, before) = self.as_bytes().split_last()?;
        if before.is_empty() {
            return None;
        }
        let (last, before) = (Self::of(&[*last]), Self::of(before));
        *self = before;
        Some((last, 1))
    }
}

type Letters = &'static [u8];

/// A step with the letters that came.
#[derive(Clone, Copy)]
enum Step {
    /// They are held, so many of them are new.
    Hold(Letters, u32),
    /// As [`Step::Hold`], and these are given back.
    Replace(Letters, u32, Letters),
    /// They are delivered, together with what waited: all that, and what is given back.
    Deliver(Letters, Letters, Letters),
    /// As [`Step::Deliver`], and it is the end.
    Finish(Letters, Letters),
    /// They are given back.
    Refuse(Letters, Verdict),
    /// The peer sends nothing from this letter on.
    Fin(u64, Result<bool, FinConflict>),
    /// So many runs wait, with so many letters.
    Waits(usize, u64),
    /// The first run is taken out.
    Pop(Option<Letters>),
    /// The last letter is taken out; where what waits ends then.
    PopLast(Option<Letters>, Option<u64>),
}

/// A name, and steps with an empty queue that has room for three runs.
type Life = (&'static str, &'static [Step]);

#[rustfmt::skip]
const LIVES: [Life; 12] = {
    use Step::{Deliver, Fin, Finish, Hold, Pop, PopLast, Refuse, Replace, Waits};
    [
        ("data in order goes through", &[
            Deliver(b"abc", b"abc", b""),
            Deliver(b"def", b"def", b""),
            Refuse(b"bcdef", Verdict::Duplicate),
            Deliver(b"efgh", b"gh", b""),
            Waits(0, 0),
        ]),
        ("two subflows in turn make one stream", &[
            Hold(b"bc", 2),
            Hold(b"fg", 2),
            Deliver(b"a", b"abc", b""),
            Deliver(b"de", b"defg", b""),
            Waits(0, 0),
        ]),
        ("neighbours join on both sides", &[
            Hold(b"cd", 2),
            Hold(b"ij", 2),
            Waits(2, 4),
            Hold(b"ef", 2),
            Hold(b"h", 1),
            Waits(2, 7),
            Hold(b"g", 1),
            Waits(1, 8),
            Deliver(b"ab", b"abcdefghij", b""),
            Waits(0, 0),
        ]),
        ("only new letters of an overlap are held", &[
            Hold(b"defg", 4),
            Refuse(b"ef", Verdict::Duplicate),
            Refuse(b"defg", Verdict::Duplicate),
            Hold(b"fghi", 2),
            Hold(b"cdef", 1),
            Hold(b"mno", 3),
            Hold(b"ghijklmn", 3),
            Waits(1, 13),
            Deliver(b"abcd", b"abcdefghijklmno", b""),
        ]),
        ("a run that comes again whole is given back", &[
            Hold(b"d", 1),
            Hold(b"f", 1),
            Hold(b"jk", 2),
            // It does not reach beyond "jk", which stays.
            Replace(b"cdefghijk", 7, b"df"),
            Waits(1, 9),
            Hold(b"n", 1),
            Hold(b"q", 1),
            Deliver(b"abcdefghijklmno", b"abcdefghijklmno", b"cdefghijkn"),
            Waits(1, 1),
        ]),
        ("without a slot only what needs one is refused", &[
            Hold(b"c", 1),
            Hold(b"f", 1),
            Hold(b"i", 1),
            Refuse(b"l", Verdict::Full),
            Refuse(b"mn", Verdict::Full),
            Hold(b"j", 1),
            Hold(b"e", 1),
            Hold(b"d", 1),
            Hold(b"l", 1),
            Deliver(b"ab", b"abcdef", b""),
            Replace(b"klm", 3, b"l"),
            Deliver(b"gh", b"ghijklm", b""),
        ]),
        ("what nobody asked for is refused", &[
            Refuse(b"zz", Verdict::Beyond),
            Fin(10, Ok(false)),
            Hold(b"ghij", 4),
            Finish(b"abcdef", b"abcdefghij"),
            Refuse(b"kl", Verdict::Beyond),
        ]),
        ("the end is not before data that waits", &[
            Hold(b"c", 1),
            Hold(b"gh", 2),
            Fin(7, Err(FinConflict)),
            Fin(8, Ok(false)),
            Fin(27, Err(FinConflict)),
            Deliver(b"ab", b"abc", b""),
        ]),
        ("the end in order", &[
            Deliver(b"abc", b"abc", b""),
            Fin(3, Ok(true)),
            // The end has a number, but no letter.
            Refuse(b"e", Verdict::Beyond),
            Refuse(b"abc", Verdict::Duplicate),
        ]),
        ("nothing is not held", &[
            Refuse(b"", Verdict::Duplicate),
            Waits(0, 0),
        ]),
        ("held data can be taken out", &[
            Hold(b"gh", 2),
            Hold(b"cd", 2),
            Pop(Some(b"cd")),
            Waits(1, 2),
            Pop(Some(b"gh")),
            Pop(None),
        ]),
        ("what is needed last can be given up", &[
            PopLast(None, None),
            Hold(b"cd", 2),
            Hold(b"ghi", 3),
            PopLast(Some(b"i"), Some(8)),
            Waits(2, 4),
            PopLast(Some(b"h"), Some(7)),
            PopLast(Some(b"g"), Some(4)),
            PopLast(Some(b"d"), Some(3)),
            Waits(1, 1),
            // What was given up can come again.
            Hold(b"de", 2),
            Deliver(b"ab", b"abcde", b""),
            PopLast(None, None),
        ]),
    ]
};

/// The number of the letter a.
const FIRST: Dsn = Dsn::new(u64::MAX - 3);

/// Runs all lives.
///
/// # Errors
/// The name of the first that goes otherwise.
// rfc8684:3.3.4-4
pub fn check() -> Check {
    for (name, steps) in LIVES {
        let mut receiver = Receiver {
            state: ReceiveState::new(FIRST),
            queue: Reassembly::new([const { Slot::FREE }; 3]),
        };
        for step in steps {
            expect(receiver.goes(step), name)?;
        }
    }
    check_reach()
}

/// What is too far ahead to be told from what is behind is refused, however large the window is.
fn check_reach() -> Check {
    let name = "out of reach";
    let mut state = ReceiveState::new(FIRST);
    let mut queue = Reassembly::<Text, [Slot<Text>; 3]>::new([const { Slot::FREE }; 3]);
    for (offset, verdict) in [
        ((1 << 31) + 1, Verdict::Beyond),
        (1 << 31, Verdict::Held { len: 1 }),
    ] {
        let far = FIRST.plus(offset);
        let letter = Text::of(b"?");
        let offer = queue.offer(&mut state, far.plus(1), far, 1, letter);
        expect(offer.verdict == verdict, name)?;
    }
    Ok(())
}

struct Receiver {
    state: ReceiveState,
    queue: Reassembly<Text, [Slot<Text>; 3]>,
}

impl Receiver {
    fn goes(&mut self, step: &Step) -> bool {
        let delivered = |ready: Letters, finished| Verdict::Delivered {
            len: length(ready),
            finished,
        };
        match *step {
            Step::Hold(text, new) => self.offers(text, Verdict::Held { len: new }, b"", b""),
            Step::Replace(text, new, back) => {
                self.offers(text, Verdict::Held { len: new }, b"", back)
            }
            Step::Deliver(text, ready, back) => {
                self.offers(text, delivered(ready, false), ready, back)
            }
            Step::Finish(text, ready) => {
                let finished = self.offers(text, delivered(ready, true), ready, b"");
                finished && self.state.finished()
            }
            Step::Refuse(text, verdict) => {
                let before = (self.queue.len(), self.queue.bytes());
                let refused = self.offers(text, verdict, b"", text);
                refused && before == (self.queue.len(), self.queue.bytes())
            }
            Step::Fin(at, result) => {
                let (fin, edge) = (FIRST.plus(at), FIRST.plus(26));
                self.queue.on_data_fin(&mut self.state, fin, edge) == result
            }
            Step::Waits(runs, letters) => {
                (self.queue.len(), self.queue.bytes()) == (runs, letters)
                    && self.queue.is_empty() == (runs == 0)
            }
            Step::Pop(expected) => self.queue.pop() == expected.map(Text::of),
            Step::PopLast(expected, end) => {
                let last = self.queue.pop_last() == expected.map(Text::of);
                last && self.queue.end() == end.map(|at| FIRST.plus(at))
            }
        }
    }

    /// Whether the letters lead to this verdict, and to these that are ready and these that are given back.
    fn offers(&mut self, text: Letters, verdict: Verdict, ready: Letters, back: Letters) -> bool {
        let first = text.first().map_or(0, |letter| letter.saturating_sub(b'a'));
        let (edge, dsn) = (FIRST.plus(26), FIRST.plus(u64::from(first)));
        let offer = self
            .queue
            .offer(&mut self.state, edge, dsn, length(text), Text::of(text));
        let some = |letters: Letters| (!letters.is_empty()).then(|| Text::of(letters));
        // What is refused is given back, also if it is nothing.
        let back = match text.is_empty() {
            true => Some(Text::EMPTY),
            false => some(back),
        };
        (offer.verdict, offer.ready, offer.unneeded) == (verdict, some(ready), back)
    }
}

fn length(letters: Letters) -> u32 {
    u32::try_from(letters.len()).unwrap_or(u32::MAX)
}
