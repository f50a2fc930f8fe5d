// SPDX-License-Identifier: GPL-2.0

//! Outgoing packets as the hooks get them.

use super::Sender;
use crate::bindings;
use crate::netfilter::options_of_saved;
use crate::rewrite::{rewrite_packet, rewrite_transport};
use crate::segment::{OptionEdit, HEADER};
use core::ptr::NonNull;
use kernel::prelude::*;

/// What a device would read from a packet; offsets are in bytes from its data.
pub type Facts = bindings::knet_test_facts;

/// A segment on its way out: with an IP header before the TCP header if a request sends it.
pub struct TestPacket<'a> {
    skb: NonNull<bindings::sk_buff>,
    sender: &'a Sender,
    ip_length: usize,
}

impl<'a> TestPacket<'a> {
    /// A segment with `headroom` bytes before its TCP header, which holds `options` (whole words)
    /// and is followed by `data`.
    pub fn segment(sender: &'a Sender, headroom: u32, options: &[u8], data: &[u8]) -> Result<Self> {
        Self::new(sender, headroom, &[], options, data)
    }

    /// A segment without data behind the IP header of the sender's family.
    pub fn with_ip_header(sender: &'a Sender, headroom: u32, options: &[u8]) -> Result<Self> {
        let (from, to) = sender.addresses();
        let tcp = u8::try_from(HEADER + options.len())?;
        let mut header = KVec::new();
        if sender.is_ipv6() {
            header.extend_from_slice(&[0x60, 0, 0, 0, 0, tcp, 6, 64], GFP_KERNEL)?;
        } else {
            let total = tcp + 20;
            header
                .extend_from_slice(&[0x45, 0, 0, total, 0, 1, 0x40, 0, 64, 6, 0, 0], GFP_KERNEL)?;
        }
        header.extend_from_slice(from, GFP_KERNEL)?;
        header.extend_from_slice(to, GFP_KERNEL)?;
        Self::new(sender, headroom, &header, options, &[])
    }

    fn new(
        sender: &'a Sender,
        headroom: u32,
        ip: &[u8],
        options: &[u8],
        data: &[u8],
    ) -> Result<Self> {
        let offset = u8::try_from((HEADER + options.len()) / 4 * 16)?;
        let header = [
            0x30, 0x39, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8, offset, 0x18, 0x12, 0x34, 0, 0, 0, 0,
        ];
        let mut bytes = KVec::new();
        for part in [ip, &header, options, data] {
            bytes.extend_from_slice(part, GFP_KERNEL)?;
        }
        // SAFETY: The bytes are valid for their length and copied.
        let skb = unsafe {
            bindings::knet_helper_test_skb(
                headroom,
                bytes.as_ptr().cast(),
                u32::try_from(bytes.len())?,
            )
        };
        let this = Self {
            skb: NonNull::new(skb).ok_or(ENOMEM)?,
            sender,
            ip_length: ip.len(),
        };
        // SAFETY: The packet borrows its sender, and begins with these headers.
        unsafe {
            bindings::knet_helper_test_set_sender(this.skb.as_ptr(), sender.as_ptr());
            bindings::knet_helper_test_set_headers(this.skb.as_ptr(), u32::try_from(ip.len())?);
        }
        Ok(this)
    }

    /// A second packet that shares head and data with this one.
    pub fn share(&self) -> Result<Self> {
        // SAFETY: The packet is live; the clone forgets its sender unless it is told.
        let skb = unsafe {
            let clone = bindings::skb_clone(self.skb.as_ptr(), bindings::GFP_KERNEL);
            if !clone.is_null() {
                bindings::knet_helper_test_set_sender(clone, self.sender.as_ptr());
            }
            clone
        };
        Ok(Self {
            skb: NonNull::new(skb).ok_or(ENOMEM)?,
            sender: self.sender,
            ip_length: self.ip_length,
        })
    }

    /// Appends data in a page of its own: at most 4096 bytes.
    pub fn add_page(&mut self, data: &[u8]) -> Result {
        let len = u32::try_from(data.len().min(4096))?;
        // SAFETY: The packet is ours, and a page has room for the data.
        let added = unsafe {
            bindings::knet_helper_test_add_page(self.skb.as_ptr(), data.as_ptr().cast(), len)
        };
        if added {
            Ok(())
        } else {
            Err(ENOMEM)
        }
    }

    /// Lets it be cut into segments of `size` bytes of data where it leaves.
    pub fn make_gso(&mut self, size: u32) {
        // SAFETY: The packet is ours.
        unsafe {
            bindings::knet_helper_test_make_gso(self.skb.as_ptr(), size, self.sender.is_ipv6())
        }
    }

    /// Does what the hooks do with `options` and `window`.
    pub fn rewrite(&mut self, options: &[u8], window: Option<u16>) -> Result {
        self.edit(options, window, false)
    }

    /// As [`Self::rewrite`], and the timestamps go away.
    pub fn rewrite_without_timestamps(&mut self, options: &[u8]) -> Result {
        self.edit(options, None, true)
    }

    fn edit(&mut self, options: &[u8], window: Option<u16>, drop_timestamps: bool) -> Result {
        let mut edit = OptionEdit::new();
        edit.drop_timestamps = drop_timestamps;
        for (to, from) in edit.buffer().iter_mut().zip(options) {
            *to = *from;
        }
        edit.set_length(options.len());
        edit.window = window;
        // SAFETY: The packet was built with these headers in one piece, and is ours.
        unsafe {
            if self.ip_length == 0 {
                rewrite_transport(self.skb.as_ptr(), &edit)
            } else {
                let ipv6 = self.sender.is_ipv6();
                rewrite_packet(self.skb.as_ptr(), self.ip_length, ipv6, &edit)
            }
        }
    }

    /// All bytes from the first header on.
    pub fn bytes(&self) -> Result<KVec<u8>> {
        // SAFETY: The packet is live.
        let len = unsafe { (*self.skb.as_ptr()).len };
        let mut bytes = KVec::from_elem(0u8, len as usize, GFP_KERNEL)?;
        // SAFETY: The buffer is as long as the packet.
        kernel::error::to_result(unsafe {
            bindings::skb_copy_bits(
                self.skb.as_ptr(),
                0,
                bytes.as_mut_ptr().cast(),
                c_int::try_from(len)?,
            )
        })?;
        Ok(bytes)
    }

    /// What a device would read.
    pub fn facts(&self) -> Facts {
        let mut facts = Facts::default();
        // SAFETY: The packet is live.
        unsafe { bindings::knet_helper_test_facts(self.skb.as_ptr(), &mut facts) };
        facts
    }

    /// Has the checksum completed in software; whether a receiver would find it right.
    pub fn checksum_is_right(&mut self) -> bool {
        let (from, to) = self.sender.addresses();
        // SAFETY: The packet is ours, and the addresses are as long as the family wants.
        unsafe {
            bindings::knet_helper_test_checksum_is_right(
                self.skb.as_ptr(),
                self.sender.is_ipv6(),
                from.as_ptr().cast(),
                to.as_ptr().cast(),
            )
        }
    }
}

impl Drop for TestPacket<'_> {
    fn drop(&mut self) {
        // SAFETY: The packet is ours alone.
        unsafe {
            bindings::knet_helper_test_set_sender(self.skb.as_ptr(), core::ptr::null_mut());
            bindings::knet_helper_kfree_skb(self.skb.as_ptr());
        }
    }
}

/// The options that are found in a saved SYN with these lengths of the three headers and `bytes`
/// behind them. The lengths must not exceed the bytes in total.
pub fn saved_syn_options(lengths: [u32; 3], bytes: &[u8]) -> Result<Option<KVec<u8>>> {
    if lengths
        .iter()
        .fold(0usize, |sum, part| sum.saturating_add(*part as usize))
        > bytes.len()
    {
        return Err(EINVAL);
    }
    // Words, because the structure is aligned to one.
    let mut saved = KVec::new();
    saved.extend_from_slice(&lengths, GFP_KERNEL)?;
    for word in bytes.chunks(4) {
        let mut whole = [0; 4];
        for (to, from) in whole.iter_mut().zip(word) {
            *to = *from;
        }
        saved.push(u32::from_ne_bytes(whole), GFP_KERNEL)?;
    }
    // SAFETY: Lengths and headers lie behind each other as the kernel keeps them.
    let Some(options) = (unsafe { options_of_saved(saved.as_ptr().cast()) }) else {
        return Ok(None);
    };
    let mut copy = KVec::new();
    copy.extend_from_slice(options, GFP_KERNEL)?;
    Ok(Some(copy))
}
