// SPDX-License-Identifier: GPL-2.0

//! What passes between an application and a meta-socket: messages, waiting, polling.

use crate::bindings;
use crate::fragments::Written;
use crate::meta::{DataGuard, OwnerGuard, Protocol};
use crate::skb::Packet;
use crate::sock::Sock;
use crate::spares::SPARES;
use core::marker::PhantomData;
use core::ptr::{addr_of, addr_of_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;

/// Flags of `send` and `recv` (`MSG_*`).
pub mod flag {
    use crate::bindings;
    /// Look at data without taking it.
    pub const PEEK: u32 = bindings::MSG_PEEK;
    /// Wait for all bytes.
    pub const WAITALL: u32 = bindings::MSG_WAITALL;
    /// Do not wait.
    pub const DONTWAIT: u32 = bindings::MSG_DONTWAIT;
    /// Throw data away.
    pub const TRUNC: u32 = bindings::MSG_TRUNC;
    /// Out-of-band data.
    pub const OOB: u32 = bindings::MSG_OOB;
    /// More data follows soon.
    pub const MORE: u32 = bindings::MSG_MORE;
    /// Send data in the SYN.
    pub const FASTOPEN: u32 = bindings::MSG_FASTOPEN;
    /// Read the error queue.
    pub const ERRQUEUE: u32 = bindings::MSG_ERRQUEUE;
}

/// Commands of `ioctl` that a stream answers.
pub mod ioctl {
    use crate::bindings;
    /// Bytes that can be received.
    pub const INQ: u32 = bindings::SIOCINQ;
    /// Bytes that are not acknowledged.
    pub const OUTQ: u32 = bindings::SIOCOUTQ;
    /// Bytes that were not sent.
    pub const OUTQNSD: u32 = bindings::SIOCOUTQNSD;
}

/// Events of `poll` (`EPOLL*`).
pub mod event {
    /// Data, end of stream, or a connection to accept.
    pub const IN: u32 = 0x0001 | 0x0040;
    /// Room to write.
    pub const OUT: u32 = 0x0004 | 0x0100;
    /// An error is pending.
    pub const ERR: u32 = 0x0008;
    /// Both directions are shut.
    pub const HUP: u32 = 0x0010;
    /// The peer sends no more.
    pub const RDHUP: u32 = 0x2000;
}

/// A message that an application sends or a buffer in which it receives.
pub struct Message<'a> {
    msg: NonNull<bindings::msghdr>,
    /// Flags as passed ([`flag`]).
    pub flags: u32,
    /// Bytes of the whole message or buffer.
    pub len: usize,
    _lifetime: PhantomData<&'a mut bindings::msghdr>,
}

impl Message<'_> {
    /// # Safety
    ///
    /// `msg` is a live message header that the caller may use until the value is dropped.
    pub(crate) unsafe fn new(msg: *mut bindings::msghdr, flags: u32, len: usize) -> Self {
        Self {
            // SAFETY: By the caller's promise it is not null.
            msg: unsafe { NonNull::new_unchecked(msg) },
            flags,
            len,
            _lifetime: PhantomData,
        }
    }

    /// Whether a flag was passed.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Bytes that are still to be sent or that the buffer still has room for.
    pub fn left(&self) -> usize {
        // SAFETY: The header is live, and every iterator has the count.
        unsafe {
            let iterator = addr_of!((*self.msg.as_ptr()).msg_iter.__bindgen_anon_1);
            (*iterator).__bindgen_anon_1.as_ref().count
        }
    }

    /// Copies up to `max` bytes of the message into a page. `None`: no memory for a page now.
    pub fn copy_in<P: Protocol>(
        &mut self,
        owner: &mut OwnerGuard<'_, P>,
        max: usize,
    ) -> Result<Option<Written>> {
        // SAFETY: The socket is owned, so its page fragment (or the task's) is ours to use; the
        // copy stays inside the fragment.
        unsafe {
            let sk = owner.sk();
            let fragment = bindings::knet_helper_sk_page_frag(sk);
            SPARES.refill(NonNull::new(fragment).ok_or(ENOMEM)?);
            if !bindings::sk_page_frag_refill(sk, fragment) {
                return Ok(None);
            }
            let room = (*fragment).size.saturating_sub((*fragment).offset) as usize;
            let bytes = self.left().min(max).min(room);
            let copied = bindings::knet_helper_copy_from_iter_to_page(
                (*fragment).page,
                (*fragment).offset as usize,
                bytes,
                addr_of_mut!((*self.msg.as_ptr()).msg_iter),
            );
            if copied == 0 {
                return Err(EFAULT);
            }
            let written = Written {
                page: NonNull::new((*fragment).page).ok_or(ENOMEM)?,
                offset: (*fragment).offset,
                len: copied as u32,
            };
            (*fragment).offset = (*fragment).offset.saturating_add(copied as u32);
            Ok(Some(written))
        }
    }

    /// Copies bytes of a packet into the buffer.
    pub fn copy_out(&mut self, packet: &Packet, offset: u32, len: u32) -> Result {
        // SAFETY: The packet and the header are live; the kernel checks the range.
        to_result(unsafe {
            bindings::knet_helper_skb_copy_datagram_msg(
                packet.as_ptr(),
                offset as c_int,
                self.msg.as_ptr(),
                len as c_int,
            )
        })
    }

    /// Tells the application when a packet arrived, in the form in which it asked `sock` for that.
    pub fn tell_arrival(&mut self, sock: &Sock, packet: &Packet) {
        // SAFETY: All three are live, and the packet is ours to change.
        unsafe {
            bindings::__sock_recv_timestamp(self.msg.as_ptr(), sock.as_ptr(), packet.as_ptr());
        }
    }

    /// Tells the application how many bytes there are still to be received (TCP_CM_INQ).
    pub fn tell_readable(&mut self, bytes: i32) {
        // SAFETY: The header is live. Where there is no room for it the kernel notes that in the header.
        unsafe {
            bindings::put_cmsg(
                self.msg.as_ptr(),
                bindings::SOL_TCP as c_int,
                bindings::TCP_CM_INQ as c_int,
                size_of::<i32>() as c_int,
                core::ptr::from_ref(&bytes).cast_mut().cast(),
            );
        }
    }
}

/// Whether a signal waits for the current task.
pub fn signal_pending() -> bool {
    // SAFETY: There is a current task in process context, and an idle task otherwise.
    unsafe { bindings::knet_helper_signal_pending() }
}

/// The error for a wait that a signal ended, with `timeout` jiffies left.
pub fn interrupted(timeout: c_long) -> Error {
    // SAFETY: A pure function.
    Error::from_errno(unsafe { bindings::knet_helper_sock_intr_errno(timeout) })
}

impl<P: Protocol> OwnerGuard<'_, P> {
    /// Gives the lock up until there is data, an error or the end of the stream, or `timeout`
    /// jiffies pass.
    pub fn wait_for_data(&mut self, timeout: &mut c_long) {
        // SAFETY: The socket is owned by this process.
        unsafe {
            bindings::knet_helper_wait_for_data(self.sk(), timeout);
        }
    }

    /// Gives the lock up until nothing that was written waits for the peer, or `timeout` jiffies
    /// pass.
    pub fn wait_for_close(&mut self, timeout: c_long) {
        // SAFETY: The socket is owned by this process.
        unsafe { bindings::knet_helper_wait_for_close(self.sk(), timeout) }
    }

    /// Gives the lock up until there is room to send.
    pub fn wait_for_room(&mut self, timeout: &mut c_long) -> Result {
        // SAFETY: The socket is owned by this process.
        to_result(unsafe { bindings::sk_stream_wait_memory(self.sk(), timeout) })
    }

    /// Gives the lock up until the socket is connected.
    pub fn wait_for_connection(&mut self, timeout: &mut c_long) -> Result {
        // SAFETY: The socket is owned by this process.
        to_result(unsafe { bindings::sk_stream_wait_connect(self.sk(), timeout) })
    }

    /// The error that a failed send returns, with the signal that goes with EPIPE.
    pub fn send_error(&mut self, flags: u32, error: Error) -> Error {
        // SAFETY: The socket is owned by this process.
        Error::from_errno(unsafe {
            bindings::sk_stream_error(self.sk(), flags as c_int, error.to_errno())
        })
    }

    /// Says that writers wait for room.
    pub fn announce_no_room(&mut self) {
        // SAFETY: The socket is live.
        unsafe { bindings::knet_helper_set_nospace(self.sk()) }
    }

    /// Lets the socket go on without application.
    pub fn orphan(&mut self) {
        // SAFETY: The socket is owned by this process.
        unsafe { bindings::knet_helper_sock_orphan(self.sk()) }
    }
}

/// Bytes that a socket keeps reserved for what it will send and receive next. To give each byte back
/// at once and reserve it again costs more than the copy of a small message.
const KEPT: c_int = 16 * 1024;

/// Gives bytes back that were reserved and charged.
///
/// # Safety
///
/// `sk` is a live socket whose spinlock is held.
pub(crate) unsafe fn uncharge(sk: *mut bindings::sock, bytes: c_int) {
    // SAFETY: By the caller's promise; the spinlock guards the reserve.
    unsafe {
        bindings::knet_helper_sk_forward_alloc_add(sk, bytes);
        if (*sk).sk_forward_alloc > KEPT {
            bindings::knet_helper_sk_mem_reclaim(sk);
        }
    }
}

impl<P: Protocol> DataGuard<'_, P> {
    /// Reserves memory for `bytes` that are to be sent and counts them as queued; `false` if the
    /// system has none.
    pub fn charge_send(&mut self, bytes: u32) -> bool {
        // SAFETY: The data lock guards the socket's memory accounts.
        unsafe {
            let sk = self.sk();
            if !bindings::knet_helper_sk_wmem_schedule(sk, bytes as c_int) {
                return false;
            }
            bindings::knet_helper_sk_wmem_queued_add(sk, bytes as c_int);
            bindings::knet_helper_sk_mem_charge(sk, bytes as c_int);
            true
        }
    }

    /// Gives back what [`Self::charge_send`] took.
    pub fn uncharge_send(&mut self, bytes: u64) {
        // SAFETY: As above.
        unsafe {
            let sk = self.sk();
            let bytes = bytes.min(c_int::MAX as u64) as c_int;
            bindings::knet_helper_sk_wmem_queued_add(sk, bytes.wrapping_neg());
            uncharge(sk, bytes);
        }
    }
}

/// The table of a `poll` call.
pub struct PollTable<'a> {
    file: *mut bindings::file,
    socket: *mut bindings::socket,
    table: *mut bindings::poll_table,
    _lifetime: PhantomData<&'a ()>,
}

impl PollTable<'_> {
    /// # Safety
    ///
    /// The pointers are those of a `poll` call that outlives the value.
    pub(crate) unsafe fn new(
        file: *mut bindings::file,
        socket: *mut bindings::socket,
        table: *mut bindings::poll_table,
    ) -> Self {
        Self {
            file,
            socket,
            table,
            _lifetime: PhantomData,
        }
    }

    /// Registers the caller with the socket's wait queue, and orders what was read before.
    pub fn wait(&mut self) {
        // SAFETY: By the contract of `new`.
        unsafe { bindings::knet_helper_sock_poll_wait(self.file, self.socket, self.table) }
    }

    /// Says that the caller waits for room.
    pub fn announce_no_room(&mut self) {
        // SAFETY: By the contract of `new` the socket is open.
        unsafe { bindings::knet_helper_set_nospace((*self.socket).sk) }
    }
}
