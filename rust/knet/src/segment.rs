// SPDX-License-Identifier: GPL-2.0

//! TCP segments at the hooks: what they say, and how their options are changed.

use crate::bindings;
use crate::rewrite::{droppable, timestamps};
use crate::sock::{Address, Tuple};
use core::ptr::NonNull;

/// Length of a TCP header without options, in bytes.
pub const HEADER: usize = 20;
/// Room for options in a TCP header, in bytes.
pub const OPTION_SPACE: usize = 40;

const KIND_NOP: u8 = 1;

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
pub struct Outgoing<'a> {
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
    /// The options that TCP wrote.
    pub(crate) options: &'a [u8],
}

impl Outgoing<'_> {
    /// Option space that would become free if all SACK blocks were dropped, in bytes.
    pub fn droppable(&self) -> usize {
        droppable(self.options)
    }

    /// Option space that would become free if the timestamps were dropped, in bytes.
    pub fn timestamps(&self) -> usize {
        timestamps(self.options)
    }
}

/// What to change in the header of an outgoing segment.
pub struct OptionEdit {
    options: [u8; OPTION_SPACE],
    length: usize,
    /// The window field to write instead of TCP's, before scaling was applied, in units of
    /// `1 << wscale`; `None` leaves TCP's.
    pub window: Option<u16>,
    /// Whether the timestamps go away.
    pub drop_timestamps: bool,
}

impl OptionEdit {
    pub(crate) const fn new() -> Self {
        Self {
            options: [KIND_NOP; OPTION_SPACE],
            length: 0,
            window: None,
            drop_timestamps: false,
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

    /// The options, padded to whole words.
    pub(crate) fn padded(&self) -> &[u8] {
        let padded = self.length.saturating_add(3) & !3;
        self.options.get(..padded).unwrap_or(&[])
    }

    /// Whether nothing is to be changed.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0 && self.window.is_none() && !self.drop_timestamps
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
    /// The packet that it came in, which lives during `'a`.
    packet: *const bindings::sk_buff,
}

impl Incoming<'_> {
    /// The hash by which the packet's flow is looked up; zero if nobody computed one.
    pub fn hash(&self) -> u32 {
        // SAFETY: The packet is live during the hook.
        unsafe { bindings::knet_helper_skb_hash(self.packet) }
    }

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

    /// The word of four bytes at `at` in host byte order.
    fn word(&self, at: usize) -> u32 {
        match self.0.get(at..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u32::from_be_bytes(*bytes),
            None => 0,
        }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Option space that is free, in bytes.
    pub(crate) fn free(&self) -> usize {
        (HEADER + OPTION_SPACE).saturating_sub(self.length())
    }

    pub(crate) fn length(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn seq(&self) -> u32 {
        self.word(4)
    }

    pub(crate) fn source_port(&self) -> u16 {
        (self.word(0) >> 16) as u16
    }

    pub(crate) fn destination_port(&self) -> u16 {
        (self.word(0) & 0xffff) as u16
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
        packet: *const bindings::sk_buff,
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
            packet,
        }
    }
}

/// A handshake with a listener, seen from its request.
#[derive(Clone, Copy)]
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

/// A SYN on its way to whoever listens.
pub struct Syn<'a> {
    /// Addresses and ports, ours as the local ones.
    pub tuple: Tuple,
    /// Initial sequence number of the peer.
    pub remote_isn: u32,
    /// Its options.
    pub options: &'a [u8],
}

/// A SYN/ACK for which no request is kept, because its sequence number is a SYN cookie.
pub struct CookieSynAck {
    /// The handshake.
    pub handshake: Handshake,
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
