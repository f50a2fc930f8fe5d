// SPDX-License-Identifier: GPL-2.0

//! Which addresses are announced, and which subflows opened and closed: what the administrator
//! configures, and what the host tells about its addresses. Crate `mptcp_core` decides.

pub(crate) mod endpoints;
pub(crate) mod netlink;
pub(crate) mod notifier;
