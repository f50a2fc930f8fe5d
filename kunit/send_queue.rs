// SPDX-License-Identifier: GPL-2.0

//! The send queue over real pages: what is handed to TCP is what was written, byte by byte.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_send_queue)]
mod tests {
    use kernel::prelude::*;
    use knet::fragments::{Gathered, SendQueue};
    use knet::testing::{bytes_of, TestPage};
    use mptcp_core::mapping::DssChecksum;
    use mptcp_core::seq::{Dsn, Ssn};

    #[test]
    fn an_empty_queue_gives_nothing() -> Result {
        let mut queue = SendQueue::new();
        assert_eq!(queue.bytes(), 0);
        assert_eq!(queue.unsent(), 0);
        assert!(unsent(&mut queue, 100).is_empty());
        assert!(sent_or_not(&queue, 0, 100).is_empty());
        assert!(sent_or_not(&queue, u64::MAX, 100).is_empty());
        queue.acknowledge(u64::MAX);
        assert_eq!(queue.bytes(), 0);
        Ok(())
    }

    #[test]
    fn adjacent_bytes_become_one_piece() -> Result {
        let (mut queue, mut page) = (SendQueue::new(), TestPage::new()?);
        for (start, len) in [(0, 1), (1, 6), (7, 93)] {
            queue.append(page.write(&stream(start, len)?)?)?;
        }
        let mut pieces = unsent(&mut queue, 1000);
        assert_eq!(pieces.len(), 100);
        assert_eq!(count(&pieces), 1);
        assert!(bytes_of(&mut pieces)?.as_slice() == stream(0, 100)?.as_slice());
        page.skip(1);
        queue.append(page.write(&stream(100, 10)?)?)?;
        let mut other = TestPage::new()?;
        queue.append(other.write(&stream(110, 10)?)?)?;
        let mut pieces = sent_or_not(&queue, 0, 1000);
        assert_eq!(count(&pieces), 3);
        assert!(bytes_of(&mut pieces)?.as_slice() == stream(0, 120)?.as_slice());
        Ok(())
    }

    #[test]
    fn odd_sizes_come_out_in_order() -> Result {
        for size in [1, 2, 3, 5, 7, 11, 13, 64, 119, 120, 121] {
            let mut queue = scattered(&[1, 2, 3, 50, 1, 7, 56])?;
            let mut sent = 0u32;
            while sent < 120 {
                assert_eq!(queue.unsent(), u64::from(120 - sent));
                let mut pieces = unsent(&mut queue, size);
                let len = size.min(120 - sent);
                assert_eq!(pieces.len(), len as usize);
                assert!(bytes_of(&mut pieces)?.as_slice() == stream(sent, len)?.as_slice());
                sent += len;
            }
            assert_eq!(queue.unsent(), 0);
            assert!(unsent(&mut queue, size).is_empty());
        }
        Ok(())
    }

    #[test]
    fn any_place_can_be_gathered_again() -> Result {
        let mut queue = scattered(&[1, 2, 3, 50, 1, 7, 56])?;
        assert_eq!(unsent(&mut queue, 60).len(), 60);
        queue.acknowledge(5);
        for skip in 0..116u32 {
            let mut pieces = sent_or_not(&queue, u64::from(skip), 9);
            let len = 9.min(115u32.saturating_sub(skip));
            assert_eq!(pieces.len(), len as usize);
            assert!(bytes_of(&mut pieces)?.as_slice() == stream(5 + skip, len)?.as_slice());
        }
        // The next unsent byte stays where it was.
        let mut pieces = unsent(&mut queue, 1);
        assert!(bytes_of(&mut pieces)?.as_slice() == stream(60, 1)?.as_slice());
        Ok(())
    }

    #[test]
    fn writing_goes_on_after_all_was_acknowledged() -> Result {
        let (mut queue, mut page) = (SendQueue::new(), TestPage::new()?);
        queue.append(page.write(&stream(0, 10)?)?)?;
        assert_eq!(unsent(&mut queue, 100).len(), 10);
        queue.acknowledge(10);
        assert_eq!(queue.bytes(), 0);
        assert_eq!(queue.unsent(), 0);
        queue.append(page.write(&stream(10, 5)?)?)?;
        assert_eq!(queue.unsent(), 5);
        page.skip(8);
        queue.append(page.write(&stream(15, 5)?)?)?;
        let mut pieces = unsent(&mut queue, 100);
        assert!(bytes_of(&mut pieces)?.as_slice() == stream(10, 10)?.as_slice());
        queue.acknowledge(10);
        assert_eq!(queue.bytes(), 0);
        Ok(())
    }

    #[test]
    fn the_ring_grows_wherever_its_head_is() -> Result {
        for head in 0..9u32 {
            let (mut queue, mut page) = (SendQueue::new(), TestPage::new()?);
            for at in 0..head {
                queue.append(apart(&mut page, at, 1)?)?;
            }
            assert_eq!(unsent(&mut queue, head).len(), head as usize);
            queue.acknowledge(u64::from(head));
            for at in head..100 {
                queue.append(apart(&mut page, at, 1)?)?;
            }
            assert_eq!(queue.bytes(), u64::from(100 - head));
            for at in head..100 {
                let mut pieces = unsent(&mut queue, 1);
                assert!(bytes_of(&mut pieces)?.as_slice() == stream(at, 1)?.as_slice());
            }
        }
        Ok(())
    }

    #[test]
    fn pages_are_given_back_when_they_are_acknowledged() -> Result {
        let (mut queue, mut page) = (SendQueue::new(), TestPage::new()?);
        for at in 0..3 {
            queue.append(apart(&mut page, at * 10, 10)?)?;
        }
        assert_eq!(page.references(), 3);
        let pieces = unsent(&mut queue, 30);
        assert_eq!(page.references(), 6);
        drop(pieces);
        for (bytes, left) in [(9, 3), (1, 2), (5, 2), (5, 1), (9, 1), (1, 0)] {
            queue.acknowledge(bytes);
            assert_eq!(page.references(), left);
        }
        queue.clear();
        assert_eq!(page.references(), 0);
        queue.append(apart(&mut page, 30, 10)?)?;
        drop(queue);
        assert_eq!(page.references(), 0);
        Ok(())
    }

    #[test]
    fn as_many_pieces_as_a_segment_holds_are_taken_at_once() -> Result {
        let mut queue = scattered(&[3; 40])?;
        let mut sent = 0u32;
        for expected in [17, 17, 6, 0] {
            let mut pieces = unsent(&mut queue, 1000);
            assert_eq!(count(&pieces), expected);
            let len = 3 * expected as u32;
            assert!(bytes_of(&mut pieces)?.as_slice() == stream(sent, len)?.as_slice());
            sent += len;
        }
        Ok(())
    }

    #[test]
    fn what_was_taken_in_part_goes_on_behind_it() -> Result {
        for step in 1..=31usize {
            let mut queue = scattered(&[1, 9, 20, 1])?;
            let mut pieces = unsent(&mut queue, 31);
            let mut taken = 0;
            while !pieces.is_empty() {
                pieces.advance(step);
                taken = (taken + step).min(31);
                assert_eq!(pieces.len(), 31 - taken);
                let left = stream(taken as u32, 31 - taken as u32)?;
                assert!(bytes_of(&mut pieces)?.as_slice() == left.as_slice());
            }
            pieces.advance(1);
            assert!(pieces.is_empty());
        }
        Ok(())
    }

    #[test]
    fn sums_of_pieces_make_the_sum_of_their_bytes() -> Result {
        for lengths in [[1, 1, 1, 1], [3, 4, 5, 6], [1, 2, 1001, 999], [2, 4, 6, 8]] {
            let total: u32 = lengths.iter().sum();
            let mut queue = scattered(&lengths)?;
            for skip in [0, 1, 2, 3] {
                let pieces = sent_or_not(&queue, u64::from(skip), total);
                let mut sum = DssChecksum::new();
                pieces.checksums(|partial, len| sum.add_partial(partial, len));
                assert_eq!(finish(&sum), finish_of(skip, total - skip)?);
            }
            let mut pieces = unsent(&mut queue, total);
            pieces.advance(3);
            let mut sum = DssChecksum::new();
            pieces.checksums(|partial, len| sum.add_partial(partial, len));
            assert_eq!(finish(&sum), finish_of(3, total - 3)?);
        }
        Ok(())
    }

    #[test]
    fn long_use_keeps_every_byte() -> Result {
        let (mut queue, mut page) = (SendQueue::new(), TestPage::new()?);
        let (mut acked, mut sent, mut written, mut room) = (0u32, 0u32, 0u32, 4096u32);
        let mut random = 1u32;
        for _ in 0..3000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let size = (random >> 8) % 97 + 1;
            match random >> 30 {
                0 | 1 => {
                    if room < size {
                        (page, room) = (TestPage::new()?, 4096);
                    }
                    queue.append(page.write(&stream(written, size)?)?)?;
                    (written, room) = (written + size, room - size);
                }
                2 => {
                    let mut pieces = unsent(&mut queue, size);
                    let len = pieces.len() as u32;
                    assert_eq!(len, size.min(written - sent));
                    assert!(bytes_of(&mut pieces)?.as_slice() == stream(sent, len)?.as_slice());
                    sent += len;
                }
                _ => {
                    let len = size.min(sent - acked);
                    queue.acknowledge(u64::from(len));
                    acked += len;
                    let mut pieces = sent_or_not(&queue, 0, size);
                    let len = pieces.len() as u32;
                    assert_eq!(len, size.min(written - acked));
                    assert!(bytes_of(&mut pieces)?.as_slice() == stream(acked, len)?.as_slice());
                }
            }
            assert_eq!(queue.bytes(), u64::from(written - acked));
            assert_eq!(queue.unsent(), u64::from(written - sent));
        }
        assert!(acked > 10_000);
        Ok(())
    }

    /// Bytes of an endless stream, by their position.
    fn stream(start: u32, len: u32) -> Result<KVec<u8>> {
        let mut bytes = KVec::new();
        for at in start..start + len {
            bytes.push((at.wrapping_mul(2_654_435_761) >> 13) as u8, GFP_KERNEL)?;
        }
        Ok(bytes)
    }

    /// Bytes of the stream in a page, away from those written before.
    fn apart(page: &mut TestPage, start: u32, len: u32) -> Result<knet::fragments::Written> {
        page.skip(1);
        page.write(&stream(start, len)?)
    }

    /// A queue whose bytes lie in fragments of these lengths.
    fn scattered(lengths: &[u32]) -> Result<SendQueue> {
        let (mut queue, mut page, mut start) = (SendQueue::new(), TestPage::new()?, 0);
        for len in lengths {
            queue.append(apart(&mut page, start, *len)?)?;
            start += len;
        }
        Ok(queue)
    }

    fn unsent(queue: &mut SendQueue, max: u32) -> Gathered {
        let mut pieces = Gathered::new();
        queue.gather_unsent(max, &mut pieces);
        pieces
    }

    fn sent_or_not(queue: &SendQueue, skip: u64, max: u32) -> Gathered {
        let mut pieces = Gathered::new();
        queue.gather_at(skip, max, &mut pieces);
        pieces
    }

    fn count(pieces: &Gathered) -> usize {
        let mut count = 0;
        pieces.checksums(|_, _| count += 1);
        count
    }

    fn finish(sum: &DssChecksum) -> u16 {
        sum.finish(Dsn::new(1), Ssn::new(2), 3)
    }

    fn finish_of(start: u32, len: u32) -> Result<u16> {
        let mut sum = DssChecksum::new();
        sum.add(&stream(start, len)?);
        Ok(finish(&sum))
    }
}
