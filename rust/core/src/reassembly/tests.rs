// SPDX-License-Identifier: GPL-2.0

use super::{Divisible, Offer, Piece, Reassembly, Slot, Verdict, REACH};
use crate::receive::{FinConflict, ReceiveState};
use crate::seq::Dsn;
use std::string::String;
use std::vec::Vec;

/// Text as data: letters stand for bytes.
impl Piece for String {
    fn cut(&mut self, skip: u32, take: u32) {
        *self = self[skip as usize..][..take as usize].into();
    }

    fn append(&mut self, next: Self) {
        self.push_str(&next);
    }
}

/// Every letter is a packet.
impl Divisible for String {
    fn take_last(&mut self) -> Option<(Self, u32)> {
        let last = self.pop()?;
        if self.is_empty() {
            self.push(last);
            return None;
        }
        Some((last.into(), 1))
    }
}

/// A receiver of the text "abcdef…", whose first letter has number `FIRST`.
struct Receiver {
    state: ReceiveState,
    queue: Reassembly<String, [Slot<String>; 3]>,
}

const FIRST: Dsn = Dsn::new(u64::MAX - 3);

fn receiver() -> Receiver {
    Receiver {
        state: ReceiveState::new(FIRST),
        queue: Reassembly::new([const { Slot::FREE }; 3]),
    }
}

impl Receiver {
    fn offer(&mut self, text: &str) -> Offer<String> {
        let at = u64::from(text.as_bytes().first().map_or(0, |letter| letter - b'a'));
        let edge = FIRST.plus(26);
        let (dsn, len) = (FIRST.plus(at), text.len() as u32);
        self.queue
            .offer(&mut self.state, edge, dsn, len, text.into())
    }

    /// Offers text that is to be held.
    fn hold(&mut self, text: &str, new: u32) {
        let offer = self.offer(text);
        assert_eq!(offer.verdict, Verdict::Held { len: new }, "{text}");
        assert_eq!((offer.ready, offer.unneeded), (None, None));
    }

    /// Offers text that is to be delivered together with what waited for it.
    fn deliver(&mut self, text: &str, ready: &str) {
        let offer = self.offer(text);
        let len = ready.len() as u32;
        let finished = false;
        assert_eq!(offer.verdict, Verdict::Delivered { len, finished });
        assert_eq!(offer.ready.as_deref(), Some(ready));
        assert_eq!(offer.unneeded, None);
    }

    fn data_fin(&mut self, at: u64) -> Result<bool, FinConflict> {
        let (fin, edge) = (FIRST.plus(at), FIRST.plus(26));
        self.queue.on_data_fin(&mut self.state, fin, edge)
    }

    fn refuse(&mut self, text: &str, verdict: Verdict) {
        let (len, bytes) = (self.queue.len(), self.queue.bytes());
        let offer = self.offer(text);
        assert_eq!((offer.verdict, offer.ready), (verdict, None));
        assert_eq!(offer.unneeded.as_deref(), Some(text));
        assert_eq!((self.queue.len(), self.queue.bytes()), (len, bytes));
    }
}

#[test]
fn data_in_order_goes_through() {
    let mut receiver = receiver();
    receiver.deliver("abc", "abc");
    receiver.deliver("def", "def");
    receiver.refuse("bcdef", Verdict::Duplicate);
    receiver.deliver("efgh", "gh");
    assert!(receiver.queue.is_empty());
}

#[test]
fn neighbours_join_on_both_sides() {
    let mut receiver = receiver();
    receiver.hold("cd", 2);
    receiver.hold("ij", 2);
    assert_eq!(receiver.queue.len(), 2);
    receiver.hold("ef", 2);
    receiver.hold("h", 1);
    assert_eq!(receiver.queue.len(), 2);
    receiver.hold("g", 1);
    assert_eq!((receiver.queue.len(), receiver.queue.bytes()), (1, 8));
    receiver.deliver("ab", "abcdefghij");
    assert!(receiver.queue.is_empty());
    assert_eq!(receiver.queue.bytes(), 0);
}

#[test]
fn only_new_bytes_of_an_overlap_are_held() {
    let mut receiver = receiver();
    receiver.hold("defg", 4);
    receiver.refuse("ef", Verdict::Duplicate);
    receiver.refuse("defg", Verdict::Duplicate);
    receiver.hold("fghi", 2);
    receiver.hold("cdef", 1);
    receiver.hold("mno", 3);
    receiver.hold("ghijklmn", 3);
    assert_eq!((receiver.queue.len(), receiver.queue.bytes()), (1, 13));
    receiver.deliver("abcd", "abcdefghijklmno");
}

#[test]
fn a_run_that_comes_again_whole_is_given_back() {
    let mut receiver = receiver();
    receiver.hold("d", 1);
    receiver.hold("f", 1);
    receiver.hold("jk", 2);
    let offer = receiver.offer("cdefghijk");
    // It does not reach beyond "jk", which stays.
    assert_eq!(offer.verdict, Verdict::Held { len: 7 });
    assert_eq!(offer.unneeded.as_deref(), Some("df"));
    assert_eq!((receiver.queue.len(), receiver.queue.bytes()), (1, 9));
    receiver.hold("n", 1);
    receiver.hold("q", 1);
    let offer = receiver.offer("abcdefghijklmno");
    let all = Verdict::Delivered {
        len: 15,
        finished: false,
    };
    assert_eq!(offer.verdict, all);
    assert_eq!(offer.ready.as_deref(), Some("abcdefghijklmno"));
    assert_eq!(offer.unneeded.as_deref(), Some("cdefghijkn"));
    assert_eq!((receiver.queue.len(), receiver.queue.bytes()), (1, 1));
}

#[test]
fn without_a_slot_only_what_needs_one_is_refused() {
    let mut receiver = receiver();
    receiver.hold("c", 1);
    receiver.hold("f", 1);
    receiver.hold("i", 1);
    receiver.refuse("l", Verdict::Full);
    receiver.refuse("mn", Verdict::Full);
    receiver.hold("j", 1);
    receiver.hold("e", 1);
    receiver.hold("d", 1);
    receiver.hold("l", 1);
    receiver.deliver("ab", "abcdef");
    let offer = receiver.offer("klm");
    assert_eq!(offer.unneeded.as_deref(), Some("l"));
    receiver.deliver("gh", "ghijklm");
}

#[test]
fn what_nobody_asked_for_is_refused() {
    let mut receiver = receiver();
    receiver.refuse("zz", Verdict::Beyond);
    receiver.data_fin(10).unwrap();
    receiver.hold("ghij", 4);
    let offer = receiver.offer("abcdef");
    let end = Verdict::Delivered {
        len: 10,
        finished: true,
    };
    assert_eq!(offer.verdict, end);
    assert!(receiver.state.finished());
    receiver.refuse("kl", Verdict::Beyond);

    let mut receiver = self::receiver();
    let far = FIRST.plus(REACH + 1);
    let edge = far.plus(1);
    let text = String::from("?");
    let offer = receiver
        .queue
        .offer(&mut receiver.state, edge, far, 1, text);
    assert_eq!(offer.verdict, Verdict::Beyond);
}

#[test]
fn the_end_is_not_before_data_that_waits() {
    let mut receiver = receiver();
    receiver.hold("c", 1);
    receiver.hold("gh", 2);
    assert_eq!(receiver.data_fin(7), Err(FinConflict));
    assert_eq!(receiver.data_fin(8), Ok(false));
    assert_eq!(receiver.data_fin(27), Err(FinConflict));
    receiver.deliver("ab", "abc");
}

#[test]
fn nothing_is_not_held() {
    let mut receiver = receiver();
    let (edge, dsn) = (FIRST.plus(26), FIRST.plus(5));
    let nothing = receiver
        .queue
        .offer(&mut receiver.state, edge, dsn, 0, String::new());
    assert_eq!(nothing.verdict, Verdict::Duplicate);
    assert!(receiver.queue.is_empty());
}

#[test]
fn held_data_can_be_taken_out() {
    let mut receiver = receiver();
    receiver.hold("gh", 2);
    receiver.hold("cd", 2);
    assert_eq!(receiver.queue.pop().as_deref(), Some("cd"));
    assert_eq!(receiver.queue.bytes(), 2);
    assert_eq!(receiver.queue.pop().as_deref(), Some("gh"));
    assert_eq!(receiver.queue.pop(), None);
}

#[test]
fn what_is_needed_last_can_be_given_up() {
    let mut receiver = receiver();
    assert_eq!(receiver.queue.pop_last(), None);
    receiver.hold("cd", 2);
    receiver.hold("ghi", 3);
    for (letter, end, left) in [
        ("i", FIRST.plus(8), 4),
        ("h", FIRST.plus(7), 3),
        ("g", FIRST.plus(4), 2),
        ("d", FIRST.plus(3), 1),
    ] {
        assert_eq!(receiver.queue.pop_last().as_deref(), Some(letter));
        assert_eq!(receiver.queue.end(), Some(end));
        assert_eq!(receiver.queue.bytes(), left);
    }
    // What was given up can come again.
    receiver.hold("de", 2);
    receiver.deliver("ab", "abcde");
    assert_eq!(
        (receiver.queue.pop_last(), receiver.queue.end()),
        (None, None)
    );
}

#[test]
fn slots_can_be_added_when_none_is_left() {
    let mut state = ReceiveState::new(FIRST);
    let mut queue = Reassembly::<String, Vec<Slot<String>>>::new(Vec::new());
    let mut hold = |queue: &mut Reassembly<_, _>, at, text: &str| {
        let (edge, dsn) = (FIRST.plus(26), FIRST.plus(at));
        queue
            .offer(&mut state, edge, dsn, text.len() as u32, text.into())
            .verdict
    };
    for (at, text) in [(2, "c"), (6, "g"), (4, "e")] {
        assert_eq!(hold(&mut queue, at, text), Verdict::Full);
        queue.slots_mut().push(Slot::FREE);
        assert_eq!(hold(&mut queue, at, text), Verdict::Held { len: 1 });
    }
    assert_eq!(queue.len(), 3);
    let all = Verdict::Delivered {
        len: 7,
        finished: false,
    };
    assert_eq!(hold(&mut queue, 0, "abcdef"), all);
}
