// SPDX-License-Identifier: GPL-2.0

//! Data of several subflows becomes one stream, at the end of the sequence space and at the bound.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_reassembly)]
mod tests {
    use mptcp_core::reassembly::{Offer, Piece, Reassembly, Slot, Verdict};
    use mptcp_core::receive::ReceiveState;
    use mptcp_core::seq::Dsn;

    #[test]
    fn two_subflows_in_turn_make_one_stream() {
        let mut receiver = Receiver::new();
        assert_eq!(receiver.offer(10, 10).verdict, Verdict::Held { len: 10 });
        assert_eq!(receiver.offer(30, 10).verdict, Verdict::Held { len: 10 });
        let delivered = receiver.offer(0, 10);
        assert_eq!(delivered.verdict, Receiver::delivered(20));
        assert!(delivered.ready.is_some_and(|bytes| bytes == Bytes(20)));
        assert_eq!(receiver.offer(20, 10).verdict, Receiver::delivered(20));
        assert!(receiver.queue.is_empty());
        assert_eq!(receiver.state.rcv_nxt(), FIRST.plus(40));
    }

    // rfc8684:3.3.4-4
    #[test]
    fn what_comes_twice_is_taken_once() {
        let mut receiver = Receiver::new();
        assert_eq!(receiver.offer(0, 10).verdict, Receiver::delivered(10));
        assert_eq!(receiver.offer(0, 10).verdict, Verdict::Duplicate);
        assert_eq!(receiver.offer(20, 10).verdict, Verdict::Held { len: 10 });
        assert_eq!(receiver.offer(22, 5).verdict, Verdict::Duplicate);
        assert_eq!(receiver.offer(5, 20).verdict, Receiver::delivered(20));
        assert_eq!(receiver.queue.bytes(), 0);
    }

    #[test]
    fn gaps_are_bounded_and_the_next_byte_always_fits() {
        let mut receiver = Receiver::new();
        for at in [20, 40, 60] {
            assert_eq!(receiver.offer(at, 10).verdict, Verdict::Held { len: 10 });
        }
        assert_eq!(receiver.offer(80, 10).verdict, Verdict::Full);
        assert_eq!(receiver.offer(95, 10).verdict, Verdict::Beyond);
        assert_eq!(receiver.offer(0, 20).verdict, Receiver::delivered(30));
        assert_eq!(receiver.queue.len(), 2);
    }

    const FIRST: Dsn = Dsn::new(u64::MAX - 9);

    /// So many bytes, whichever.
    #[derive(PartialEq)]
    struct Bytes(u32);

    impl Piece for Bytes {
        fn cut(&mut self, _skip: u32, take: u32) {
            self.0 = take;
        }

        fn append(&mut self, next: Self) {
            self.0 = self.0.wrapping_add(next.0);
        }
    }

    struct Receiver {
        state: ReceiveState,
        queue: Reassembly<Bytes, [Slot<Bytes>; 3]>,
    }

    impl Receiver {
        fn new() -> Self {
            Self {
                state: ReceiveState::new(FIRST),
                queue: Reassembly::new([const { Slot::FREE }; 3]),
            }
        }

        fn offer(&mut self, at: u64, len: u32) -> Offer<Bytes> {
            let edge = FIRST.plus(100);
            let piece = Bytes(len);
            self.queue
                .offer(&mut self.state, edge, FIRST.plus(at), len, piece)
        }

        fn delivered(len: u32) -> Verdict {
            Verdict::Delivered {
                len,
                finished: false,
            }
        }
    }
}
