// SPDX-License-Identifier: GPL-2.0

use super::{Piece, Reassembly, Slot, Verdict};
use crate::receive::ReceiveState;
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

const FIRST: Dsn = Dsn::new(u64::MAX - 3);

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

#[test]
fn vectors_hold() {
    assert_eq!(crate::vectors::reassembly::check(), Ok(()));
}
