// SPDX-License-Identifier: GPL-2.0

//! The kernel's C declarations as bindgen reads them from `bindings.h`.
//!
//! For crate knet alone: everything else goes through the safe types of that crate. Types are nominal, so
//! `sk_buff` here is not the `sk_buff` of [`kernel::bindings`]; pointers are cast at the border.

#![allow(
    clippy::all,
    clippy::as_underscore,
    clippy::cast_lossless,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    missing_docs,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unknown_lints,
    unnecessary_transmutes,
    unreachable_pub,
    unsafe_op_in_unsafe_fn
)]

use kernel::ffi;
use pin_init::{
    MaybeZeroable,
    Zeroable, //
};

// The kernel's bindgen parameters leave these three out, because they differ by word size.
type __kernel_size_t = usize;
type __kernel_ssize_t = isize;
type __kernel_ptrdiff_t = isize;

// SAFETY: `__BindgenBitfieldUnit<Storage>` is a newtype around `Storage`.
unsafe impl<Storage: Zeroable> Zeroable for __BindgenBitfieldUnit<Storage> {}

include!(env!("KNET_BINDINGS"));
