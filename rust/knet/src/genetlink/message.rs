// SPDX-License-Identifier: GPL-2.0

//! Messages to user space.
//!
//! C header: `include/net/genetlink.h`.

use super::{Family, Request};
use crate::bindings;
use crate::netns::Net;
use core::marker::PhantomData;
use core::ptr::NonNull;
use kernel::error::to_result;
use kernel::prelude::*;

/// A message to which attributes are added.
///
/// # Invariants
///
/// The pointer is to a netlink message's packet that nobody else uses for `'a`.
pub struct Body<'a>(
    NonNull<bindings::sk_buff>,
    PhantomData<&'a mut bindings::sk_buff>,
);

impl Body<'_> {
    /// Adds an attribute of any octets.
    ///
    /// # Errors
    /// EMSGSIZE if there is no room, as for all functions of this type.
    pub fn put(&mut self, number: u16, octets: &[u8]) -> Result {
        let length = c_int::try_from(octets.len()).map_err(|_| EMSGSIZE)?;
        // SAFETY: By the type invariant; the octets are readable.
        to_result(unsafe {
            bindings::nla_put(
                self.0.as_ptr(),
                c_int::from(number),
                length,
                octets.as_ptr().cast(),
            )
        })
    }

    /// Adds a number of 8 bits.
    pub fn put_u8(&mut self, number: u16, value: u8) -> Result {
        self.put(number, &[value])
    }

    /// Adds a number of 16 bits.
    pub fn put_u16(&mut self, number: u16, value: u16) -> Result {
        self.put(number, &value.to_ne_bytes())
    }

    /// Adds a number of 32 bits.
    pub fn put_u32(&mut self, number: u16, value: u32) -> Result {
        self.put(number, &value.to_ne_bytes())
    }

    /// Adds an attribute that holds those which `fill` adds. If that fails, the message is of no use.
    pub fn nest(&mut self, number: u16, fill: impl FnOnce(&mut Self) -> Result) -> Result {
        // SAFETY: By the type invariant.
        let nest =
            unsafe { bindings::knet_helper_nla_nest_start(self.0.as_ptr(), c_int::from(number)) };
        let nest = NonNull::new(nest).ok_or(EMSGSIZE)?;
        fill(self)?;
        // SAFETY: The attribute was begun in this packet, and nothing was taken off since.
        unsafe { bindings::knet_helper_nla_nest_end(self.0.as_ptr(), nest.as_ptr()) };
        Ok(())
    }
}

/// A message of its own.
///
/// # Invariants
///
/// The first pointer is to a packet that belongs to this value, the second to the header in it.
pub struct Message {
    packet: NonNull<bindings::sk_buff>,
    header: NonNull<c_void>,
}

impl Message {
    /// The answer to a request. Process context.
    pub fn answer(request: &Request<'_>) -> Result<Self> {
        Self::new(bindings::GFP_KERNEL, |packet| {
            // SAFETY: The packet is new.
            unsafe { request.begin(packet, 0) }
        })
    }

    /// News with the number `event` for the listeners of a group. Any context.
    pub fn news(family: &'static Family, event: u8) -> Result<Self> {
        Self::new(bindings::GFP_ATOMIC, |packet| {
            // SAFETY: The packet is new, and the family is static.
            unsafe { bindings::genlmsg_put(packet, 0, 0, family.as_raw(), 0, event) }
        })
    }

    fn new(
        flags: bindings::gfp_t,
        begin: impl FnOnce(*mut bindings::sk_buff) -> *mut c_void,
    ) -> Result<Self> {
        // SAFETY: The call has no requirements.
        let packet = unsafe { bindings::knet_helper_nlmsg_new(flags) };
        let packet = NonNull::new(packet).ok_or(ENOMEM)?;
        let Some(header) = NonNull::new(begin(packet.as_ptr())) else {
            // SAFETY: It was just made.
            unsafe { bindings::knet_helper_nlmsg_free(packet.as_ptr()) };
            return Err(EMSGSIZE);
        };
        // INVARIANT: As just made.
        Ok(Self { packet, header })
    }

    /// Where attributes are added.
    pub fn body(&mut self) -> Body<'_> {
        // INVARIANT: The packet is borrowed from this value.
        Body(self.packet, PhantomData)
    }

    /// Sends it to who made the request.
    pub fn send(self, request: &Request<'_>) -> Result {
        let (net, port) = (request.net().as_raw(), request.port());
        let packet = self.finish();
        // SAFETY: The packet is complete and is given away; the namespace is alive.
        to_result(unsafe { bindings::knet_helper_genlmsg_unicast(net, packet, port) })
    }

    /// Sends it to the listeners of a group in a namespace; it is lost if there are none. Any context.
    pub fn multicast(self, family: &'static Family, net: &Net, group: u32) {
        let packet = self.finish();
        // SAFETY: As in `send`; the family is static.
        unsafe {
            bindings::knet_helper_genlmsg_multicast(
                family.as_raw(),
                net.as_raw(),
                packet,
                group,
                bindings::GFP_ATOMIC,
            )
        };
    }

    /// The packet, which is the caller's.
    fn finish(self) -> *mut bindings::sk_buff {
        let message = core::mem::ManuallyDrop::new(self);
        // SAFETY: By the type invariant.
        unsafe {
            bindings::knet_helper_genlmsg_end(message.packet.as_ptr(), message.header.as_ptr())
        };
        message.packet.as_ptr()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: By the type invariant.
        unsafe { bindings::knet_helper_nlmsg_free(self.packet.as_ptr()) };
    }
}

/// A part of the answer to a request for a list.
///
/// # Invariants
///
/// Both pointers are those of the kernel's call for this part.
pub struct Page<'a> {
    packet: NonNull<bindings::sk_buff>,
    callback: NonNull<bindings::netlink_callback>,
    call: PhantomData<&'a mut bindings::sk_buff>,
}

impl Page<'_> {
    /// # Safety
    ///
    /// Both are those of the call of a `dumpit` function.
    pub(super) unsafe fn from_raw(
        packet: NonNull<bindings::sk_buff>,
        callback: NonNull<bindings::netlink_callback>,
    ) -> Self {
        // INVARIANT: By the caller's promise.
        Self {
            packet,
            callback,
            call: PhantomData,
        }
    }

    /// Where the part before this ended; zero in the first one.
    pub fn position(&self) -> isize {
        // SAFETY: By the type invariant; the words belong to the list.
        unsafe { (*self.callback.as_ptr()).__bindgen_anon_1.args[0] }
    }

    /// Notes where this part ends.
    pub fn set_position(&mut self, position: isize) {
        // SAFETY: As above.
        unsafe { (*self.callback.as_ptr()).__bindgen_anon_1.args[0] = position };
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// EMSGSIZE if this part has no more room; then it is as before.
    pub fn entry(
        &mut self,
        request: &Request<'_>,
        fill: impl FnOnce(&mut Body<'_>) -> Result,
    ) -> Result {
        let packet = self.packet.as_ptr();
        // SAFETY: By the type invariant.
        let header = unsafe { request.begin(packet, bindings::NLM_F_MULTI as c_int) };
        let header = NonNull::new(header).ok_or(EMSGSIZE)?.as_ptr();
        // INVARIANT: The packet is borrowed from this value.
        let filled = fill(&mut Body(self.packet, PhantomData));
        // SAFETY: The header was just put into this packet.
        unsafe {
            match filled {
                Ok(()) => bindings::knet_helper_genlmsg_end(packet, header),
                Err(_) => bindings::knet_helper_genlmsg_cancel(packet, header),
            }
        }
        filled
    }
}
