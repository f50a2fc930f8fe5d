// SPDX-License-Identifier: GPL-2.0

//! The commands about limits.

use super::{attribute, command, namespace, LIMITS};
use kernel::prelude::*;
use knet::genetlink::{Command, Message, Request, Rules};

/// No limit can be higher.
const HIGHEST: u8 = 64;

/// Changes limits.
pub(super) struct Set;

impl Command for Set {
    const NUMBER: u8 = command::SET_LIMITS;
    const ADMINISTRATOR: bool = true;
    const ATTRIBUTES: Rules = LIMITS.rules();

    fn act(request: &Request<'_>) -> Result {
        let accepted = read(request, attribute::RCV_ADD_ADDRS)?;
        let extra = read(request, attribute::SUBFLOWS)?;
        namespace(request)?.configuration.set_limits(|limits| {
            limits.accepted_addresses = accepted.unwrap_or(limits.accepted_addresses);
            limits.extra_subflows = extra.unwrap_or(limits.extra_subflows);
        });
        Ok(())
    }
}

/// Tells the limits.
pub(super) struct Get;

impl Command for Get {
    const NUMBER: u8 = command::GET_LIMITS;
    const ADMINISTRATOR: bool = false;
    const ATTRIBUTES: Rules = LIMITS.rules();

    fn act(request: &Request<'_>) -> Result {
        let limits = namespace(request)?.configuration.read().limits();
        let mut answer = Message::answer(request)?;
        let mut body = answer.body();
        body.put_u32(attribute::RCV_ADD_ADDRS, limits.accepted_addresses.into())?;
        body.put_u32(attribute::SUBFLOWS, limits.extra_subflows.into())?;
        answer.send(request)
    }
}

/// A limit, if the message has it.
fn read(request: &Request<'_>, number: u16) -> Result<Option<u8>> {
    let Some(limit) = request.u32(number) else {
        return Ok(None);
    };
    let limit = u8::try_from(limit).ok().filter(|limit| *limit <= HIGHEST);
    limit.map(Some).ok_or_else(|| {
        request.refuse(
            EINVAL,
            request.get(number),
            format_args!("limit greater than maximum ({HIGHEST})"),
        )
    })
}
