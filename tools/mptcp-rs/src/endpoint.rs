// SPDX-License-Identifier: GPL-2.0

//! `endpoint`: addresses that connections may use. Output as of `ip mptcp endpoint`.

use crate::{
    arguments::{
        EndpointAction,
        EndpointAdd,
        EndpointChange,
        EndpointDelete, //
    },
    device,
    output::Output, //
};
use anyhow::{
    bail,
    Result, //
};
use mptcp_netlink::{
    Endpoint,
    Flags,
    PathManager, //
};
use serde_json::{
    json,
    Map,
    Value, //
};
use std::fmt::Write;

pub(crate) fn run(
    action: Option<EndpointAction>,
    path_manager: &mut PathManager,
    out: &Output,
) -> Result<()> {
    match action {
        Some(EndpointAction::Add(add)) => path_manager.add_endpoint(&new_endpoint(&add)?)?,
        Some(EndpointAction::Delete(delete)) => {
            path_manager.delete_endpoint(&endpoint_to_delete(&delete)?)?;
        }
        Some(EndpointAction::Change(change)) => {
            path_manager.change_endpoint(&changed_endpoint(&change))?;
        }
        Some(EndpointAction::Flush) => path_manager.flush_endpoints()?,
        Some(EndpointAction::Show {
            token: Some(token),
            id,
        }) => {
            let mut known = path_manager.known_addresses(token.0)?;
            known.retain(|one| id.is_none() || one.id == id);
            out.list(&known, line, to_json)?;
        }
        Some(EndpointAction::Show { id: Some(id), .. }) => {
            out.list(&[path_manager.endpoint(id)?], line, to_json)?;
        }
        Some(EndpointAction::Show { .. }) | None => {
            out.list(&path_manager.endpoints()?, line, to_json)?;
        }
    }
    Ok(())
}

fn new_endpoint(add: &EndpointAdd) -> Result<Endpoint> {
    let mut flags = Flags::empty();
    flags.set(Flags::SIGNAL, add.signal);
    flags.set(Flags::SUBFLOW, add.subflow);
    flags.set(Flags::LAMINAR, add.laminar);
    flags.set(Flags::BACKUP, add.backup);
    flags.set(Flags::FULLMESH, add.fullmesh);
    Ok(Endpoint {
        address: Some(add.address),
        id: add.id,
        port: add.port,
        flags,
        device: add.dev.as_deref().map(device::index_of).transpose()?,
    })
}

fn endpoint_to_delete(delete: &EndpointDelete) -> Result<Endpoint> {
    match (delete.id, delete.address) {
        (0, None) => bail!("the id 0 is every connection's first address: say which address"),
        (1.., Some(_)) => bail!("an address goes with the id 0 only: another id says enough"),
        _ => Ok(Endpoint {
            id: Some(delete.id),
            address: delete.address,
            ..Endpoint::default()
        }),
    }
}

fn changed_endpoint(change: &EndpointChange) -> Endpoint {
    let mut flags = Flags::empty();
    flags.set(Flags::BACKUP, change.backup);
    flags.set(Flags::FULLMESH, change.fullmesh);
    Endpoint {
        address: change.address,
        id: change.id,
        port: change.port,
        flags,
        device: None,
    }
}

/// Names of the flags, in the order of ip(8).
const FLAG_NAMES: [(Flags, &str); 6] = [
    (Flags::SIGNAL, "signal"),
    (Flags::SUBFLOW, "subflow"),
    (Flags::BACKUP, "backup"),
    (Flags::FULLMESH, "fullmesh"),
    (Flags::IMPLICIT, "implicit"),
    (Flags::LAMINAR, "laminar"),
];

/// A line as of ip(8), which ends every word with a space.
fn line(endpoint: &Endpoint) -> String {
    let mut line = String::new();
    for (name, value) in fields(endpoint) {
        let written = match (name.as_str(), value) {
            ("address", Value::String(address)) => write!(line, "{address} "),
            (_, Value::Bool(_)) => write!(line, "{name} "),
            (_, Value::String(text)) => write!(line, "{name} {text} "),
            (_, value) => write!(line, "{name} {value} "),
        };
        debug_assert!(written.is_ok(), "a string takes all text");
    }
    line
}

fn to_json(endpoint: &Endpoint) -> Value {
    Value::Object(fields(endpoint))
}

/// What there is to say of an endpoint, in the order of ip(8).
fn fields(endpoint: &Endpoint) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if let Some(address) = endpoint.address {
        put("address", json!(address.to_string()));
    }
    if let Some(port) = endpoint.port {
        put("port", json!(port));
    }
    if let Some(id) = endpoint.id {
        put("id", json!(id));
    }
    let mut unknown = endpoint.flags;
    for (flag, name) in FLAG_NAMES {
        if endpoint.flags.contains(flag) {
            put(name, json!(true));
        }
        unknown.remove(flag);
    }
    if !unknown.is_empty() {
        put("rawflags", json!(format!("{:02x}", unknown.bits())));
    }
    if let Some(name) = endpoint.device.and_then(device::name_of) {
        put("dev", json!(name));
    }
    fields
}

#[cfg(test)]
mod tests;
