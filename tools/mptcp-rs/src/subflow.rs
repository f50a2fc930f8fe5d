// SPDX-License-Identifier: GPL-2.0

//! `subflow`, `announce` and `remove`: a path manager by hand, for connections whose path manager is in user space.

use crate::{
    arguments::{
        Announce,
        Remove,
        SubflowAction,
        SubflowPath, //
    },
    device, //
};
use anyhow::Result;
use mptcp_netlink::{
    Endpoint,
    Flags,
    PathManager, //
};
use std::net::SocketAddr;

pub(crate) fn run(action: SubflowAction, path_manager: &mut PathManager) -> Result<()> {
    match action {
        SubflowAction::Add(add) => {
            let local = Endpoint {
                address: Some(add.local),
                id: Some(add.id),
                port: None,
                flags: flag_if(Flags::BACKUP, add.backup),
                device: add.dev.as_deref().map(device::index_of).transpose()?,
            };
            path_manager.create_subflow(add.token.0, &local, &end(add.remote))?;
        }
        SubflowAction::Delete(SubflowPath {
            token,
            local,
            remote,
        }) => {
            path_manager.destroy_subflow(token.0, &end(local), &end(remote))?;
        }
        SubflowAction::Backup { path, off } => {
            let local = Endpoint {
                flags: flag_if(Flags::BACKUP, !off),
                ..end(path.local)
            };
            path_manager.change_subflow(path.token.0, &local, &end(path.remote))?;
        }
    }
    Ok(())
}

pub(crate) fn announce(announce: &Announce, path_manager: &mut PathManager) -> Result<()> {
    let endpoint = Endpoint {
        address: Some(announce.address),
        id: Some(announce.id),
        port: announce.port,
        flags: Flags::SIGNAL,
        device: announce.dev.as_deref().map(device::index_of).transpose()?,
    };
    Ok(path_manager.announce(announce.token.0, &endpoint)?)
}

pub(crate) fn remove(remove: &Remove, path_manager: &mut PathManager) -> Result<()> {
    Ok(path_manager.remove(remove.token.0, remove.id)?)
}

fn end(address: SocketAddr) -> Endpoint {
    Endpoint {
        address: Some(address.ip()),
        port: Some(address.port()),
        ..Endpoint::default()
    }
}

fn flag_if(flag: Flags, set: bool) -> Flags {
    if set {
        flag
    } else {
        Flags::empty()
    }
}
