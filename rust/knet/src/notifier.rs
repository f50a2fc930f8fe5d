// SPDX-License-Identifier: GPL-2.0

//! Which addresses this host has, and when that changes.
//!
//! C headers: `include/linux/inetdevice.h`, `include/net/addrconf.h`, `include/linux/netdevice.h`.

use crate::bindings;
use crate::netns::Net;
use crate::sock::{Address, Sock};
use core::marker::PhantomData;
use core::ptr::null_mut;
use kernel::error::to_result;
use kernel::prelude::*;
use kernel::sync::rcu;
use kernel::types::Opaque;

/// Whether the host has an address now, on a device that is up and has its carrier. Any context.
pub fn has_address(net: &Net, address: &Address) -> bool {
    let _readers = rcu::read_lock();
    // SAFETY: The namespace is alive, and a device that is found lives until the read-side section
    // ends.
    unsafe {
        let device = match address {
            Address::V4(octets) => {
                bindings::__ip_dev_find(net.as_raw(), u32::from_ne_bytes(*octets), false)
            }
            Address::V6(octets) => {
                let mut raw = bindings::in6_addr::default();
                raw.in6_u.u6_addr8 = *octets;
                bindings::ipv6_dev_find(net.as_raw(), &raw, null_mut())
            }
        };
        !device.is_null() && bindings::knet_helper_device_works(device)
    }
}

/// Whether what a connected socket sends has a route, and leaves by a device that is up and has its carrier. Any
/// context.
pub fn egress_works(sock: &Sock) -> bool {
    // SAFETY: The socket is live; the helper reads its route under RCU.
    unsafe { bindings::knet_helper_egress_works(sock.as_ptr()) }
}

/// Who wants to know about addresses.
pub trait Watcher: 'static {
    /// What [`has_address`] says in a namespace may have changed. Any context; must not sleep.
    fn changed(net: &Net);
}

/// Tells a [`Watcher`] until it is dropped. It may be told more often than something changed.
pub struct Registration<W: Watcher>(KBox<Blocks>, PhantomData<W>);

/// What the kernel's lists link together; only the kernel touches it.
struct Blocks {
    v4: Opaque<bindings::notifier_block>,
    v6: Opaque<bindings::notifier_block>,
    device: Opaque<bindings::notifier_block>,
}

// SAFETY: The blocks are touched by the kernel alone, under locks of its own.
unsafe impl<W: Watcher> Send for Registration<W> {}
// SAFETY: As above.
unsafe impl<W: Watcher> Sync for Registration<W> {}

impl<W: Watcher> Registration<W> {
    /// Begins to tell. Process context, after everything that `W` needs is registered.
    pub fn new() -> Result<Self> {
        let block = |call| {
            Opaque::new(bindings::notifier_block {
                notifier_call: Some(call),
                ..Default::default()
            })
        };
        let blocks = KBox::new(
            Blocks {
                v4: block(v4_changed::<W>),
                v6: block(v6_changed::<W>),
                device: block(device_changed::<W>),
            },
            GFP_KERNEL,
        )?;
        // SAFETY: The blocks stay where they are until they are off the lists again, and the
        // functions suit the lists.
        unsafe {
            to_result(bindings::register_inetaddr_notifier(blocks.v4.get()))?;
            if let Err(error) = to_result(bindings::register_inet6addr_notifier(blocks.v6.get())) {
                bindings::unregister_inetaddr_notifier(blocks.v4.get());
                return Err(error);
            }
            let device = bindings::register_netdevice_notifier(blocks.device.get());
            if let Err(error) = to_result(device) {
                bindings::unregister_inet6addr_notifier(blocks.v6.get());
                bindings::unregister_inetaddr_notifier(blocks.v4.get());
                return Err(error);
            }
        }
        Ok(Self(blocks, PhantomData))
    }
}

impl<W: Watcher> Drop for Registration<W> {
    fn drop(&mut self) {
        // SAFETY: All three are registered. The calls wait until nobody is in the functions.
        unsafe {
            bindings::unregister_netdevice_notifier(self.0.device.get());
            bindings::unregister_inet6addr_notifier(self.0.v6.get());
            bindings::unregister_inetaddr_notifier(self.0.v4.get());
        }
    }
}

/// # Safety
///
/// For the kernel to call with a `struct in_ifaddr` whose device is alive.
unsafe extern "C" fn v4_changed<W: Watcher>(
    _block: *mut bindings::notifier_block,
    _event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: By the caller's promise; a device's namespace is alive and was set up before the device.
    W::changed(unsafe { Net::from_raw(bindings::knet_helper_in_ifaddr_net(data.cast())) });
    bindings::NOTIFY_DONE as c_int
}

/// # Safety
///
/// For the kernel to call with a `struct inet6_ifaddr` whose device is alive.
unsafe extern "C" fn v6_changed<W: Watcher>(
    _block: *mut bindings::notifier_block,
    _event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: As in `v4_changed`.
    W::changed(unsafe { Net::from_raw(bindings::knet_helper_inet6_ifaddr_net(data.cast())) });
    bindings::NOTIFY_DONE as c_int
}

/// # Safety
///
/// For the kernel to call with a `struct netdev_notifier_info`.
unsafe extern "C" fn device_changed<W: Watcher>(
    _block: *mut bindings::notifier_block,
    _event: c_ulong,
    data: *mut c_void,
) -> c_int {
    // SAFETY: As in `v4_changed`.
    W::changed(unsafe { Net::from_raw(bindings::knet_helper_notified_device_net(data)) });
    bindings::NOTIFY_DONE as c_int
}
