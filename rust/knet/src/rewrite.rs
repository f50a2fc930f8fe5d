// SPDX-License-Identifier: GPL-2.0

//! Changing the TCP header of an outgoing segment: adding options, giving up SACK blocks for them,
//! replacing the window.

use crate::bindings;
use crate::segment::{Header, OptionEdit, HEADER, OPTION_SPACE};
use kernel::prelude::*;

const KIND_END: u8 = 0;
const KIND_NOP: u8 = 1;
const KIND_SACK: u8 = 5;
const KIND_TIMESTAMPS: u8 = 8;
/// Bytes of a header with timestamps and nothing else.
const COMMON: usize = HEADER + TIMESTAMPS;
/// Bytes of the timestamps and their padding, as TCP writes them first of all options where there is no
/// SYN.
const TIMESTAMPS: usize = 12;
/// Bytes of one SACK block.
const BLOCK: usize = 8;

/// Where the SACK option lies among options, in bytes from their start.
struct Sack {
    /// Its padding, of two bytes at most.
    start: usize,
    /// Its kind.
    kind: usize,
    /// The byte after its last block.
    end: usize,
    /// Its length byte.
    length: u8,
}

impl Sack {
    /// `None`: there is no SACK option, or the options are malformed before or in it.
    fn find(options: &[u8]) -> Option<Self> {
        let mut rest = options;
        let mut padding = 0usize;
        loop {
            rest = match *rest {
                [] | [_] | [KIND_END, ..] => return None,
                [KIND_NOP, ref more @ ..] => {
                    padding = padding.saturating_add(1);
                    more
                }
                [KIND_SACK, length, ..] => {
                    let kind = options.len().saturating_sub(rest.len());
                    let bytes = usize::from(length);
                    if length < 10 || length % 8 != 2 || bytes > rest.len() {
                        return None;
                    }
                    return Some(Self {
                        start: kind.saturating_sub(padding.min(2)),
                        kind,
                        end: kind.saturating_add(bytes),
                        length,
                    });
                }
                [_, length, ..] if length >= 2 => {
                    padding = 0;
                    rest.get(usize::from(length)..)?
                }
                _ => return None,
            };
        }
    }

    /// Number of blocks, at least one.
    fn blocks(&self) -> usize {
        usize::from(self.length) / BLOCK
    }
}

/// Bytes of option space that giving up all SACK blocks in `options` would free, in whole words.
pub(crate) fn droppable(options: &[u8]) -> usize {
    Sack::find(options).map_or(0, |sack| sack.end.saturating_sub(sack.start) & !3)
}

/// Bytes of option space that giving up the timestamps in `options` would free.
pub(crate) fn timestamps(options: &[u8]) -> usize {
    match without_timestamps(options) {
        Some(_) => TIMESTAMPS,
        None => 0,
    }
}

/// The options behind the timestamps, if those stand first and are padded to whole words.
fn without_timestamps(options: &[u8]) -> Option<&[u8]> {
    match options {
        [KIND_NOP, KIND_NOP, KIND_TIMESTAMPS, 10, ..] => options.get(TIMESTAMPS..),
        _ => None,
    }
}

/// A TCP header with options, rewritten.
struct Rewrite {
    bytes: [u8; HEADER + OPTION_SPACE],
    length: usize,
}

impl Rewrite {
    /// What `header` becomes by `edit`. SACK blocks are given up, the last first, where the added
    /// options need their room. `None`: they do not fit even so, or there are no timestamps to drop.
    fn new(header: &[u8], edit: &OptionEdit) -> Option<Self> {
        let added = edit.padded();
        let (fixed, mut options) = header.split_at_checked(HEADER)?;
        if edit.drop_timestamps {
            options = without_timestamps(options)?;
        }
        let room = OPTION_SPACE.checked_sub(added.len())?;
        let mut this = Self {
            bytes: [KIND_NOP; HEADER + OPTION_SPACE],
            length: 0,
        };
        this.append(fixed)?;
        match options.len().saturating_sub(room) {
            0 => this.append(options)?,
            missing => this.append_without_blocks(options, missing)?,
        }
        this.append(added)?;
        let words = u8::try_from(this.length / 4).ok()?;
        let offset = this.bytes.get_mut(12)?;
        *offset = (*offset & 0x0f) | (words << 4);
        if let Some(window) = edit.window {
            this.bytes
                .get_mut(14..16)?
                .copy_from_slice(&window.to_be_bytes());
        }
        Some(this)
    }

    fn append(&mut self, bytes: &[u8]) -> Option<()> {
        let place = self.bytes.get_mut(self.length..)?.get_mut(..bytes.len())?;
        place.copy_from_slice(bytes);
        self.length = self.length.saturating_add(bytes.len());
        Some(())
    }

    /// Appends `options` with so few SACK blocks that they are `missing` bytes shorter at least.
    fn append_without_blocks(&mut self, options: &[u8], missing: usize) -> Option<()> {
        let sack = Sack::find(options)?;
        let given_up = missing.div_ceil(BLOCK);
        if given_up < sack.blocks() {
            let removed = given_up.saturating_mul(BLOCK);
            let length = sack.length.checked_sub(u8::try_from(removed).ok()?)?;
            let blocks = sack.kind.saturating_add(2)..sack.end.checked_sub(removed)?;
            self.append(options.get(..=sack.kind)?)?;
            self.append(&[length])?;
            self.append(options.get(blocks)?)?;
        } else {
            self.append(options.get(..sack.start)?)?;
        }
        self.append(options.get(sack.end..)?)?;
        // Without the usual two bytes of padding before it, the option was no whole words long.
        while self.length % 4 != 0 {
            self.append(&[KIND_NOP])?;
        }
        Some(())
    }

    fn header(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// Writes `edit` into an outgoing segment whose data begins with its TCP header. The segment is
/// unchanged if that fails.
///
/// # Safety
///
/// `skb` is owned by the caller, `skb->data` is its TCP header in one piece, `skb->sk` the socket
/// or request that sends it, and its checksum is still to be completed.
#[inline]
pub(crate) unsafe fn rewrite_transport(skb: *mut bindings::sk_buff, edit: &OptionEdit) -> Result {
    if edit.is_empty() {
        return Ok(());
    }
    // SAFETY: By the caller's promise; the header is not changed before its last use here.
    let old = unsafe { Header::new((*skb).data.cast()) };
    let old_length = old.length();
    if edit.padded().len() <= old.free() && !edit.drop_timestamps {
        // SAFETY: By the caller's promise.
        return unsafe { extend(skb, old_length, edit) };
    }
    let new = Rewrite::new(old.bytes(), edit).ok_or(ENOSPC)?;
    // SAFETY: By the caller's promise; `replace` left the TCP header at the start.
    unsafe {
        replace(skb, 0, old_length, &new)?;
        bindings::knet_helper_partial_checksum(skb, (*skb).data.cast());
        bindings::knet_helper_reset_transport_header(skb);
    }
    Ok(())
}

/// Writes `edit` behind the TCP header of `length` bytes, which has room for it.
///
/// # Safety
///
/// As for [`rewrite_transport`].
unsafe fn extend(skb: *mut bindings::sk_buff, length: usize, edit: &OptionEdit) -> Result {
    let added = edit.padded();
    let more = c_uint::try_from(added.len())?;
    let words = u8::try_from(length.saturating_add(added.len()) / 4)?;
    // SAFETY: `skb_cow_head` makes the head ours alone, with room for `more` bytes before the
    // data. All writes stay between the new start and the end of the old header.
    unsafe {
        kernel::error::to_result(bindings::knet_helper_skb_cow_head(skb, more))?;
        let old_start = (*skb).data;
        let start = bindings::skb_push(skb, more).cast::<u8>();
        match length {
            // With timestamps, as nearly all are: a few loads and stores instead of a call.
            COMMON => start
                .cast::<[u8; COMMON]>()
                .write(old_start.cast::<[u8; COMMON]>().read()),
            _ => core::ptr::copy(old_start, start, length),
        }
        core::ptr::copy_nonoverlapping(added.as_ptr(), start.add(length), added.len());
        let offset = start.add(12);
        offset.write((offset.read() & 0x0f) | (words << 4));
        if let Some(window) = edit.window {
            start.add(14).cast::<[u8; 2]>().write(window.to_be_bytes());
        }
        bindings::knet_helper_partial_checksum(skb, start.cast());
        bindings::knet_helper_reset_transport_header(skb);
    }
    Ok(())
}

/// Writes `edit` into a segment without data whose data begins with its IP header. No SACK block
/// is given up. The segment is unchanged if that fails.
///
/// # Safety
///
/// `skb` is owned by the caller, `skb->data` is the IP header of `ip_length` bytes that is followed by
/// the TCP header, all in one piece.
pub(crate) unsafe fn rewrite_packet(
    skb: *mut bindings::sk_buff,
    ip_length: usize,
    ipv6: bool,
    edit: &OptionEdit,
) -> Result {
    let added = edit.padded().len();
    if added == 0 {
        return Ok(());
    }
    // SAFETY: By the caller's promise; the header is not changed before its last use here.
    let old = unsafe { Header::new((*skb).data.add(ip_length).cast()) };
    let old_length = old.length();
    if added > old.free() {
        return Err(ENOSPC);
    }
    let new = Rewrite::new(old.bytes(), edit).ok_or(ENOSPC)?;
    // SAFETY: By the caller's promise; `replace` moved the IP header to the start.
    unsafe {
        replace(skb, ip_length, old_length, &new)?;
        bindings::knet_helper_reset_headers(skb, c_uint::try_from(ip_length)?);
        bindings::knet_helper_fix_ip_length(skb, ipv6);
        bindings::knet_helper_packet_checksum(skb, ipv6);
    }
    Ok(())
}

/// Puts `new` in the place of the TCP header of `old_length` bytes that follows the first `before`
/// bytes of a packet, and moves those. The checksum is left as it was.
///
/// # Safety
///
/// `skb` is owned by the caller and has both headers in one piece.
unsafe fn replace(
    skb: *mut bindings::sk_buff,
    before: usize,
    old_length: usize,
    new: &Rewrite,
) -> Result {
    let header = new.header();
    let more = c_uint::try_from(header.len().saturating_sub(old_length))?;
    let fewer = c_uint::try_from(old_length.saturating_sub(header.len()))?;
    // SAFETY: `skb_cow_head` makes the head ours alone, with room for `more` bytes before the
    // data. All writes stay between the new start and the end of the old header.
    unsafe {
        kernel::error::to_result(bindings::knet_helper_skb_cow_head(skb, more))?;
        let old_start = (*skb).data;
        let start = if fewer == 0 {
            bindings::skb_push(skb, more).cast::<u8>()
        } else {
            bindings::skb_pull(skb, fewer).cast::<u8>()
        };
        core::ptr::copy(old_start, start, before);
        let tcp = start.add(before);
        core::ptr::copy_nonoverlapping(header.as_ptr(), tcp, header.len());
    }
    Ok(())
}
