// SPDX-License-Identifier: GPL-2.0

//! TCP segments at the hooks: what they say, and how their options are changed.

use crate::bindings;
use crate::sock::{Address, Tuple};
use core::ptr::NonNull;
use kernel::prelude::*;

/// Length of a TCP header without options, in bytes.
pub const HEADER: usize = 20;
/// Room for options in a TCP header, in bytes.
pub const OPTION_SPACE: usize = 40;

const KIND_NOP: u8 = 1;
const KIND_SACK: u8 = 5;

/// TCP flags of a segment, as in byte 13 of the header.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flags(pub u8);

impl Flags {
    /// FIN.
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }
    /// SYN.
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }
    /// RST.
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }
    /// ACK.
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// A segment that TCP is about to send.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// The flags.
    pub flags: Flags,
    /// Sequence number of the first byte (or of SYN, FIN), host byte order.
    pub seq: u32,
    /// Bytes of data.
    pub payload_len: u32,
    /// The window field that TCP chose, in units of `1 << wscale`.
    pub window: u16,
    /// Option space that TCP left free, in bytes.
    pub free: usize,
    /// Option space that would become free if all SACK blocks were dropped, in bytes.
    pub droppable: usize,
}

/// What to change in the header of an outgoing segment.
pub struct OptionEdit {
    options: [u8; OPTION_SPACE],
    length: usize,
    /// The window field to write instead of TCP's, before scaling was applied, in units of
    /// `1 << wscale`; `None` leaves TCP's.
    pub window: Option<u16>,
}

impl OptionEdit {
    pub(crate) const fn new() -> Self {
        Self {
            options: [KIND_NOP; OPTION_SPACE],
            length: 0,
            window: None,
        }
    }

    /// The buffer in which options are written from its start.
    pub fn buffer(&mut self) -> &mut [u8; OPTION_SPACE] {
        &mut self.options
    }

    /// Says that the first `length` bytes of the buffer are options to be added. They are padded
    /// to whole words.
    pub fn set_length(&mut self, length: usize) {
        self.length = length.min(OPTION_SPACE);
    }

    fn padded(&self) -> &[u8] {
        let padded = self.length.next_multiple_of(4);
        self.options.get(..padded).unwrap_or(&[])
    }

    fn is_empty(&self) -> bool {
        self.length == 0 && self.window.is_none()
    }
}

/// A segment that arrived.
pub struct Incoming<'a> {
    pub(crate) skb: Option<NonNull<bindings::sk_buff>>,
    pub(crate) ipv6: bool,
    pub(crate) offset: u32,
    /// The flags.
    pub flags: Flags,
    /// Sequence number, host byte order.
    pub seq: u32,
    /// Acknowledgement number, host byte order.
    pub ack: u32,
    /// The window field, not scaled.
    pub window: u16,
    /// Bytes of data.
    pub payload_len: u32,
    /// The options.
    pub options: &'a [u8],
}

impl Incoming<'_> {
    /// Whether the checksum of the segment is right. What was computed is kept for TCP.
    pub fn checksum_is_right(&self) -> bool {
        let Some(skb) = self.skb else { return true };
        // SAFETY: The packet is live during the hook, and its IP header of `offset` bytes lies
        // before the TCP header.
        let sum = unsafe {
            bindings::knet_helper_nf_checksum(
                skb.as_ptr(),
                bindings::nf_inet_hooks_NF_INET_LOCAL_IN,
                self.offset,
                self.ipv6,
            )
        };
        sum == 0
    }
}

/// A TCP header that lies in one piece.
pub(crate) struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    /// # Safety
    ///
    /// `at` points to a whole TCP header with its options, as its data offset says, which nobody
    /// changes during `'a`.
    pub(crate) unsafe fn new(at: *const bindings::tcphdr) -> Self {
        let at = at.cast::<u8>();
        // SAFETY: By the caller's promise at least 20 bytes.
        let length = usize::from(unsafe { at.add(12).read() } >> 4) * 4;
        // SAFETY: By the caller's promise.
        Self(unsafe { core::slice::from_raw_parts(at, length.max(HEADER)) })
    }

    fn word(&self, at: usize) -> u32 {
        match self.0.get(at..at + 4) {
            Some(&[a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn seq(&self) -> u32 {
        self.word(4)
    }

    pub(crate) fn ack(&self) -> u32 {
        self.word(8)
    }

    pub(crate) fn flags(&self) -> Flags {
        Flags(self.0.get(13).copied().unwrap_or(0))
    }

    pub(crate) fn window(&self) -> u16 {
        (self.word(12) & 0xffff) as u16
    }

    pub(crate) fn options(&self) -> &'a [u8] {
        self.0.get(HEADER..).unwrap_or(&[])
    }

    pub(crate) fn incoming(
        &self,
        skb: *mut bindings::sk_buff,
        ipv6: bool,
        offset: u32,
        payload_len: u32,
    ) -> Incoming<'a> {
        Incoming {
            skb: NonNull::new(skb),
            ipv6,
            offset,
            flags: self.flags(),
            seq: self.seq(),
            ack: self.ack(),
            window: self.window(),
            payload_len,
            options: self.options(),
        }
    }
}

/// Where the SACK option lies in `options`, with the padding before it: offset and length.
fn find_sack(options: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    let mut padding = 0;
    while at < OPTION_SPACE {
        let kind = *options.get(at)?;
        if kind == KIND_NOP {
            at += 1;
            padding += 1;
            continue;
        }
        let length = usize::from(*options.get(at + 1)?);
        if kind == 0 || length < 2 {
            return None;
        }
        if kind == KIND_SACK {
            let padding = padding.min(2);
            return Some((at - padding, length + padding));
        }
        at += length;
        padding = 0;
    }
    None
}

/// Bytes that dropping SACK blocks would free in `options`.
pub(crate) fn droppable(options: &[u8]) -> usize {
    find_sack(options).map_or(0, |(_, length)| length)
}

/// A TCP header with options that is being rewritten.
struct Rewrite {
    bytes: [u8; HEADER + OPTION_SPACE],
    length: usize,
}

impl Rewrite {
    /// Copies `header`, drops as many SACK blocks as `added` needs room, and appends `added`.
    /// `None`: it does not fit.
    fn new(header: &[u8], added: &[u8]) -> Option<Self> {
        let mut bytes = [KIND_NOP; HEADER + OPTION_SPACE];
        bytes.get_mut(..header.len())?.copy_from_slice(header);
        let mut this = Self {
            bytes,
            length: header.len(),
        };
        while this.length + added.len() > HEADER + OPTION_SPACE {
            this.drop_sack_block()?;
        }
        let end = this.length + added.len();
        this.bytes.get_mut(this.length..end)?.copy_from_slice(added);
        this.length = end;
        let words = u8::try_from(end / 4).ok()?;
        let offset = this.bytes.get_mut(12)?;
        *offset = (*offset & 0x0f) | (words << 4);
        Some(this)
    }

    /// Removes the last SACK block, and the whole option with the last one.
    fn drop_sack_block(&mut self) -> Option<()> {
        let options = self.bytes.get(HEADER..self.length)?;
        let (at, length) = find_sack(options)?;
        let (at, end) = (HEADER + at, HEADER + at + length);
        // Two bytes of padding, kind, length: the blocks follow.
        let removed = if length > 12 { 8 } else { length };
        self.bytes.copy_within(end..self.length, end - removed);
        self.length -= removed;
        if removed == 8 {
            let length_at = self.bytes.get(at..end).and_then(|option| {
                option
                    .iter()
                    .position(|&kind| kind == KIND_SACK)
                    .map(|kind| at + kind + 1)
            })?;
            let byte = self.bytes.get_mut(length_at)?;
            *byte = byte.checked_sub(8)?;
        }
        Some(())
    }

    fn header(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

/// Writes `edit` into an outgoing segment whose data begins with its TCP header.
///
/// # Safety
///
/// `skb` is owned by the caller, `skb->data` is its TCP header in one piece, `skb->sk` the socket
/// or request that sends it, and its checksum is still to be completed.
pub(crate) unsafe fn rewrite_transport(skb: *mut bindings::sk_buff, edit: &OptionEdit) -> Result {
    if edit.is_empty() {
        return Ok(());
    }
    // SAFETY: By the caller's promise.
    let old = unsafe { Header::new((*skb).data.cast()) };
    let mut new = Rewrite::new(old.0, edit.padded()).ok_or(ENOSPC)?;
    if let Some(window) = edit.window {
        new.bytes
            .get_mut(14..16)
            .ok_or(EINVAL)?
            .copy_from_slice(&window.to_be_bytes());
    }
    let (old_length, length) = (old.length(), new.length);
    // SAFETY: `skb_cow_head` makes the header ours; push and pull stay inside the head that it
    // made room in, and the header's bytes are written into that room.
    unsafe {
        let more = c_uint::try_from(length.saturating_sub(old_length)).map_err(|_| EINVAL)?;
        kernel::error::to_result(bindings::knet_helper_skb_cow_head(skb, more))?;
        if length >= old_length {
            bindings::skb_push(skb, more);
        } else {
            bindings::skb_pull(skb, (old_length - length) as c_uint);
        }
        core::ptr::copy_nonoverlapping(new.header().as_ptr(), (*skb).data, length);
        bindings::knet_helper_reset_transport_header(skb);
        bindings::knet_helper_partial_checksum(skb, (*skb).data.cast());
    }
    Ok(())
}

/// Writes `edit` into a segment without data whose data begins with its IP header.
///
/// # Safety
///
/// As for [`rewrite_transport`], but `skb->data` is the IP header of `ip_length` bytes that is
/// followed by the TCP header, all in one piece.
pub(crate) unsafe fn rewrite_packet(
    skb: *mut bindings::sk_buff,
    ip_length: usize,
    ipv6: bool,
    edit: &OptionEdit,
) -> Result {
    let added = c_uint::try_from(edit.padded().len()).map_err(|_| EINVAL)?;
    if added == 0 {
        return Ok(());
    }
    // SAFETY: By the caller's promise.
    let old = unsafe { Header::new((*skb).data.add(ip_length).cast()) };
    let old_length = old.length();
    let new = Rewrite::new(old.0, edit.padded()).ok_or(ENOSPC)?;
    if new.length != old_length + added as usize {
        // Nothing may be dropped from the options of a SYN/ACK.
        return Err(ENOSPC);
    }
    // SAFETY: `skb_cow_head` makes headers ours with room for `added` more bytes; the IP header is
    // moved to the new start and the TCP header written behind it.
    unsafe {
        kernel::error::to_result(bindings::knet_helper_skb_cow_head(skb, added))?;
        bindings::skb_push(skb, added);
        let start = (*skb).data;
        core::ptr::copy(start.add(added as usize), start, ip_length);
        core::ptr::copy_nonoverlapping(new.header().as_ptr(), start.add(ip_length), new.length);
        bindings::knet_helper_reset_headers(skb, ip_length as c_uint);
        bindings::knet_helper_fix_ip_length(skb, ipv6);
        bindings::knet_helper_partial_checksum(skb, start.add(ip_length).cast());
    }
    Ok(())
}

/// A handshake with a listener, seen from its request.
pub struct Handshake {
    /// Addresses and ports.
    pub tuple: Tuple,
    /// Initial sequence number of the listener's side.
    pub local_isn: u32,
    /// Initial sequence number of the peer.
    pub remote_isn: u32,
}

/// A SYN that a listener answers.
pub struct SynAck<'a> {
    /// The handshake.
    pub handshake: Handshake,
    /// The options of the peer's SYN; `None` if they are not known any more (SYN cookies).
    pub syn_options: Option<&'a [u8]>,
    /// Option space that the SYN/ACK has free, in bytes.
    pub free: usize,
}

/// A connection that a listener is about to get.
pub struct ChildRequest<'a> {
    /// The handshake.
    pub handshake: Handshake,
    /// The options of the peer's SYN; `None` if they are not known any more (SYN cookies).
    pub syn_options: Option<&'a [u8]>,
    /// The segment that ends the handshake.
    pub segment: Incoming<'a>,
}

impl Handshake {
    /// # Safety
    ///
    /// `request` is a live TCP request socket.
    pub(crate) unsafe fn new(request: *mut bindings::request_sock) -> Self {
        // SAFETY: By the caller's promise; a TCP request begins with an inet request.
        unsafe {
            let tcp = bindings::knet_helper_tcp_rsk(request);
            let inet = request.cast::<bindings::inet_request_sock>();
            let common = &(*request).__req_common;
            let (local, remote) = if common.skc_family == crate::sock::AF_INET6 {
                (
                    Address::V6(common.skc_v6_rcv_saddr.in6_u.u6_addr8),
                    Address::V6(common.skc_v6_daddr.in6_u.u6_addr8),
                )
            } else {
                let pair = &common.__bindgen_anon_1.__bindgen_anon_1;
                (
                    Address::V4(pair.skc_rcv_saddr.to_ne_bytes()),
                    Address::V4(pair.skc_daddr.to_ne_bytes()),
                )
            };
            let ports = &(*inet).req.__req_common.__bindgen_anon_3.__bindgen_anon_1;
            Self {
                tuple: Tuple {
                    local,
                    remote,
                    local_port: ports.skc_num,
                    remote_port: u16::from_be(ports.skc_dport),
                },
                local_isn: (*tcp).snt_isn,
                remote_isn: (*tcp).rcv_isn,
            }
        }
    }
}
