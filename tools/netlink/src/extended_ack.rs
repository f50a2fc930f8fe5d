// SPDX-License-Identifier: GPL-2.0

//! The kernel's refusals: an error number, and often words that say what was wrong.

use crate::error::{
    Error,
    EPERM, //
};
use netlink_packet_core::{
    parse_string,
    NlasIterator, //
};

/// NLMSGERR_ATTR_MSG of linux/netlink.h: a sentence for people.
const MESSAGE: u16 = 1;
/// The header of the request, which a refusal repeats before its attributes.
const REQUEST_HEADER: usize = 16;

/// The error of an NLMSG_ERROR: `errno` is positive, `after_code` begins with the request's header.
pub(crate) fn refusal_of_error(errno: i32, after_code: &[u8]) -> Error {
    refusal(errno, after_code.get(REQUEST_HEADER..).unwrap_or_default())
}

/// The error that ends a dump in NLMSG_DONE: `attributes` follow the error number at once.
pub(crate) fn refusal_of_dump(errno: i32, attributes: &[u8]) -> Error {
    refusal(errno, attributes)
}

fn refusal(errno: i32, attributes: &[u8]) -> Error {
    if errno == EPERM {
        return Error::NotPermitted;
    }
    let message = NlasIterator::new(attributes)
        .map_while(std::result::Result::ok)
        .find(|attribute| attribute.kind() == MESSAGE)
        .and_then(|attribute| parse_string(attribute.value()).ok());
    match message {
        Some(message) => Error::Refused { errno, message },
        None => Error::RefusedSilently(errno),
    }
}

#[cfg(test)]
mod tests;
