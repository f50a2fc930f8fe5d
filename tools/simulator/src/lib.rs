// SPDX-License-Identifier: GPL-2.0

//! A simulator of connections.
//!
//! Two ends, each the protocol core joined with a small honest TCP, talk over links that lose,
//! delay, reorder and repeat, through middleboxes that change what passes. Time is a value, chance
//! comes from a seed: a run takes no longer than its events, and happens again in the same way
//! whenever it is asked for.
//!
//! | module | is |
//! |---|---|
//! | [`scenario`] | what a seed stands for, and how to make it simpler |
//! | [`world`] | the clock, and what joins the parts |
//! | [`endpoint`] | an end: decides by the core, sends by [`tcp`] |
//! | [`app`] | the application on an end |
//! | [`link`], [`middlebox`] | the network |
//! | [`witness`] | what must hold |
//! | [`shrink`] | the search for a simpler failure |

#![forbid(unsafe_code)]

pub mod app;
pub mod chance;
pub mod endpoint;
pub mod link;
pub mod middlebox;
pub mod scenario;
pub mod segment;
pub mod shrink;
pub mod tcp;
pub mod witness;
pub mod world;
