// SPDX-License-Identifier: GPL-2.0

//! What can go wrong between a program and the kernel, each in one sentence.

use netlink_packet_core::DecodeError;
use std::io;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the kernel did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel knows no generic netlink family of this name.
    #[error(
        "the kernel has no netlink family {0}: load the module, or name another with --family"
    )]
    NoFamily(String),
    /// The family has no multicast group of this name.
    #[error("the netlink family {family} has no group {group}")]
    NoGroup {
        /// The family that was asked.
        family: String,
        /// The group that it lacks.
        group: &'static str,
    },
    /// The kernel refused, for want of CAP_NET_ADMIN in the network namespace.
    #[error("this needs the rights of an administrator (CAP_NET_ADMIN) in this network namespace")]
    NotPermitted,
    /// The kernel refused and said why in words.
    #[error("the kernel refused: {message} ({})", words_of(*errno))]
    Refused {
        /// The error number, positive.
        errno: i32,
        /// The words of its extended acknowledgement.
        message: String,
    },
    /// The kernel refused by an error number alone.
    #[error("the kernel refused: {}", words_of(*.0))]
    RefusedSilently(i32),
    /// Some messages were lost, because they came faster than they were read.
    #[error("messages of the kernel were lost, because they came faster than they were read")]
    Overrun,
    /// The kernel's answer is not what the protocol says.
    #[error("the kernel's answer is malformed: {0}")]
    Malformed(String),
    /// The socket failed.
    #[error("the netlink socket failed: {0}")]
    Socket(#[from] io::Error),
}

impl Error {
    /// The error number with which the kernel refused.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NotPermitted => Some(EPERM),
            Self::Refused { errno, .. } | Self::RefusedSilently(errno) => Some(*errno),
            Self::Socket(error) => error.raw_os_error(),
            _ => None,
        }
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// The words of strerror(3), without the number that the standard library puts behind them.
fn words_of(errno: i32) -> String {
    let words = io::Error::from_raw_os_error(errno).to_string();
    match words.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => words,
    }
}

/// Operation not permitted; errno(3).
pub(crate) const EPERM: i32 = 1;
/// No such entry: an unknown family; errno(3).
pub(crate) const ENOENT: i32 = 2;
/// No room for another message in the socket's buffer; errno(3).
pub(crate) const ENOBUFS: i32 = 105;
