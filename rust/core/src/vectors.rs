// SPDX-License-Identifier: GPL-2.0

//! Test vectors that the host tests and the kernel's own tests share.
