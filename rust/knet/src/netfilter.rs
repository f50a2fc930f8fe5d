// SPDX-License-Identifier: GPL-2.0

//! Netfilter hooks: segments that arrive before TCP sees them, and SYN/ACKs before they leave.
//!
//! C header: `include/linux/netfilter.h`.

use crate::bindings;
use crate::context::Context;
use crate::joining::{is_acceptor, Acceptors};
use crate::meta::Protocol;
use crate::netns::Net;
use crate::protocol::{Rst, SynFate, Verdict};
use crate::rewrite::rewrite_packet;
use crate::segment::{
    CookieSynAck,
    Handshake,
    Header,
    Incoming,
    OptionEdit,
    Syn,
    SynAck,
    HEADER, //
};
use crate::sock::{Address, Sock, State, Tuple};
use core::ptr::NonNull;
use kernel::prelude::*;

const ACCEPT: c_uint = bindings::NF_ACCEPT;
const DROP: c_uint = bindings::NF_DROP;
const KIND_MPTCP: u8 = 30;

/// The hooks of one network namespace. Dropping it takes them out.
pub struct Hooks {
    net: NonNull<bindings::net>,
    ops: KBox<[bindings::nf_hook_ops; 4]>,
    /// Where SYNs go that join a connection; the hooks point to it.
    _acceptors: KBox<Acceptors>,
}

// SAFETY: Registration and removal are synchronised by netfilter; the array is not touched.
unsafe impl Send for Hooks {}
// SAFETY: As above.
unsafe impl Sync for Hooks {}

impl Hooks {
    /// Registers the hooks of `P` in a namespace. For [`crate::netns::PerNet::Services`], which are
    /// dropped before their namespace ends.
    pub fn register<P: Protocol>(net: &Net) -> Result<Self> {
        let acceptors = KBox::new(Acceptors::open::<P>(net)?, GFP_KERNEL)?;
        let private = core::ptr::from_ref::<Acceptors>(&acceptors);
        let net = NonNull::new(net.as_raw()).ok_or(EINVAL)?;
        let entry = |hook: bindings::nf_hookfn, ipv6: bool, point| bindings::nf_hook_ops {
            hook,
            pf: if ipv6 {
                bindings::NFPROTO_IPV6
            } else {
                bindings::NFPROTO_IPV4
            } as u8,
            hooknum: point,
            priority: c_int::MAX,
            priv_: private.cast_mut().cast(),
            ..Default::default()
        };
        let (local_in, local_out) = (
            bindings::nf_inet_hooks_NF_INET_LOCAL_IN,
            bindings::nf_inet_hooks_NF_INET_LOCAL_OUT,
        );
        let ops = KBox::new(
            [
                entry(Some(arrived::<P, false>), false, local_in),
                entry(Some(arrived::<P, true>), true, local_in),
                entry(Some(leaving::<P, false>), false, local_out),
                entry(Some(leaving::<P, true>), true, local_out),
            ],
            GFP_KERNEL,
        )?;
        // SAFETY: The array has four entries and lives until the hooks are taken out.
        kernel::error::to_result(unsafe {
            bindings::nf_register_net_hooks(net.as_ptr(), ops.as_ptr(), 4)
        })?;
        Ok(Self {
            net,
            ops,
            _acceptors: acceptors,
        })
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`; the namespace still lives by its contract.
        unsafe { bindings::nf_unregister_net_hooks(self.net.as_ptr(), self.ops.as_ptr(), 4) }
    }
}

/// Where TCP's header lies in a packet that begins with its IP header: offset, and the bytes of
/// TCP header and data.
///
/// # Safety
///
/// `skb` is a live IPv4 or IPv6 packet whose data begins with its IP header in one piece.
unsafe fn transport<const IPV6: bool>(skb: *mut bindings::sk_buff) -> Option<(u32, u32)> {
    // SAFETY: By the caller's promise.
    unsafe {
        let ip = (*skb).data;
        if IPV6 {
            // The stack has set the transport header behind all extension headers.
            let header = ip.cast::<bindings::ipv6hdr>();
            let offset = bindings::knet_helper_transport_offset(skb);
            let extensions = offset.checked_sub(40)?;
            if extensions == 0 && (*header).nexthdr != bindings::IPPROTO_TCP as u8 {
                return None;
            }
            let payload = u32::from(u16::from_be((*header).payload_len));
            let total = if payload == 0 {
                (*skb).len.checked_sub(40)?
            } else {
                payload
            };
            Some((offset, total.checked_sub(extensions)?))
        } else {
            let header = ip.cast::<bindings::iphdr>();
            if (*header).protocol != bindings::IPPROTO_TCP as u8 {
                return None;
            }
            let offset = u32::from(ip.read() & 0x0f) * 4;
            let total = u32::from(u16::from_be((*header).tot_len));
            let total = if total == 0 { (*skb).len } else { total };
            Some((offset, total.checked_sub(offset)?))
        }
    }
}

/// Whether `options` can hold an MPTCP option: the common timestamps-only layout cannot.
fn may_speak_mptcp(options: &[u8]) -> bool {
    match options {
        [] | [1, 1, 8, 10, _, _, _, _, _, _, _, _] => false,
        _ => options.contains(&KIND_MPTCP),
    }
}

/// A packet for this host. Softirq (or process context with softirqs off), under RCU.
///
/// # Safety
///
/// Netfilter passes a live packet that begins with its checked IP header, inside an RCU read-side
/// section.
unsafe extern "C" fn arrived<P: Protocol, const IPV6: bool>(
    private: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: Netfilter passes a live packet that begins with its checked IP header; headers are
    // pulled into one piece before they are read. The socket is held by the packet or by the
    // look-up below.
    unsafe {
        let Some((offset, total)) = transport::<IPV6>(skb) else {
            return ACCEPT;
        };
        if !bindings::knet_helper_pskb_may_pull(skb, offset.saturating_add(HEADER as u32)) {
            return ACCEPT;
        }
        let at = (*skb).data.add(offset as usize);
        let length = u32::from(at.add(12).read() >> 4) * 4;
        if length <= HEADER as u32
            || total < length
            || !bindings::knet_helper_pskb_may_pull(skb, offset.saturating_add(length))
        {
            return ACCEPT;
        }
        let at = (*skb).data.add(offset as usize).cast::<bindings::tcphdr>();
        let header = Header::new(at);
        if !may_speak_mptcp(header.options()) {
            return ACCEPT;
        }
        if header.flags().syn() {
            if !header.flags().ack() {
                let (source, destination) = addresses::<IPV6>((*skb).data);
                let syn = Syn {
                    tuple: Tuple {
                        local: destination,
                        remote: source,
                        local_port: header.destination_port(),
                        remote_port: header.source_port(),
                    },
                    remote_isn: header.seq(),
                    options: header.options(),
                };
                return match P::syn_arrived(Net::from_raw((*state).net), &syn) {
                    SynFate::Pass => ACCEPT,
                    SynFate::Join => {
                        (*private.cast::<Acceptors>()).take(skb, IPV6);
                        ACCEPT
                    }
                    SynFate::Refused(rst) => {
                        let payload = total.saturating_sub(length);
                        let segment = header.incoming(skb, IPV6, offset, payload, skb);
                        if segment.checksum_is_right() {
                            (*private.cast::<Acceptors>()).refuse(skb, IPV6, offset, rst);
                        }
                        DROP
                    }
                    SynFate::Unknown(rst) => {
                        let payload = total.saturating_sub(length);
                        let segment = header.incoming(skb, IPV6, offset, payload, skb);
                        refuse::<P, IPV6>(skb, &*state, at, &segment, rst)
                    }
                };
            }
            return ACCEPT;
        }
        let early = (*skb).sk;
        let found = if early.is_null() {
            bindings::knet_helper_lookup_established(skb, at, IPV6)
        } else {
            core::ptr::null_mut()
        };
        let sk = if early.is_null() { found } else { early };
        let mut verdict = Verdict::Accept;
        let mut known = false;
        let payload = total.saturating_sub(length);
        if !sk.is_null() && bindings::knet_helper_sk_fullsock(sk) {
            let is_tcp = (*sk).sk_protocol == bindings::IPPROTO_TCP as u16;
            let context = Context::<P>::of(sk).filter(|_| is_tcp);
            known = context.is_some();
            match context.map(Context::meta) {
                Some(Some(meta)) => {
                    let segment = header.incoming(skb, IPV6, offset, payload, skb);
                    verdict = P::arrived(meta, Sock::from_ptr(sk), &segment);
                }
                // Another CPU is making the child's meta-socket. Nobody can note the mapping of
                // this data, and without it the data means nothing; the peer sends both again.
                Some(None) if payload > 0 => verdict = Verdict::Drop,
                _ => {}
            }
        }
        if !found.is_null() {
            bindings::knet_helper_sock_gen_put(found);
        }
        if !known && header.flags().rst() {
            let segment = header.incoming(skb, IPV6, offset, payload, skb);
            P::stray_reset(Net::from_raw((*state).net), &segment);
        }
        match verdict {
            Verdict::Accept => ACCEPT,
            Verdict::Drop => DROP,
        }
    }
}

/// A SYN wants to join a connection that nobody knows: if a listener of ours would get it, answers with
/// a RST.
///
/// # Safety
///
/// As for [`arrived`]; `at` is the packet's TCP header, which `segment` describes.
unsafe fn refuse<P: Protocol, const IPV6: bool>(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
    at: *const bindings::tcphdr,
    segment: &Incoming<'_>,
    rst: Rst,
) -> c_uint {
    // SAFETY: By the caller's promise; a listener that was looked up lives until the end of the RCU
    // read-side section.
    unsafe {
        let listener = bindings::knet_helper_listener_of_syn(state, skb, at, IPV6);
        let ours = !listener.is_null()
            && (*listener).sk_protocol == bindings::IPPROTO_TCP as u16
            && Context::<P>::of(listener).is_some();
        if !ours || !segment.checksum_is_right() {
            return ACCEPT;
        }
        bindings::knet_helper_send_reset(listener, skb, segment.offset, rst.reason, rst.transient);
        DROP
    }
}

/// Source and destination in an IP header.
///
/// # Safety
///
/// `ip` points to a whole IPv4 or IPv6 header, as `IPV6` says.
unsafe fn addresses<const IPV6: bool>(ip: *const u8) -> (Address, Address) {
    // SAFETY: By the caller's promise; the arrays lie where the header has its addresses.
    unsafe {
        if IPV6 {
            let source = ip.add(8).cast::<[u8; 16]>().read();
            let destination = ip.add(24).cast::<[u8; 16]>().read();
            (Address::V6(source), Address::V6(destination))
        } else {
            let source = ip.add(12).cast::<[u8; 4]>().read();
            let destination = ip.add(16).cast::<[u8; 4]>().read();
            (Address::V4(source), Address::V4(destination))
        }
    }
}

/// A packet of this host. Only SYN/ACKs of our listeners are touched. Under RCU.
///
/// # Safety
///
/// Netfilter passes a live packet of this host that begins with its IP header and owns a reference
/// to its socket or request, inside an RCU read-side section.
unsafe extern "C" fn leaving<P: Protocol, const IPV6: bool>(
    _private: *mut c_void,
    skb: *mut bindings::sk_buff,
    state: *const bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: Netfilter passes a live packet that begins with its IP header and was built by this
    // host in one piece; it owns a reference to its socket or request.
    unsafe {
        let sk = (*skb).sk;
        if sk.is_null() {
            return cookie_leaves::<P, IPV6>(skb, &*state);
        }
        if (*sk.cast::<bindings::sock_common>()).skc_state != State::NewSynRecv as u8 {
            return ACCEPT;
        }
        let request = bindings::knet_helper_inet_reqsk(sk);
        let listener = bindings::knet_helper_rsk_listener(request);
        let joins = is_acceptor(listener);
        let meta = Context::<P>::of(listener).and_then(Context::meta);
        if meta.is_none() && !joins {
            return ACCEPT;
        }
        let Some((offset, header)) = syn_ack::<IPV6>(skb) else {
            return ACCEPT;
        };
        let syn = SynAck {
            handshake: Handshake::new(request),
            syn_options: saved_options(request),
            free: header.free(),
        };
        let mut edit = OptionEdit::new();
        match meta {
            Some(meta) => P::answer_syn(meta, &syn, &mut edit),
            None => P::answer_join(Net::from_raw((*state).net), &syn, &mut edit),
        }
        match rewrite_packet(skb, offset, IPV6, &edit) {
            Ok(()) => ACCEPT,
            Err(_) => DROP,
        }
    }
}

/// A packet leaves that belongs to no socket. The SYN/ACK with a SYN cookie is such a packet.
///
/// # Safety
///
/// As for [`leaving`].
unsafe fn cookie_leaves<P: Protocol, const IPV6: bool>(
    skb: *mut bindings::sk_buff,
    state: &bindings::nf_hook_state,
) -> c_uint {
    // SAFETY: By the caller's promise. A listener that was looked up lives until the end of the
    // RCU read-side section.
    unsafe {
        let Some((offset, header)) = syn_ack::<IPV6>(skb) else {
            return ACCEPT;
        };
        // IPv6 passes the sender on, IPv4 does not.
        let listener = if IPV6 {
            state.sk
        } else {
            bindings::knet_helper_lookup_listener(state, skb, header.bytes().as_ptr().cast())
        };
        if listener.is_null()
            || (*listener.cast::<bindings::sock_common>()).skc_state != State::Listen as u8
            || (*listener).sk_protocol != bindings::IPPROTO_TCP as u16
        {
            return ACCEPT;
        }
        let Some(meta) = Context::<P>::of(listener).and_then(Context::meta) else {
            return ACCEPT;
        };
        let (local, remote) = addresses::<IPV6>((*skb).data);
        let syn = CookieSynAck {
            handshake: Handshake {
                tuple: Tuple {
                    local,
                    remote,
                    local_port: header.source_port(),
                    remote_port: header.destination_port(),
                },
                local_isn: header.seq(),
                remote_isn: header.ack().wrapping_sub(1),
            },
            free: header.free(),
        };
        let mut edit = OptionEdit::new();
        P::answer_with_cookie(meta, &syn, &mut edit);
        match rewrite_packet(skb, offset, IPV6, &edit) {
            Ok(()) => ACCEPT,
            Err(_) => DROP,
        }
    }
}

/// The TCP header of a SYN/ACK that this host sends, and where it lies in the packet.
///
/// # Safety
///
/// As for [`leaving`]; the header is not changed during `'a`.
unsafe fn syn_ack<'a, const IPV6: bool>(
    skb: *mut bindings::sk_buff,
) -> Option<(usize, Header<'a>)> {
    // SAFETY: By the caller's promise the packet is in one piece.
    unsafe {
        let (offset, _) = transport::<IPV6>(skb)?;
        let header = Header::new((*skb).data.add(offset as usize).cast());
        let flags = header.flags();
        (flags.syn() && flags.ack()).then_some((offset as usize, header))
    }
}

/// The options of the SYN that a request remembers.
///
/// # Safety
///
/// `request` is a live request; what it saved lives as long.
pub(crate) unsafe fn saved_options<'a>(request: *mut bindings::request_sock) -> Option<&'a [u8]> {
    // SAFETY: By the caller's promise.
    unsafe { options_of_saved((*request).saved_syn) }
}

/// The options of a saved SYN.
///
/// # Safety
///
/// `saved` is null or points to the lengths of three headers with those headers behind them.
pub(crate) unsafe fn options_of_saved<'a>(saved: *const bindings::saved_syn) -> Option<&'a [u8]> {
    // SAFETY: By the caller's promise.
    let lengths = unsafe { saved.as_ref()? };
    let before = (lengths.mac_hdrlen as usize)
        .saturating_add(lengths.network_hdrlen as usize)
        .saturating_add(HEADER);
    let length = (lengths.tcp_hdrlen as usize).checked_sub(HEADER)?;
    // SAFETY: By the caller's promise `tcp_hdrlen` bytes lie behind the other two headers.
    unsafe {
        let data = core::ptr::addr_of!((*saved).data).cast::<u8>();
        Some(core::slice::from_raw_parts(data.add(before), length))
    }
}
