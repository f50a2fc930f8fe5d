// SPDX-License-Identifier: GPL-2.0

//! The packets that an application may receive from a meta-socket (`sk_receive_queue`), and the memory
//! that they are charged for (`sk_rmem_alloc`).
//!
//! C header: `include/net/sock.h`.

use crate::bindings;
use crate::message::uncharge;
use crate::meta::{DataGuard, Protocol};
use crate::skb::{Packet, PacketQueue};
use core::mem::ManuallyDrop;
use core::ptr::{addr_of_mut, NonNull};
use kernel::prelude::*;

impl<P: Protocol> DataGuard<'_, P> {
    /// Sees to it that a packet which keeps `memory` bytes can be charged; `false` if the system has no
    /// memory for it. The promise holds until the lock is given up.
    pub fn reserve_receive(&mut self, memory: i32) -> bool {
        // SAFETY: The data lock guards the socket's memory accounts.
        unsafe { bindings::knet_helper_sk_rmem_schedule(self.sk(), memory) }
    }

    /// Counts a packet as waiting to be received. Without [`Self::reserve_receive`] the account is
    /// overdrawn until enough is given back.
    pub fn charge_receive(&mut self, memory: i32) {
        // SAFETY: As above.
        unsafe {
            bindings::knet_helper_rmem_add(self.sk(), memory);
            bindings::knet_helper_sk_mem_charge(self.sk(), memory);
        }
    }

    /// Gives back what [`Self::charge_receive`] took.
    pub fn uncharge_receive(&mut self, memory: i32) {
        // SAFETY: As above.
        unsafe {
            bindings::knet_helper_rmem_sub(self.sk(), memory);
            uncharge(self.sk(), memory);
        }
    }

    /// Appends a packet to those that the application may receive.
    pub fn push_received(&mut self, packet: Packet) {
        let skb = packet.as_ptr();
        core::mem::forget(packet);
        // SAFETY: The data lock guards the socket's receive queue; the packet is in no list.
        unsafe { bindings::knet_helper_skb_queue_tail(self.received(), skb) }
    }

    /// Lets the last packet that the application may receive take over `next`, as
    /// [`Packet::join`]. The packet is given back if that cannot be.
    pub fn join_received(&mut self, next: Packet, most: u32) -> Result<i32, Packet> {
        match self.last_received() {
            Some(mut last) => last.join(next, most),
            None => Err(next),
        }
    }

    /// Copies bytes of `next` to the last packet that the application may receive, as
    /// [`Packet::copy_from`]. Returns how many.
    pub fn copy_received(&mut self, next: &mut Packet) -> u32 {
        self.last_received()
            .map_or(0, |mut last| last.copy_from(next))
    }

    /// Moves all packets that the application may receive to `to`.
    pub fn take_received(&mut self, to: &mut PacketQueue) {
        // SAFETY: The data lock guards the queue, all of whose packets `push_received` put there.
        unsafe { to.append_list(self.received()) }
    }

    fn received(&mut self) -> *mut bindings::sk_buff_head {
        // SAFETY: The socket is live.
        unsafe { addr_of_mut!((*self.sk()).sk_receive_queue) }
    }

    /// The last packet, which stays in the queue: whoever has it must not exchange it for another.
    fn last_received(&mut self) -> Option<ManuallyDrop<Packet>> {
        // SAFETY: The data lock guards the queue.
        let last = unsafe { bindings::knet_helper_skb_peek_tail(self.received()) };
        NonNull::new(last).map(Packet::lend)
    }
}
