// SPDX-License-Identifier: GPL-2.0

//! Attributes of received messages.
//!
//! C header: `include/net/netlink.h`.

use super::Request;
use crate::bindings;
use core::marker::PhantomData;
use core::mem::{size_of, zeroed};
use core::ptr::{null_mut, NonNull};
use kernel::error::to_result;
use kernel::prelude::*;

/// What an attribute must be.
#[derive(Clone, Copy)]
pub enum Kind {
    /// There is no such attribute.
    None,
    /// A number of 8 bits.
    U8,
    /// A number of 16 bits.
    U16,
    /// A number of 32 bits.
    U32,
    /// A signed number of 32 bits.
    S32,
    /// Four octets in network byte order.
    Be32,
    /// So many octets.
    Octets(i16),
    /// Attributes.
    Nested(Rules),
}

/// What the attributes of types 0 to `N - 1` must be.
pub struct Policy<const N: usize>([bindings::nla_policy; N]);

// SAFETY: It is never changed.
unsafe impl<const N: usize> Sync for Policy<N> {}

/// A [`Policy`] of any length.
#[derive(Clone, Copy)]
pub struct Rules {
    pub(super) first: *const bindings::nla_policy,
    /// The highest type.
    pub(super) last: u16,
}

// SAFETY: What it points to is never changed.
unsafe impl Sync for Rules {}

impl<const N: usize> Policy<N> {
    /// One kind for each type.
    pub const fn new(kinds: [Kind; N]) -> Self {
        // SAFETY: Zeroes are a policy for no attribute.
        let mut policies: [bindings::nla_policy; N] = unsafe { zeroed() };
        let mut at = 0;
        while at < N {
            policies[at] = kinds[at].policy();
            at += 1;
        }
        Self(policies)
    }

    /// The policy, whatever its length.
    pub const fn rules(&'static self) -> Rules {
        Rules {
            first: self.0.as_ptr(),
            last: (N - 1) as u16,
        }
    }
}

impl Kind {
    const fn policy(self) -> bindings::nla_policy {
        // SAFETY: As in `Policy::new`.
        let mut policy: bindings::nla_policy = unsafe { zeroed() };
        policy.type_ = match self {
            Self::None => bindings::NLA_UNSPEC,
            Self::U8 => bindings::NLA_U8,
            Self::U16 => bindings::NLA_U16,
            Self::U32 => bindings::NLA_U32,
            Self::S32 => bindings::NLA_S32,
            Self::Be32 => bindings::NLA_BE32,
            Self::Octets(_) => bindings::NLA_BINARY,
            Self::Nested(_) => bindings::NLA_NESTED,
        } as u8;
        match self {
            Self::Octets(length) => {
                policy.validation_type = bindings::nla_policy_validation_NLA_VALIDATE_RANGE as u8;
                policy.__bindgen_anon_1.__bindgen_anon_1 =
                    bindings::nla_policy__bindgen_ty_1__bindgen_ty_1 {
                        min: length,
                        max: length,
                    };
            }
            Self::Nested(rules) => {
                policy.len = rules.last;
                policy.__bindgen_anon_1.nested_policy = rules.first;
            }
            _ => {}
        }
        policy
    }
}

/// An attribute of a received message.
///
/// # Invariants
///
/// The pointer is to an attribute of as many bytes as its header says, which stays as it is for `'a`.
#[derive(Clone, Copy)]
pub struct Attribute<'a>(NonNull<bindings::nlattr>, PhantomData<&'a bindings::nlattr>);

impl<'a> Attribute<'a> {
    /// # Safety
    ///
    /// The pointer is null, or as the type's invariant says.
    pub(super) unsafe fn from_raw(raw: *mut bindings::nlattr) -> Option<Self> {
        // INVARIANT: By the caller's promise.
        NonNull::new(raw).map(|raw| Self(raw, PhantomData))
    }

    pub(super) fn as_raw(self) -> *const bindings::nlattr {
        self.0.as_ptr()
    }

    /// What it holds.
    fn payload(self) -> &'a [u8] {
        const HEADER: usize = size_of::<bindings::nlattr>();
        // SAFETY: By the type invariant.
        unsafe {
            let length = usize::from((*self.0.as_ptr()).nla_len).saturating_sub(HEADER);
            core::slice::from_raw_parts(self.0.as_ptr().cast::<u8>().add(HEADER), length)
        }
    }

    /// The first octets, if there are so many.
    pub fn octets<const N: usize>(self) -> Option<[u8; N]> {
        self.payload().first_chunk().copied()
    }

    /// The attributes in it, each as `policy` says.
    ///
    /// # Errors
    /// EINVAL or ERANGE; the request's answer tells which attribute is wrong.
    pub fn nested<const N: usize>(
        self,
        policy: &'static Policy<N>,
        request: &Request<'a>,
    ) -> Result<Attributes<'a, N>> {
        let mut table = [null_mut(); N];
        let rules = policy.rules();
        let payload = self.payload();
        // SAFETY: The table has room for types up to the policy's last, and the payload is readable.
        to_result(unsafe {
            bindings::__nla_parse(
                table.as_mut_ptr(),
                c_int::from(rules.last),
                payload.as_ptr().cast(),
                payload.len() as c_int,
                rules.first,
                bindings::netlink_validation_NL_VALIDATE_LIBERAL,
                request.extack(),
            )
        })?;
        Ok(Attributes(table, PhantomData))
    }
}

/// Attributes of types 0 to `N - 1` in an attribute.
///
/// # Invariants
///
/// Each pointer is null, or as an [`Attribute`]'s for `'a`.
pub struct Attributes<'a, const N: usize>(
    [*mut bindings::nlattr; N],
    PhantomData<&'a bindings::nlattr>,
);

impl<'a, const N: usize> Attributes<'a, N> {
    /// The attribute of a type.
    pub fn get(&self, number: u16) -> Option<Attribute<'a>> {
        let raw = *self.0.get(usize::from(number))?;
        // SAFETY: By the type invariant.
        unsafe { Attribute::from_raw(raw) }
    }

    /// A number of 8 bits.
    pub fn u8(&self, number: u16) -> Option<u8> {
        self.get(number)?.octets().map(u8::from_ne_bytes)
    }

    /// A number of 16 bits.
    pub fn u16(&self, number: u16) -> Option<u16> {
        self.get(number)?.octets().map(u16::from_ne_bytes)
    }

    /// A number of 32 bits.
    pub fn u32(&self, number: u16) -> Option<u32> {
        self.get(number)?.octets().map(u32::from_ne_bytes)
    }
}
