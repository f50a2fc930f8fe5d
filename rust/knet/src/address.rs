// SPDX-License-Identifier: GPL-2.0

//! Socket addresses as applications pass them.

use crate::bindings;
use crate::sock::{Address, AF_INET, AF_INET6};
use core::mem::size_of;
use kernel::prelude::*;

/// A `struct sockaddr` of any family, already copied from user space.
#[derive(Clone, Copy)]
pub struct SocketAddress {
    bytes: [u8; size_of::<bindings::__kernel_sockaddr_storage>()],
    length: usize,
}

impl SocketAddress {
    /// # Safety
    ///
    /// `address` points to `length` readable bytes.
    pub(crate) unsafe fn from_raw(address: *const c_void, length: c_int) -> Result<Self> {
        let length = usize::try_from(length).map_err(|_| EINVAL)?;
        let mut bytes = [0; size_of::<bindings::__kernel_sockaddr_storage>()];
        if length < size_of::<u16>() || length > bytes.len() {
            return Err(EINVAL);
        }
        // SAFETY: By the caller's promise; the buffer is as large.
        unsafe { core::ptr::copy_nonoverlapping(address.cast(), bytes.as_mut_ptr(), length) };
        Ok(Self { bytes, length })
    }

    /// An address and a port in host byte order.
    pub fn new(address: &Address, port: u16) -> Self {
        let mut made = Self {
            bytes: [0; size_of::<bindings::__kernel_sockaddr_storage>()],
            length: 0,
        };
        match address {
            Address::V4(octets) => made.fill(&AF_INET.to_ne_bytes(), port, &[], octets, 16),
            // What stands before the address is the flow label, behind it the scope.
            Address::V6(octets) => made.fill(&AF_INET6.to_ne_bytes(), port, &[0; 4], octets, 28),
        }
        made
    }

    /// Writes the parts one after the other; the whole has `length` bytes.
    fn fill(&mut self, family: &[u8], port: u16, label: &[u8], address: &[u8], length: usize) {
        let port = port.to_be_bytes();
        let parts = [family, &port, label, address].into_iter().flatten();
        for (place, byte) in self.bytes.iter_mut().zip(parts) {
            *place = *byte;
        }
        self.length = length;
    }

    /// The family.
    pub fn family(&self) -> u16 {
        u16::from_ne_bytes([self.bytes[0], self.bytes[1]])
    }

    /// The IPv4 address that an IPv4-mapped IPv6 address stands for.
    pub fn unmapped(&self) -> Option<Self> {
        const PREFIX: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
        if self.family() != AF_INET6 || self.length < 24 || self.bytes.get(8..20)? != PREFIX {
            return None;
        }
        let mut v4 = Self {
            bytes: [0; size_of::<bindings::__kernel_sockaddr_storage>()],
            length: 16,
        };
        v4.bytes
            .get_mut(..2)?
            .copy_from_slice(&AF_INET.to_ne_bytes());
        v4.bytes
            .get_mut(2..4)?
            .copy_from_slice(self.bytes.get(2..4)?);
        v4.bytes
            .get_mut(4..8)?
            .copy_from_slice(self.bytes.get(20..24)?);
        Some(v4)
    }

    pub(crate) fn raw(&self) -> (*mut bindings::sockaddr_unsized, c_int) {
        (self.bytes.as_ptr().cast_mut().cast(), self.length as c_int)
    }
}
