// SPDX-License-Identifier: GPL-2.0

//! Calls everything that the path manager offers.

use crate::Opaque;
use mptcp_core::crypto::KeyPair;
use mptcp_core::path_manager::{
    Action, Admitted, Announcement, Command, CommandError, Context, Endpoint, EndpointError,
    EndpointFlags, Endpoints, Event, JoinRequest, KnownAddresses, NewEndpoint, Open, Opened,
    PathManager, Refusal, SocketAddress, SubflowId,
};
use mptcp_core::wire::{AddAddr, Address, MpTcpRst};

type Table = Endpoints<99>;

entry_points! {
    endpoint_change(table: &mut Table, id: u8, on: bool) -> Result<Endpoint, EndpointError> {
        table.set_flags(id, on, on)?;
        table.remove(id)
    }
    endpoint_add(table: &mut Table, new: NewEndpoint) -> Result<Endpoint, EndpointError> {
        table.add(new)
    }
    endpoint_other(table: &mut Table, address: Address) -> (Result<u8, EndpointError>, bool) {
        table.set_usable(&address, false);
        let id = table.id_of(address);
        let usable = table.view().usable(EndpointFlags::SIGNAL).next().is_some();
        table.flush();
        (id, usable)
    }
    endpoint_of_port(table: &mut Table, new: NewEndpoint, port: u16)
        -> Result<(u8, Option<Endpoint>), EndpointError> {
        new.check()?;
        let id = table.id_at(new.address, port)?;
        Ok((id, table.view().serving(&new.address, port)))
    }
    endpoint_known(known: &mut KnownAddresses<99>, id: u8, new: NewEndpoint)
        -> Result<(bool, Endpoint), EndpointError> {
        let is_new = known.note(id, new)?;
        known.set_backup(&new.address, is_new);
        let id = known.id_of(new.address)?;
        Ok((is_new, known.forget(id)?))
    }
    endpoint_flags(bits: u32) -> Option<u32> { Some(EndpointFlags::from_bits(bits)?.bits()) }

    path_manager_new(opened: &Opened, now: u64) -> PathManager { PathManager::new(opened, now) }
    path_manager_handle(manager: &mut PathManager, event: &Event, context: &Context<'_>) {
        manager.handle(event, context);
    }
    path_manager_poll(manager: &mut PathManager, context: &Context<'_>) -> Option<Action> {
        manager.poll(context)
    }
    path_manager_admit(manager: &mut PathManager, request: &JoinRequest, context: &Context<'_>)
        -> Result<Admitted, Refusal> {
        manager.admit(request, context)
    }
    path_manager_place(manager: &PathManager, local: &SocketAddress) -> Result<(), Refusal> {
        manager.may_come_to(local)
    }
    path_manager_command(manager: &mut PathManager, command: &Command, context: &Context<'_>)
        -> Result<Option<Open>, CommandError> {
        manager.command(command, context)
    }
    path_manager_look(manager: &PathManager, subflow: SubflowId)
        -> (usize, Option<bool>, Option<u64>) {
        (manager.extra_subflows(), manager.is_backup(subflow), manager.deadline())
    }
    path_manager_announcement(option: &AddAddr, keys: KeyPair, sha: &Opaque)
        -> Option<(AddAddr, AddAddr)> {
        let announcement = Announcement::verified(option, keys, sha)?;
        Some((announcement.signed(keys, sha), announcement.echo()))
    }
    path_manager_refusal(refusal: Refusal) -> MpTcpRst {
        refusal.rst()
    }
}
