// SPDX-License-Identifier: GPL-2.0

//! TCP headers of outgoing segments: options are added and the window is replaced in real packets,
//! whose checksum is then completed as the stack does it.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_header)]
mod tests {
    use kernel::prelude::*;
    use knet::testing::{droppable, timestamps, Kind, Sender, TestPacket};

    const TIMESTAMPS: [u8; 12] = [1, 1, 8, 10, 0, 1, 2, 3, 4, 5, 6, 7];
    const ADDED: [u8; 28] = [
        30, 28, 0x20, 0xf, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
        21, 22, 23, 24,
    ];
    /// Three blocks, and the padding that TCP puts before them.
    const SACK: [u8; 28] = [
        1, 1, 5, 26, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0,
    ];
    /// The window field that test packets have.
    const WINDOW: u16 = 0x1234;

    #[test]
    fn options_go_before_the_header_where_there_is_room() -> Result {
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            let mut packet = TestPacket::segment(&sender, 64, &TIMESTAMPS, b"odd")?;
            assert!(packet.rewrite(&ADDED, None).is_ok());
            let options = joined(&[&TIMESTAMPS, &ADDED])?;
            assert!(is_segment(&packet.bytes()?, &options, WINDOW, b"odd"));
            let facts = packet.facts();
            assert_eq!(facts.headroom, 36);
            assert_eq!(facts.transport_offset, 0);
            assert!(facts.partial);
            assert_eq!(facts.csum_start, 0);
            assert_eq!(facts.csum_offset, 16);
            assert!(packet.checksum_is_right());
            assert!(is_segment(&packet.bytes()?, &options, WINDOW, b"odd"));
        }
        Ok(())
    }

    #[test]
    fn room_is_made_where_there_is_none() -> Result {
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            for headroom in [0, 1, 27] {
                let mut packet = TestPacket::segment(&sender, headroom, &TIMESTAMPS, b"data")?;
                assert!(packet.rewrite(&ADDED, Some(7)).is_ok());
                let options = joined(&[&TIMESTAMPS, &ADDED])?;
                assert!(is_segment(&packet.bytes()?, &options, 7, b"data"));
                assert_eq!(packet.facts().csum_start, 0);
                assert!(packet.checksum_is_right());
            }
        }
        Ok(())
    }

    #[test]
    fn a_shared_header_is_left_alone() -> Result {
        for headroom in [0, 64] {
            let sender = Sender::new(Kind::Socket, false)?;
            let original = TestPacket::segment(&sender, headroom, &TIMESTAMPS, b"data")?;
            let before = original.bytes()?;
            let mut copy = original.share()?;
            assert!(copy.rewrite(&ADDED, Some(9)).is_ok());
            assert_eq!(original.bytes()?.as_slice(), before.as_slice());
            let options = joined(&[&TIMESTAMPS, &ADDED])?;
            assert!(is_segment(&copy.bytes()?, &options, 9, b"data"));
            assert!(copy.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn a_large_segment_stays_one() -> Result {
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            let data = KVec::from_elem(0xa5u8, 4001, GFP_KERNEL)?;
            let mut packet = TestPacket::segment(&sender, 16, &TIMESTAMPS, &[])?;
            packet.add_page(&data)?;
            packet.add_page(&data)?;
            packet.make_gso(1400);
            assert!(packet.rewrite(&ADDED, None).is_ok());
            assert_eq!(packet.facts().gso_size, 1400);
            assert!(packet.facts().partial);
            let options = joined(&[&TIMESTAMPS, &ADDED])?;
            let data = joined(&[&data, &data])?;
            assert!(is_segment(&packet.bytes()?, &options, WINDOW, &data));
            assert!(packet.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn options_are_padded_to_words() -> Result {
        let sender = Sender::new(Kind::Socket, false)?;
        for length in 1..=28 {
            let added = ADDED.get(..length).unwrap_or(&[]);
            let mut packet = TestPacket::segment(&sender, 64, &TIMESTAMPS, b"data")?;
            assert!(packet.rewrite(added, None).is_ok());
            let padding = [1u8; 3];
            let padding = padding.get(..(4 - length % 4) % 4).unwrap_or(&[]);
            let options = joined(&[&TIMESTAMPS, added, padding])?;
            assert!(is_segment(&packet.bytes()?, &options, WINDOW, b"data"));
            assert!(packet.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn sack_blocks_make_room_the_last_first() -> Result {
        // Bytes added to 40 bytes of options, and the blocks that stay.
        let cases = [(4, 2), (8, 2), (12, 1), (16, 1), (20, 0), (24, 0), (28, 0)];
        assert_eq!(droppable(&joined(&[&TIMESTAMPS, &SACK])?), 28);
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            for (length, stay) in cases {
                let added = ADDED.get(..length).unwrap_or(&[]);
                let full = joined(&[&TIMESTAMPS, &SACK])?;
                let mut packet = TestPacket::segment(&sender, 0, &full, b"data")?;
                assert!(packet.rewrite(added, None).is_ok());
                let options = joined(&[&TIMESTAMPS, &first_blocks(stay)?, added])?;
                assert!(is_segment(&packet.bytes()?, &options, WINDOW, b"data"));
                assert_eq!(packet.facts().transport_offset, 0);
                assert!(packet.checksum_is_right());
            }
        }
        Ok(())
    }

    #[test]
    fn timestamps_make_room_where_they_are_given_up() -> Result {
        let long = joined(&[&ADDED, &[1; 4]])?;
        let short = [30, 4, 0, 0];
        // The other options, what is added, and what stays of the others.
        let cases: [(&[u8], &[u8], &[u8]); 4] = [
            (&[], &long, &[]),
            (&[], &short, &[]),
            (&SACK, &long, &[]),
            (&SACK, &short, &SACK),
        ];
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            for (others, added, stays) in cases {
                let before = joined(&[&TIMESTAMPS, others])?;
                assert_eq!(timestamps(&before), 12);
                let mut packet = TestPacket::segment(&sender, 0, &before, &[])?;
                assert!(packet.rewrite_without_timestamps(added).is_ok());
                let options = joined(&[stays, added])?;
                assert!(is_segment(&packet.bytes()?, &options, WINDOW, &[]));
                assert_eq!(packet.facts().transport_offset, 0);
                assert!(packet.checksum_is_right());
            }
            let mut packet = TestPacket::segment(&sender, 0, &SACK, &[])?;
            assert_eq!(timestamps(&SACK), 0);
            assert!(packet.rewrite_without_timestamps(&short).is_err());
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_changes_nothing() -> Result {
        let sender = Sender::new(Kind::Socket, false)?;
        for full in [
            joined(&[&TIMESTAMPS, &SACK])?,
            joined(&[&TIMESTAMPS, &TIMESTAMPS, &TIMESTAMPS, &[1; 4]])?,
        ] {
            let mut packet = TestPacket::segment(&sender, 64, &full, b"data")?;
            let before = packet.bytes()?;
            assert!(packet.rewrite(&[1; 32], Some(1)).is_err());
            assert_eq!(packet.bytes()?.as_slice(), before.as_slice());
            assert!(!packet.facts().partial);
        }
        Ok(())
    }

    #[test]
    fn sack_without_padding_leaves_whole_words() -> Result {
        let unpadded = joined(&[&TIMESTAMPS, SACK.get(2..).unwrap_or(&[]), &[1, 1]])?;
        assert_eq!(droppable(&unpadded), 24);
        let sender = Sender::new(Kind::Socket, false)?;
        let mut packet = TestPacket::segment(&sender, 64, &unpadded, &[])?;
        assert!(packet.rewrite(&ADDED, None).is_err());
        let added = ADDED.get(..24).unwrap_or(&[]);
        assert!(packet.rewrite(added, None).is_ok());
        let options = joined(&[&TIMESTAMPS, &[1; 4], added])?;
        assert!(is_segment(&packet.bytes()?, &options, WINDOW, &[]));
        assert!(packet.checksum_is_right());
        Ok(())
    }

    #[test]
    fn malformed_options_are_not_taken_for_sack() -> Result {
        let sender = Sender::new(Kind::Socket, false)?;
        let malformed: [&[u8]; 9] = [
            &[1, 1, 5, 26, 0, 0, 0, 0],
            &[1, 1, 5, 0, 0, 0, 0, 0],
            &[1, 1, 5, 2, 0, 0, 0, 0],
            &[1, 1, 5, 11, 0, 0, 0, 0],
            &[1, 1, 5, 255, 0, 0, 0, 0],
            &[0, 0, 5, 10, 0, 0, 0, 0],
            &[254, 0, 5, 10, 0, 0, 0, 0],
            &[254, 1, 5, 10, 0, 0, 0, 0],
            &[254, 250, 5, 10, 0, 0, 0, 5],
        ];
        for end in malformed {
            let options = joined(&[&[1; 32], end])?;
            assert_eq!(droppable(&options), 0);
            let mut packet = TestPacket::segment(&sender, 64, &options, b"data")?;
            let before = packet.bytes()?;
            assert!(packet.rewrite(&[30, 4, 0, 0], None).is_err());
            assert_eq!(packet.bytes()?.as_slice(), before.as_slice());
            // What has room is added all the same.
            let mut packet = TestPacket::segment(&sender, 64, end, b"data")?;
            assert!(packet.rewrite(&ADDED, None).is_ok());
            let options = joined(&[end, &ADDED])?;
            assert!(is_segment(&packet.bytes()?, &options, WINDOW, b"data"));
        }
        Ok(())
    }

    #[test]
    fn the_window_alone_is_replaced() -> Result {
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Socket, ipv6)?;
            let full = joined(&[&TIMESTAMPS, &SACK])?;
            let mut packet = TestPacket::segment(&sender, 0, &full, b"data")?;
            assert!(packet.rewrite(&[], Some(0xfedc)).is_ok());
            assert!(is_segment(&packet.bytes()?, &full, 0xfedc, b"data"));
            assert!(packet.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn no_edit_leaves_the_segment_alone() -> Result {
        let sender = Sender::new(Kind::Socket, false)?;
        let mut packet = TestPacket::segment(&sender, 0, &TIMESTAMPS, b"data")?;
        let before = packet.bytes()?;
        assert!(packet.rewrite(&[], None).is_ok());
        assert_eq!(packet.bytes()?.as_slice(), before.as_slice());
        assert!(!packet.facts().partial);
        Ok(())
    }

    /// The SACK option with its first `count` blocks and the padding before it.
    fn first_blocks(count: usize) -> Result<KVec<u8>> {
        if count == 0 {
            return Ok(KVec::new());
        }
        let blocks = SACK.get(4..4 + 8 * count).unwrap_or(&[]);
        joined(&[&[1, 1, 5, 2 + 8 * count as u8], blocks])
    }

    fn joined(parts: &[&[u8]]) -> Result<KVec<u8>> {
        let mut bytes = KVec::new();
        for part in parts {
            bytes.extend_from_slice(part, GFP_KERNEL)?;
        }
        Ok(bytes)
    }

    /// Whether `bytes` are the header of a test packet with this window and these options, but for
    /// the checksum, and `data`.
    fn is_segment(bytes: &[u8], options: &[u8], window: u16, data: &[u8]) -> bool {
        let [high, low] = window.to_be_bytes();
        let offset = ((20 + options.len()) / 4 * 16) as u8;
        let fixed = [
            0x30, 0x39, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, offset, 0x18, high, low,
        ];
        let rest = bytes.get(18..).and_then(|rest| rest.strip_prefix(&[0, 0]));
        bytes.starts_with(&fixed) && rest.and_then(|rest| rest.strip_prefix(options)) == Some(data)
    }
}
