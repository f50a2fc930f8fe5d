// SPDX-License-Identifier: GPL-2.0

//! Registration of a protocol of meta-sockets with the kernel's socket families.
//!
//! C headers: `include/net/sock.h` (`struct proto`), `include/net/protocol.h`
//! (`struct inet_protosw`), `include/linux/net.h` (`struct proto_ops`).

mod calls;

use crate::bindings;
use crate::meta::{Meta, Protocol};
use core::cell::UnsafeCell;
use core::marker::PhantomData;
use core::mem::{size_of, MaybeUninit};
use core::ptr::{addr_of, addr_of_mut};
use kernel::error::to_result;
use kernel::prelude::*;

/// What the kernel keeps pointers to while the protocol is registered.
struct Tables {
    proto: bindings::proto,
    ops: [bindings::proto_ops; 2],
    switch: [bindings::inet_protosw; 2],
}

struct Slot(UnsafeCell<MaybeUninit<Tables>>);

// SAFETY: Written before registration, afterwards only by the kernel under its own locks.
unsafe impl Sync for Slot {}

static TABLES: Slot = Slot(UnsafeCell::new(MaybeUninit::zeroed()));

/// A registered protocol. Dropping it gives the number back to whoever had it before.
pub struct Registration<P: Protocol>(PhantomData<P>);

impl<P: Protocol> Registration<P> {
    /// Registers `P` for SOCK_STREAM sockets of AF_INET and AF_INET6 under `number`, before any
    /// other protocol of that number. At most one protocol per module.
    pub fn new(module: &'static ThisModule, number: u16) -> Result<Self> {
        let tables = TABLES.0.get().cast::<Tables>();
        // SAFETY: Nobody reads the tables before they are registered; the kernel's own tables
        // that are copied here live for ever.
        unsafe {
            fill_proto::<P>(&mut (*tables).proto, module);
            fill_ops::<P>(&mut (*tables).ops[0], &bindings::inet_stream_ops, module);
            fill_ops::<P>(&mut (*tables).ops[1], &bindings::inet6_stream_ops, module);
            to_result(bindings::proto_register(addr_of_mut!((*tables).proto), 1))?;
            for (switch, ops) in (*tables).switch.iter_mut().zip((*tables).ops.iter()) {
                switch.type_ = bindings::sock_type_SOCK_STREAM as u16;
                switch.protocol = number;
                switch.prot = addr_of_mut!((*tables).proto);
                switch.ops = ops;
            }
            bindings::inet_register_protosw(addr_of_mut!((*tables).switch[0]));
            let error = bindings::inet6_register_protosw(addr_of_mut!((*tables).switch[1]));
            if error != 0 {
                bindings::inet_unregister_protosw(addr_of_mut!((*tables).switch[0]));
                bindings::proto_unregister(addr_of_mut!((*tables).proto));
                return Err(Error::from_errno(error));
            }
        }
        Ok(Self(PhantomData))
    }
}

impl<P: Protocol> Drop for Registration<P> {
    fn drop(&mut self) {
        let tables = TABLES.0.get().cast::<Tables>();
        // SAFETY: Registered in `new`. Every socket holds a reference to the module, so none is
        // left; the destructors of the last ones may still be on their way through RCU.
        unsafe {
            bindings::inet6_unregister_protosw(addr_of_mut!((*tables).switch[1]));
            bindings::inet_unregister_protosw(addr_of_mut!((*tables).switch[0]));
            bindings::synchronize_rcu();
            bindings::rcu_barrier();
            bindings::proto_unregister(addr_of_mut!((*tables).proto));
        }
    }
}

/// # Safety
///
/// `proto` is all zero and not registered.
unsafe fn fill_proto<P: Protocol>(proto: &mut bindings::proto, module: &'static ThisModule) {
    for (to, from) in proto.name.iter_mut().zip(P::NAME) {
        *to = *from;
    }
    proto.owner = module.as_ptr().cast();
    proto.obj_size = size_of::<Meta<P>>() as c_uint;
    // SAFETY: The call has no requirements.
    proto.slab_flags = unsafe { bindings::knet_helper_sock_slab_flags() };
    proto.ipv6_pinfo_offset = Meta::<P>::IPV6_OFFSET as c_uint;
    proto.no_autobind = true;
    proto.init = Some(calls::init::<P>);
    proto.close = Some(calls::close::<P>);
    proto.bind = Some(calls::bind::<P>);
    proto.connect = Some(calls::connect::<P>);
    proto.disconnect = Some(calls::disconnect::<P>);
    proto.accept = Some(calls::accept::<P>);
    proto.shutdown = Some(calls::shutdown::<P>);
    proto.sendmsg = Some(calls::sendmsg::<P>);
    proto.recvmsg = Some(calls::recvmsg::<P>);
    proto.ioctl = Some(calls::ioctl::<P>);
    proto.setsockopt = Some(calls::setsockopt::<P>);
    proto.getsockopt = Some(calls::getsockopt::<P>);
    proto.release_cb = Some(calls::release_cb::<P>);
    proto.hash = Some(calls::hash);
    proto.unhash = Some(calls::unhash);
    // SAFETY: TCP's table lives for ever. The meta-socket shares TCP's memory limits, so it is counted among
    // those that share them: under pressure the kernel reads the counter of whoever has limits.
    unsafe {
        let tcp = addr_of!(bindings::tcp_prot);
        proto.memory_allocated = (*tcp).memory_allocated;
        proto.per_cpu_fw_alloc = (*tcp).per_cpu_fw_alloc;
        proto.sockets_allocated = (*tcp).sockets_allocated;
        proto.memory_pressure = (*tcp).memory_pressure;
        proto.enter_memory_pressure = (*tcp).enter_memory_pressure;
        proto.leave_memory_pressure = (*tcp).leave_memory_pressure;
        proto.sysctl_mem = (*tcp).sysctl_mem;
        proto.sysctl_wmem_offset = (*tcp).sysctl_wmem_offset;
        proto.sysctl_rmem_offset = (*tcp).sysctl_rmem_offset;
    }
}

fn fill_ops<P: Protocol>(
    ops: &mut bindings::proto_ops,
    tcp: &bindings::proto_ops,
    module: &'static ThisModule,
) {
    // What is TCP's own is replaced or left out; the rest works for every inet socket.
    *ops = bindings::proto_ops {
        owner: module.as_ptr().cast(),
        family: tcp.family,
        release: tcp.release,
        bind: tcp.bind,
        connect: tcp.connect,
        socketpair: tcp.socketpair,
        accept: Some(calls::accept_socket),
        getname: tcp.getname,
        poll: Some(calls::poll::<P>),
        ioctl: tcp.ioctl,
        gettstamp: tcp.gettstamp,
        listen: Some(calls::listen::<P>),
        shutdown: tcp.shutdown,
        setsockopt: tcp.setsockopt,
        getsockopt: tcp.getsockopt,
        sendmsg: tcp.sendmsg,
        recvmsg: tcp.recvmsg,
        mmap: tcp.mmap,
        ..Default::default()
    };
}
