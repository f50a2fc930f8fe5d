// SPDX-License-Identifier: GPL-2.0

//! Generic netlink: requests of programs to a family of commands, and news for those who listen.
//!
//! C header: `include/net/genetlink.h`.

mod attribute;
mod message;

pub use attribute::{Attribute, Attributes, Kind, Policy, Rules};
pub use message::{Body, Message, Page};

use crate::bindings;
use crate::netns::Net;
use core::fmt::{self, Write};
use core::mem::zeroed;
use core::ptr::{addr_of_mut, null_mut, NonNull};
use kernel::error::{from_result, to_result};
use kernel::prelude::*;
use kernel::sync::atomic::{Acquire, Atomic, Release};
use kernel::types::Opaque;

/// What a program can ask for.
pub trait Command: 'static {
    /// Its number.
    const NUMBER: u8;
    /// Whether the program must be an administrator of its network namespace.
    const ADMINISTRATOR: bool;
    /// The attributes of a request.
    const ATTRIBUTES: Rules;

    /// Does it. Process context; requests to a family are done one after the other.
    fn act(request: &Request<'_>) -> Result;
}

/// A command that can also be asked for a list.
pub trait Listing: Command {
    /// Adds entries to a part of the list from [`Page::position`] on, until there is no room or no
    /// entry. The list ends with a part without entries. Process context.
    fn list(request: &Request<'_>, page: &mut Page<'_>) -> Result;
}

/// A command in a family.
#[repr(transparent)]
pub struct Operation(bindings::genl_ops);

// SAFETY: It is never changed.
unsafe impl Sync for Operation {}

impl Operation {
    /// A command without a list.
    pub const fn of<C: Command>() -> Self {
        // SAFETY: Zeroes are an operation that does nothing.
        let mut raw: bindings::genl_ops = unsafe { zeroed() };
        raw.cmd = C::NUMBER;
        raw.doit = Some(act::<C>);
        raw.policy = C::ATTRIBUTES.first;
        raw.maxattr = C::ATTRIBUTES.last as c_uint;
        raw.validate = bindings::genl_validate_flags_GENL_DONT_VALIDATE_STRICT as u8;
        if C::ADMINISTRATOR {
            raw.flags = bindings::GENL_UNS_ADMIN_PERM as u8;
        }
        Self(raw)
    }

    /// A command with a list.
    pub const fn with_list<C: Listing>() -> Self {
        let mut operation = Self::of::<C>();
        operation.0.dumpit = Some(list::<C>);
        operation
    }
}

/// A group of listeners.
#[repr(transparent)]
pub struct Group(bindings::genl_multicast_group);

impl Group {
    /// A group that everybody may join, or only administrators of the network namespace. The name has
    /// at most 15 characters.
    pub const fn new(name: &CStr, administrator: bool) -> Self {
        Self(bindings::genl_multicast_group {
            name: fixed(name),
            flags: if administrator {
                bindings::GENL_MCAST_CAP_NET_ADMIN
            } else {
                0
            },
        })
    }
}

/// A name in the space that the kernel has for it.
const fn fixed(name: &CStr) -> [c_char; bindings::GENL_NAMSIZ as usize] {
    let bytes = name.to_bytes_with_nul();
    let mut fixed = [0; bindings::GENL_NAMSIZ as usize];
    let mut at = 0;
    while at < bytes.len() && at + 1 < fixed.len() {
        fixed[at] = bytes[at] as c_char;
        at += 1;
    }
    fixed
}

/// A family of commands and groups; its place is a static.
pub struct Family {
    raw: Opaque<bindings::genl_family>,
    /// One while it is registered.
    registered: Atomic<u32>,
}

// SAFETY: Once it is registered, only the kernel changes it, under its own locks.
unsafe impl Sync for Family {}

impl Family {
    /// A family that is in every network namespace. The name has at most 15 characters. Requests are
    /// checked as those of families that are older than the kernel's strict checks, up to the command
    /// before `strict_from`.
    pub const fn new(
        name: &CStr,
        version: u32,
        operations: &'static [Operation],
        strict_from: u8,
        groups: &'static [Group],
    ) -> Self {
        // SAFETY: Zeroes are a family of nothing.
        let mut raw: bindings::genl_family = unsafe { zeroed() };
        raw.name = fixed(name);
        raw.version = version;
        raw.ops = operations.as_ptr().cast();
        raw.n_ops = operations.len() as u8;
        raw.resv_start_op = strict_from;
        raw.mcgrps = groups.as_ptr().cast();
        raw.n_mcgrps = groups.len() as u8;
        Self {
            raw: Opaque::new(raw),
            registered: Atomic::new(0),
        }
    }

    /// Registers it until the returned value is dropped. Process context, once at a time.
    pub fn register(&'static self, module: &'static ThisModule) -> Result<Registration> {
        // SAFETY: The family is static, as is all that it points to, and nobody uses it before it is
        // registered.
        unsafe {
            let raw = self.raw.get();
            (*raw).module = module.as_ptr().cast();
            (*raw).set_netnsok(1);
            to_result(bindings::genl_register_family(raw))?;
        }
        self.registered.store(1, Release);
        Ok(Registration(self))
    }

    /// Whether somebody in the namespace listens to the group with this index. Any context.
    pub fn has_listeners(&self, net: &Net, group: u32) -> bool {
        if self.registered.load(Acquire) == 0 {
            return false;
        }
        // SAFETY: The namespace is alive; the family is registered, or was until just now, which
        // leaves it readable.
        unsafe { bindings::knet_helper_genl_has_listeners(self.as_raw(), net.as_raw(), group) }
    }

    fn as_raw(&self) -> *mut bindings::genl_family {
        self.raw.get()
    }
}

/// A registered family.
///
/// # Invariants
///
/// It is registered.
pub struct Registration(&'static Family);

impl Drop for Registration {
    fn drop(&mut self) {
        self.0.registered.store(0, Release);
        // SAFETY: By the type invariant. The call waits for requests that are being done.
        unsafe { bindings::genl_unregister_family(self.0.as_raw()) };
    }
}

/// A request.
///
/// # Invariants
///
/// `raw` is that of the kernel's call, and has attributes of types up to `last`, each as an
/// [`Attribute`]'s for `'a`.
pub struct Request<'a> {
    raw: &'a bindings::genl_info,
    last: u16,
}

impl<'a> Request<'a> {
    /// # Safety
    ///
    /// `raw` is that of a call for a command with the attributes `rules`, for `'a`.
    unsafe fn from_raw(raw: &'a bindings::genl_info, rules: Rules) -> Self {
        // INVARIANT: The kernel has parsed the message by the rules.
        Self {
            raw,
            last: rules.last,
        }
    }

    /// The namespace of the program that asks.
    pub fn net(&self) -> &'a Net {
        // SAFETY: By the type invariant; a netlink socket holds its namespace.
        unsafe { Net::from_raw(bindings::knet_helper_genl_info_net(self.raw)) }
    }

    /// The attribute of a type.
    pub fn get(&self, number: u16) -> Option<Attribute<'a>> {
        if number > self.last || self.raw.attrs.is_null() {
            return None;
        }
        // SAFETY: By the type invariant there is a place for this type.
        unsafe { Attribute::from_raw(*self.raw.attrs.add(usize::from(number))) }
    }

    /// A number of 32 bits.
    pub fn u32(&self, number: u16) -> Option<u32> {
        self.get(number)?.octets().map(u32::from_ne_bytes)
    }

    /// The attribute of a type, without which the request makes no sense.
    ///
    /// # Errors
    /// EINVAL; the answer tells which is missing.
    pub fn require(&self, number: u16) -> Result<Attribute<'a>> {
        self.get(number).ok_or_else(|| {
            // SAFETY: The answer is the request's own.
            if let Some(extack) = unsafe { self.extack().as_mut() } {
                extack.miss_nest = null_mut();
                extack.miss_type = number;
            }
            EINVAL
        })
    }

    /// The error to end with; the answer says why in words, and what is wrong, if it is one attribute.
    pub fn refuse(
        &self,
        error: Error,
        wrong: Option<Attribute<'a>>,
        message: impl fmt::Display,
    ) -> Error {
        // SAFETY: The answer is the request's own.
        if let Some(extack) = unsafe { self.extack().as_mut() } {
            let mut words = Words {
                place: &mut extack._msg_buf,
                used: 0,
            };
            // What does not fit is left out.
            let _ = write!(words, "{message}");
            extack._msg = addr_of_mut!(extack._msg_buf).cast();
            if let Some(wrong) = wrong {
                extack.bad_attr = wrong.as_raw();
            }
        }
        error
    }

    pub(crate) fn extack(&self) -> *mut bindings::netlink_ext_ack {
        self.raw.extack
    }

    fn port(&self) -> u32 {
        self.raw.snd_portid
    }

    /// Begins a message to who made the request; null if there is no room.
    ///
    /// # Safety
    ///
    /// The packet is one for netlink messages that nobody else uses.
    unsafe fn begin(&self, packet: *mut bindings::sk_buff, flags: c_int) -> *mut c_void {
        // SAFETY: By the caller's promise, and the type invariant.
        unsafe {
            bindings::genlmsg_put(
                packet,
                self.port(),
                self.raw.snd_seq,
                self.raw.family,
                flags,
                (*self.raw.genlhdr).cmd,
            )
        }
    }
}

/// Writes as many characters as there is room for, with a zero byte behind them.
struct Words<'a> {
    place: &'a mut [c_char],
    used: usize,
}

impl Write for Words<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.place.get_mut(self.used..).unwrap_or_default();
        let Some((_, room)) = room.split_last_mut() else {
            return Err(fmt::Error);
        };
        for (place, byte) in room.iter_mut().zip(text.bytes()) {
            *place = byte as c_char;
            self.used = self.used.wrapping_add(1);
        }
        if let Some(end) = self.place.get_mut(self.used) {
            *end = 0;
        }
        Ok(())
    }
}

/// # Safety
///
/// For the kernel to call, as `doit` of the operation of `C`.
unsafe extern "C" fn act<C: Command>(
    _request: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> c_int {
    from_result(|| {
        // SAFETY: By the caller's promise.
        let request = unsafe { Request::from_raw(&*info, C::ATTRIBUTES) };
        C::act(&request).map(|()| 0)
    })
}

/// # Safety
///
/// For the kernel to call, as `dumpit` of the operation of `C`.
unsafe extern "C" fn list<C: Listing>(
    packet: *mut bindings::sk_buff,
    callback: *mut bindings::netlink_callback,
) -> c_int {
    from_result(|| {
        let packet = NonNull::new(packet).ok_or(EINVAL)?;
        let callback = NonNull::new(callback).ok_or(EINVAL)?;
        // SAFETY: By the caller's promise; the request lives as long as the list is not complete.
        unsafe {
            let info = bindings::knet_helper_genl_info_dump(callback.as_ptr());
            let request = Request::from_raw(&*info, C::ATTRIBUTES);
            C::list(&request, &mut Page::from_raw(packet, callback))?;
            Ok((*packet.as_ptr()).len as c_int)
        }
    })
}
