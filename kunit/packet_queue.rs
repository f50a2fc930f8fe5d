// SPDX-License-Identifier: GPL-2.0

//! Queues of received packets: their order, and what a packet says of itself.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_packet_queue)]
mod tests {
    use kernel::prelude::*;
    use knet::skb::{Packet, PacketQueue, Span};
    use knet::testing::received_packet;
    use mptcp_core::mapping::DssChecksum;
    use mptcp_core::reassembly::{Divisible, Offer, Piece, Reassembly, Slot, Verdict};
    use mptcp_core::receive::ReceiveState;
    use mptcp_core::seq::{Dsn, Ssn};

    #[test]
    fn packets_come_out_as_they_went_in() -> Result {
        let mut queue = PacketQueue::new();
        assert!(queue.is_empty());
        assert!(queue.pop().is_none());
        for position in [5, 3, 9] {
            queue.push(received_packet(position, b"data")?);
        }
        queue.push_front(received_packet(7, b"data")?);
        assert!(positions(&mut queue)? == [7, 5, 3, 9]);
        for position in [7, 5, 3, 9] {
            let packet = queue.pop();
            assert!(packet.is_some_and(|packet| packet.span().position == position));
        }
        assert!(queue.is_empty());
        Ok(())
    }

    #[test]
    fn packets_wait_in_order_across_the_wrap() -> Result {
        let first = Dsn::new(u64::MAX - 20);
        for step in [1u64, 3, 5, 6] {
            let mut state = ReceiveState::new(first);
            let mut waiting = Reassembly::new([const { Slot::FREE }; 8]);
            let mut offer = |at: u64| -> Result<Offer<Data>> {
                // Five bytes, of which the neighbours have one too.
                let dsn = first.plus(at * 4);
                let packet = received_packet(dsn.raw(), b"abcde")?;
                let edge = first.plus(100);
                Ok(waiting.offer(&mut state, edge, dsn, 5, Data::of(packet)))
            };
            for at in 1..8u64 {
                let held = offer(1 + at * step % 7)?;
                assert!(matches!(held.verdict, Verdict::Held { .. }));
                assert!(held.unneeded.is_none());
            }
            let ready = offer(0)?.ready.ok_or(EINVAL)?;
            let (mut queue, mut next) = (ready.0, first);
            while let Some(packet) = queue.pop() {
                let span = packet.span();
                assert_eq!(span.position, next.raw());
                assert!(span.offset + span.len <= 5);
                next = next.plus(u64::from(span.len));
            }
            assert!(next == first.plus(33));
            assert!(waiting.is_empty());
        }
        Ok(())
    }

    #[test]
    fn the_last_packet_that_waits_is_given_up() -> Result {
        let first = Dsn::new(7);
        let mut state = ReceiveState::new(first);
        let mut waiting = Reassembly::new([const { Slot::FREE }; 2]);
        for at in [1u64, 4, 2] {
            let dsn = first.plus(at);
            let data = Data::of(received_packet(dsn.raw(), b"x")?);
            let offer = waiting.offer(&mut state, first.plus(100), dsn, 1, data);
            assert_eq!(offer.verdict, Verdict::Held { len: 1 });
        }
        for at in [4u64, 2, 1] {
            let mut last = waiting.pop_last().ok_or(EINVAL)?;
            let packet = last.0.pop().ok_or(EINVAL)?;
            assert_eq!(packet.span().position, first.plus(at).raw());
            assert!(last.0.is_empty());
        }
        assert!(waiting.is_empty());
        Ok(())
    }

    #[test]
    fn packets_come_out_from_the_end() -> Result {
        let mut queue = PacketQueue::new();
        for position in [1, 2, 3] {
            queue.push(received_packet(position, b"x")?);
        }
        let last = queue.pop_last();
        assert!(last.is_some_and(|packet| packet.span().position == 3));
        queue.push(received_packet(4, b"x")?);
        assert!(positions(&mut queue)? == [1, 2, 4]);
        while queue.pop_last().is_some() {}
        assert!(queue.is_empty());
        queue.push(received_packet(5, b"x")?);
        assert!(positions(&mut queue)? == [5]);
        Ok(())
    }

    #[test]
    fn a_queue_is_moved_to_the_end_of_another() -> Result {
        let (mut one, mut two) = (PacketQueue::new(), PacketQueue::new());
        one.append(&mut two);
        assert!(one.is_empty() && two.is_empty());
        two.push(received_packet(3, b"x")?);
        two.push(received_packet(4, b"x")?);
        one.push(received_packet(1, b"x")?);
        one.append(&mut two);
        assert!(two.is_empty());
        assert!(positions(&mut one)? == [1, 3, 4]);
        two.push(received_packet(9, b"x")?);
        one.append(&mut two);
        assert!(positions(&mut one)? == [1, 3, 4, 9]);
        Ok(())
    }

    #[test]
    fn a_walk_ends_where_it_is_told() -> Result {
        let mut queue = PacketQueue::new();
        for position in 0..5 {
            queue.push(received_packet(position, b"x")?);
        }
        let mut seen = 0;
        queue.for_each(|packet| {
            seen += 1;
            packet.span().position < 2
        });
        assert_eq!(seen, 3);
        assert!(positions(&mut queue)? == [0, 1, 2, 3, 4]);
        Ok(())
    }

    #[test]
    fn a_packet_keeps_its_span_and_sums_its_bytes() -> Result {
        let bytes = b"an odd number of bytes!";
        let mut packet = received_packet(1, bytes)?;
        let span = Span {
            position: u64::MAX,
            offset: 3,
            len: 5,
        };
        packet.set_span(span);
        assert_eq!(packet.span(), span);
        assert!(packet.memory() > bytes.len() as i32);
        for offset in 0..bytes.len() {
            let part = bytes.get(offset..).unwrap_or(&[]);
            let mut expected = DssChecksum::new();
            expected.add(part);
            let len = part.len() as u32;
            let mut sum = DssChecksum::new();
            sum.add_partial(packet.checksum(offset as u32, len), len);
            assert_eq!(finish(&sum), finish(&expected));
        }
        Ok(())
    }

    #[test]
    fn bytes_are_copied_behind_as_there_is_room() -> Result {
        let mut to = Packet::with_room(512, 10).ok_or(ENOMEM)?;
        let before = to.memory();
        let mut piece = received_packet(10, b"0123456789")?;
        piece.set_span(span(12, 2, 8));
        // A gap: two bytes are missing.
        assert_eq!(to.copy_from(&mut piece), 0);
        piece.set_span(span(10, 0, 9));
        assert_eq!(to.copy_from(&mut piece), 9);
        assert_eq!(piece.span(), span(19, 9, 0));
        assert_eq!(to.span(), span(10, 0, 9));
        let long = KVec::from_elem(7_u8, 4000, GFP_KERNEL)?;
        let mut rest = received_packet(19, &long)?;
        let copied = to.copy_from(&mut rest);
        assert!(copied >= 503 && copied < 4000);
        assert_eq!(
            rest.span(),
            span(19 + u64::from(copied), copied, 4000 - copied)
        );
        assert_eq!(to.copy_from(&mut rest), 0);
        assert_eq!(to.memory(), before);
        let mut expected = DssChecksum::new();
        expected.add(b"012345678");
        expected.add(long.get(..copied as usize).unwrap_or(&[]));
        let mut sum = DssChecksum::new();
        sum.add_partial(to.checksum(0, 9 + copied), 9 + copied);
        assert_eq!(finish(&sum), finish(&expected));
        Ok(())
    }

    #[test]
    fn a_packet_takes_over_what_follows() -> Result {
        for (own, next, most, joins) in [
            // A piece of the second packet does not count: it cannot be told apart afterwards.
            (span(5, 0, 4), span(9, 0, 4), 100, false),
            (span(5, 0, 4), span(10, 1, 4), 100, false),
            (span(5, 0, 3), span(8, 0, 5), 100, false),
            (span(5, 0, 4), span(10, 0, 5), 100, false),
            (span(5, 0, 4), span(9, 0, 5), 8, false),
            (span(5, 0, 4), span(9, 0, 5), 9, true),
            (span(6, 1, 3), span(9, 0, 5), 100, true),
        ] {
            let mut packet = Packet::with_room(512, 5).ok_or(ENOMEM)?;
            let mut data = received_packet(5, b"abcd")?;
            assert_eq!(packet.copy_from(&mut data), 4);
            packet.set_span(own);
            let mut other = received_packet(9, b"efghi")?;
            other.set_span(next);
            let before = packet.memory();
            let joined = packet.join(other, most);
            assert_eq!(joined.is_ok(), joins);
            if let Ok(more) = joined {
                assert_eq!(packet.memory(), before + more);
                assert_eq!(
                    packet.span(),
                    span(own.position, own.offset, own.len + next.len)
                );
                let mut expected = DssChecksum::new();
                expected.add(b"abcdefghi");
                let mut sum = DssChecksum::new();
                sum.add_partial(packet.checksum(0, 9), 9);
                assert_eq!(finish(&sum), finish(&expected));
            }
        }
        Ok(())
    }

    /// Packets that the core puts in order.
    struct Data(PacketQueue);

    impl Data {
        fn of(packet: Packet) -> Self {
            let mut packets = PacketQueue::new();
            packets.push(packet);
            Self(packets)
        }
    }

    impl Piece for Data {
        fn cut(&mut self, skip: u32, take: u32) {
            if let Some(mut packet) = self.0.pop() {
                let Span { position, .. } = packet.span();
                packet.set_span(span(position.wrapping_add(skip.into()), skip, take));
                self.0.push(packet);
            }
        }

        fn append(&mut self, mut next: Self) {
            self.0.append(&mut next.0);
        }
    }

    impl Divisible for Data {
        fn take_last(&mut self) -> Option<(Self, u32)> {
            let last = self.0.pop_last()?;
            if self.0.is_empty() {
                self.0.push(last);
                return None;
            }
            let len = last.span().len;
            Some((Self::of(last), len))
        }
    }

    fn span(position: u64, offset: u32, len: u32) -> Span {
        Span {
            position,
            offset,
            len,
        }
    }

    fn positions(queue: &mut PacketQueue) -> Result<KVec<u64>> {
        let mut positions = KVec::new();
        let mut result = Ok(());
        queue.for_each(|packet| {
            result = positions.push(packet.span().position, GFP_KERNEL);
            result.is_ok()
        });
        result?;
        Ok(positions)
    }

    fn finish(sum: &DssChecksum) -> u16 {
        sum.finish(Dsn::new(1), Ssn::new(2), 3)
    }
}
