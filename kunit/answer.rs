// SPDX-License-Identifier: GPL-2.0

//! The answer of a listener: options on a SYN/ACK behind its IP header, and the options of the SYN
//! that its request remembers.

use kernel::prelude::*;

#[kunit_tests(mptcp_rs_answer)]
mod tests {
    use kernel::prelude::*;
    use knet::testing::{saved_syn_options, Kind, Sender, TestPacket};

    const OPTIONS: [u8; 20] = [
        2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7,
    ];
    const ADDED: [u8; 12] = [30, 12, 0x01, 0x81, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn ipv4_lengths_and_checksums_follow() -> Result {
        let sender = Sender::new(Kind::Request, false)?;
        for headroom in [0, 64] {
            let mut packet = TestPacket::with_ip_header(&sender, headroom, &OPTIONS)?;
            assert!(packet.rewrite(&ADDED, None).is_ok());
            let bytes = packet.bytes()?;
            assert_eq!(bytes.len(), 72);
            assert_eq!(bytes.get(..4), Some(&[0x45, 0, 0, 72][..]));
            assert_eq!(bytes.get(9), Some(&6));
            assert_eq!(
                bytes.get(12..20),
                Some(&[192, 0, 2, 7, 198, 51, 100, 9][..])
            );
            assert_eq!(word_sum(bytes.get(..20)), 0xffff);
            assert!(ends_with_tcp(&bytes, 20));
            let facts = packet.facts();
            assert_eq!(facts.network_offset, 0);
            assert_eq!(facts.transport_offset, 20);
            assert!(facts.partial);
            assert_eq!(facts.csum_start, 20);
            assert_eq!(facts.csum_offset, 16);
            assert!(packet.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn ipv6_lengths_and_checksums_follow() -> Result {
        let sender = Sender::new(Kind::Request, true)?;
        for headroom in [0, 64] {
            let mut packet = TestPacket::with_ip_header(&sender, headroom, &OPTIONS)?;
            assert!(packet.rewrite(&ADDED, None).is_ok());
            let bytes = packet.bytes()?;
            assert_eq!(bytes.len(), 92);
            assert_eq!(bytes.get(..8), Some(&[0x60, 0, 0, 0, 0, 52, 6, 64][..]));
            let (from, to) = sender.addresses();
            assert_eq!(bytes.get(8..24), Some(from));
            assert_eq!(bytes.get(24..40), Some(to));
            assert!(ends_with_tcp(&bytes, 40));
            let facts = packet.facts();
            assert_eq!(facts.network_offset, 0);
            assert_eq!(facts.transport_offset, 40);
            assert_eq!(facts.csum_start, 40);
            assert!(packet.checksum_is_right());
        }
        Ok(())
    }

    #[test]
    fn a_shared_answer_is_left_alone() -> Result {
        let sender = Sender::new(Kind::Request, false)?;
        let original = TestPacket::with_ip_header(&sender, 64, &OPTIONS)?;
        let before = original.bytes()?;
        let mut copy = original.share()?;
        assert!(copy.rewrite(&ADDED, None).is_ok());
        assert_eq!(original.bytes()?.as_slice(), before.as_slice());
        assert!(ends_with_tcp(&copy.bytes()?, 20));
        assert!(copy.checksum_is_right());
        Ok(())
    }

    #[test]
    fn nothing_is_given_up_for_an_answer() -> Result {
        const SACK: [u8; 12] = [1, 1, 5, 10, 1, 2, 3, 4, 5, 6, 7, 8];
        for ipv6 in [false, true] {
            let sender = Sender::new(Kind::Request, ipv6)?;
            let mut options = KVec::new();
            options.extend_from_slice(&OPTIONS, GFP_KERNEL)?;
            options.extend_from_slice(&SACK, GFP_KERNEL)?;
            let mut packet = TestPacket::with_ip_header(&sender, 64, &options)?;
            let before = packet.bytes()?;
            assert!(packet.rewrite(&ADDED, None).is_err());
            assert_eq!(packet.bytes()?.as_slice(), before.as_slice());
            assert!(packet.rewrite(&[], None).is_ok());
            assert_eq!(packet.bytes()?.as_slice(), before.as_slice());
        }
        Ok(())
    }

    #[test]
    fn the_options_of_a_saved_syn_are_those_behind_its_fixed_header() -> Result {
        let mut headers = KVec::from_elem(0xeeu8, 14 + 20 + 20, GFP_KERNEL)?;
        headers.extend_from_slice(&OPTIONS, GFP_KERNEL)?;
        headers.extend_from_slice(&[0xdd; 30], GFP_KERNEL)?;
        for (mac, network) in [(14, 20), (0, 34), (34, 0)] {
            let options = saved_syn_options([mac, network, 40], &headers)?;
            assert_eq!(options.as_deref(), Some(&OPTIONS[..]));
        }
        let none = saved_syn_options([14, 20, 20], &headers)?;
        assert_eq!(none.as_deref(), Some(&[][..]));
        Ok(())
    }

    #[test]
    fn a_saved_syn_is_read_within_its_lengths() -> Result {
        // A data offset that says more than was saved is not believed.
        let mut headers = KVec::from_elem(0xffu8, 40, GFP_KERNEL)?;
        headers.extend_from_slice(&[7; 64], GFP_KERNEL)?;
        let options = saved_syn_options([0, 20, 24], &headers)?;
        assert_eq!(options.as_deref(), Some(&[7; 4][..]));
        for short in [0, 1, 19] {
            assert!(saved_syn_options([0, 20, short], &headers)?.is_none());
        }
        Ok(())
    }

    /// The folded sum of 16-bit words: 0xffff for a header with its checksum.
    fn word_sum(bytes: Option<&[u8]>) -> u32 {
        let mut sum = 0u32;
        for pair in bytes.unwrap_or(&[]).chunks_exact(2) {
            if let [high, low] = *pair {
                sum += u32::from(u16::from_be_bytes([high, low]));
            }
        }
        (sum & 0xffff) + (sum >> 16)
    }

    /// Whether a TCP header of 52 bytes with both runs of options lies at `offset` and ends it.
    fn ends_with_tcp(bytes: &[u8], offset: usize) -> bool {
        bytes.get(offset + 12..offset + 16) == Some(&[0xd0, 0x18, 0x12, 0x34][..])
            && bytes.get(offset + 20..offset + 40) == Some(&OPTIONS[..])
            && bytes.get(offset + 40..) == Some(&ADDED[..])
    }
}
