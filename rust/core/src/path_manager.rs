// SPDX-License-Identifier: GPL-2.0

//! Which addresses of this host a connection may use beside its first
//! (RFC 8684 sections 3.2 and 3.4).
//!
//! [`Endpoints`] are the addresses that the administrator of a network namespace configured.

mod endpoint;
mod list;

pub use endpoint::{Endpoint, EndpointError, EndpointFlags, EndpointView, Endpoints, NewEndpoint};
