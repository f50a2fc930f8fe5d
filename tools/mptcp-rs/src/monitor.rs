// SPDX-License-Identifier: GPL-2.0

//! `monitor`: prints events as they come, by the names of `ip mptcp monitor`.

use crate::{
    device,
    output::Output, //
};
use anyhow::Result;
use mptcp_netlink::{
    Error,
    Event,
    EventKind,
    PathManager, //
};
use serde_json::{
    json,
    Map,
    Value, //
};
use std::net::IpAddr;

pub(crate) fn run(path_manager: PathManager, out: &Output) -> Result<()> {
    for event in path_manager.events()? {
        match event {
            Ok(event) => out.one(|| line(&event), || Value::Object(fields(&event)))?,
            Err(error @ Error::Overrun) => eprintln!("warning: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A line as of ip(8): the kind in brackets, 16 wide, then `name=value`.
fn line(event: &Event) -> String {
    let mut line = match event.kind {
        EventKind::Unknown(_) => return format!("[{}]", name_of(event.kind)),
        kind => format!("[{:>16}]", name_of(kind)),
    };
    for (name, value) in fields(event).into_iter().skip(1) {
        line += &match (name.as_str(), value) {
            ("token", _) => format!(" token={:08x}", event.token.unwrap_or_default()),
            (_, Value::Bool(_)) => format!(" {name}"),
            (_, Value::String(text)) => format!(" {name}={text}"),
            (_, value) => format!(" {name}={value}"),
        };
    }
    line
}

fn name_of(kind: EventKind) -> String {
    match kind {
        EventKind::Created => "CREATED",
        EventKind::Established => "ESTABLISHED",
        EventKind::Closed => "CLOSED",
        EventKind::Announced => "ANNOUNCED",
        EventKind::Removed => "REMOVED",
        EventKind::SubflowEstablished => "SF_ESTABLISHED",
        EventKind::SubflowClosed => "SF_CLOSED",
        EventKind::SubflowPriority => "SF_PRIO",
        EventKind::ListenerCreated => "LISTENER_CREATED",
        EventKind::ListenerClosed => "LISTENER_CLOSED",
        EventKind::Unknown(number) => return format!("UNKNOWN {number}"),
    }
    .to_owned()
}

/// What there is to say of an event, in the order of ip(8), its kind first.
fn fields(event: &Event) -> Map<String, Value> {
    let address = |four, six, address: Option<IpAddr>| {
        address.map(|address| match address {
            IpAddr::V4(_) => (four, json!(address.to_string())),
            IpAddr::V6(_) => (six, json!(address.to_string())),
        })
    };
    let hexadecimal = |value: u32| json!(format!("{value:#x}"));
    let device = event.device.and_then(|index| u32::try_from(index).ok());
    [
        Some(("event", json!(name_of(event.kind)))),
        event.token.map(|token| ("token", hexadecimal(token))),
        event.remote_id.map(|id| ("remid", json!(id))),
        event.local_id.map(|id| ("locid", json!(id))),
        address("saddr4", "saddr6", event.source),
        address("daddr4", "daddr6", event.destination),
        event.source_port.map(|port| ("sport", json!(port))),
        event.destination_port.map(|port| ("dport", json!(port))),
        event.backup.map(|backup| ("backup", json!(backup))),
        event.error.map(|error| ("error", json!(error))),
        event.timeout.map(|timeout| ("timeout", json!(timeout))),
        event.device.map(|index| ("ifindex", json!(index))),
        device
            .and_then(device::name_of)
            .map(|name| ("dev", json!(name))),
        event
            .reset_reason
            .map(|reason| ("reset_reason", json!(reason))),
        event
            .reset_flags
            .map(|flags| ("reset_flags", hexadecimal(flags))),
        event.server_side.then(|| ("server_side", json!(true))),
        event.deny_join_id0.then(|| ("deny_join_id0", json!(true))),
        (event.flags != 0).then(|| ("flags", hexadecimal(event.flags.into()))),
    ]
    .into_iter()
    .flatten()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

#[cfg(test)]
mod tests;
