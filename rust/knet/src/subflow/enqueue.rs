// SPDX-License-Identifier: GPL-2.0

//! The short way into the write queue of a TCP socket.
//!
//! `tcp_sendmsg_locked` takes fragments apart into single pages, eight for one of 32 KB, and each
//! costs at the sender, at the receiver and on the way. Here a segment is built of whole fragments
//! and appended to the queue, as the kernel's own MPTCP does it. What is rare goes the long way.
//!
//! C header: `include/net/tcp.h`.

use crate::bindings;
use crate::fragments::Gathered;
use crate::skb::control_block;
use crate::sock::{shutdown, State};
use crate::subflow::Tcp;
use core::ptr::addr_of_mut;

/// Bursts shorter than this go the long way, on which TCP sends the first segment before it takes the
/// second: a receiver with next to no memory needs the time in between to read.
const SHORT: usize = 8 * 1024;

/// Bytes of data that TCP hands to the network layer in one go.
#[derive(Clone, Copy, Debug)]
pub struct Burst(usize);

impl Burst {
    /// Bytes of data up to which a piece becomes one segment in TCP's queue; of more than that, several are made.
    #[inline]
    pub fn largest_piece(self) -> u32 {
        match self {
            Self(burst) if burst < SHORT => u32::MAX,
            Self(burst) => u32::try_from(burst).unwrap_or(u32::MAX),
        }
    }
}

impl Tcp<'_> {
    /// Appends `pieces` to the write queue without copying, as segments of which the last ends a record.
    /// Returns how many bytes were taken; none if this is not the way for them: see [`Tcp::splice`].
    ///
    /// Nothing leaves before [`Tcp::ask_for_push`] is called, so the data lock may be held.
    pub fn enqueue(&mut self, pieces: &mut Gathered, burst: Burst) -> usize {
        let Burst(burst) = burst;
        if burst < SHORT || !self.may_enqueue(pieces) {
            return 0;
        }
        // SAFETY: The socket is live and locked.
        unsafe { bindings::tcp_rate_check_app_limited(self.as_ptr()) };
        let mut taken = 0usize;
        while !pieces.is_empty() && self.enqueue_segment(pieces, burst) {
            let len = pieces.len().min(burst);
            pieces.advance(len);
            taken = taken.saturating_add(len);
        }
        taken
    }

    /// Appends the first `burst` bytes of `pieces`, or all, as one segment. Returns whether there was
    /// memory for it.
    fn enqueue_segment(&mut self, pieces: &Gathered, burst: usize) -> bool {
        // SAFETY: The socket is live and locked. The segment is ours until it is in the queue.
        unsafe {
            let sk = self.as_ptr();
            let skb = bindings::knet_helper_alloc_segment(bindings::GFP_ATOMIC);
            if skb.is_null() {
                return false;
            }
            let mut left = burst;
            for (page, offset, len) in pieces.iter() {
                let len = left.min(len as usize);
                left = left.saturating_sub(len);
                if len > 0 {
                    bindings::knet_helper_segment_add_page(skb, page, offset, len as u32);
                }
            }
            let memory = i32::try_from((*skb).truesize).unwrap_or(i32::MAX);
            if !bindings::knet_helper_sk_wmem_schedule(sk, memory) {
                bindings::knet_helper_free_segment(skb);
                return false;
            }
            let seq = self.write_seq();
            let end = seq.wrapping_add((*skb).len);
            let cb = &mut *control_block(skb);
            (cb.seq, cb.end_seq) = (seq, end);
            cb.tcp_flags = u16::from(bindings::TCPHDR_ACK | bindings::TCPHDR_PSH);
            cb.set_eor(u8::from(pieces.len() <= burst));
            bindings::knet_helper_queue_segment(sk, skb);
            let tcp = sk.cast::<bindings::tcp_sock>();
            // The kernel reads it without lock too.
            addr_of_mut!((*tcp).write_seq).write_volatile(end);
            (*tcp).pushed_seq = end;
        }
        true
    }

    /// Whether [`Self::enqueue`] does all that `tcp_sendmsg_locked` would do.
    ///
    /// Not so after a pause, when TCP takes back its congestion window, and when there is no memory,
    /// of which TCP takes some for the first segment by force.
    fn may_enqueue(&self, pieces: &Gathered) -> bool {
        let alive = matches!(self.sock().state(), State::Established | State::CloseWait)
            && self.sock().peek_error() == 0
            && self.sock().shutdown() & shutdown::SEND == 0;
        // SAFETY: The socket is live and locked.
        let (idle, scatters, most) = unsafe {
            (
                bindings::knet_helper_was_idle(self.as_ptr()),
                bindings::knet_helper_can_scatter(self.as_ptr()),
                bindings::knet_helper_max_skb_frags(),
            )
        };
        alive
            && !pieces.is_empty()
            && self.tcp().repair() == 0
            && !idle
            && scatters
            && usize::try_from(most).is_ok_and(|most| pieces.count() <= most)
    }

    /// What TCP hands to the network layer in one go now: no more than half of the largest window that the peer
    /// ever offered, in whole segments if it can.
    fn burst(&self) -> Burst {
        // SAFETY: The socket is live and locked.
        let bytes = unsafe {
            let sk = self.as_ptr();
            let longest = i32::try_from((*sk).sk_gso_max_size).unwrap_or(i32::MAX);
            bindings::knet_helper_bound_to_half_window(sk, longest)
        };
        let (bytes, mss) = (u32::try_from(bytes).unwrap_or(0), self.mss().max(1));
        let rest = bytes.checked_rem(mss).unwrap_or(0);
        Burst(bytes.saturating_sub(rest).max(mss) as usize)
    }

    /// As [`Self::burst`], where no more than `bytes` bytes are to go: of one segment it need not be known.
    #[inline]
    pub fn burst_of(&self, bytes: u64) -> Burst {
        match bytes <= u64::from(self.mss()) {
            true => Burst(SHORT),
            false => self.burst(),
        }
    }

    /// Lets TCP send what its queue holds: now, or when the process that owns the lock gives it up. The
    /// data lock must be free.
    ///
    /// This is how TCP itself goes on when the packets of a socket have left the device. It does not
    /// look whether the window is closed, so the timer that asks for the window is set before.
    pub fn ask_for_push(&mut self) {
        let sk = self.as_ptr();
        // SAFETY: The socket is live and locked. The reference that goes with the flag is given
        // back by who works it off.
        unsafe {
            bindings::knet_helper_check_probe_timer(sk);
            if !bindings::knet_helper_ask_for_push(sk) {
                bindings::knet_helper_sock_hold(sk);
            }
            if !bindings::knet_helper_sock_owned_by_user(sk) {
                self.push_now();
            }
        }
    }

    /// Lets TCP send now what it would send when the lock is given up.
    pub(super) fn push_now(&mut self) {
        let sk = self.as_ptr();
        // SAFETY: The socket is live and locked; TCP expects softirqs off, which nest.
        unsafe {
            if !bindings::knet_helper_push_is_due(sk) {
                return;
            }
            if let Some(release) = (*(*sk).__sk_common.skc_prot).release_cb {
                bindings::knet_helper_local_bh_disable();
                release(sk);
                bindings::knet_helper_local_bh_enable();
            }
        }
    }
}
