// SPDX-License-Identifier: GPL-2.0

//! The path manager's family: linux/mptcp_pm.h.

mod address;
mod event;
mod message;

pub use address::{
    Endpoint,
    Flags, //
};
pub use event::{
    Event,
    EventKind,
    Events, //
};

use crate::{
    error::{
        Error,
        Result, //
    },
    family::Family,
    transport::{
        Transport,
        Wanted, //
    }, //
};
use message::{
    Attribute,
    Command,
    Message, //
};
use netlink_packet_generic::GenlMessage;
use netlink_sys::protocols::NETLINK_GENERIC;

/// The family names that are tried in this order: the module's beside the kernel's own Multipath TCP, then the
/// kernel's own, which is also the module's where it stands alone.
const NAMES: [&str; 2] = ["mptcp_rs_pm", "mptcp_pm"];

/// How many addresses and subflows a connection of the network namespace may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Addresses announced by the peer that are used (MPTCP_PM_ATTR_RCV_ADD_ADDRS).
    pub add_addr_accepted: Option<u32>,
    /// Subflows besides the first (MPTCP_PM_ATTR_SUBFLOWS).
    pub subflows: Option<u32>,
}

/// The path manager of the network namespace in which it was opened.
pub struct PathManager {
    transport: Transport,
    family: Family,
}

impl PathManager {
    /// Finds the family of this name, or without a name the first that the kernel has.
    pub fn open(name: Option<&str>) -> Result<Self> {
        let mut transport = Transport::open(NETLINK_GENERIC)?;
        let names = match name {
            Some(name) => vec![name],
            None => NAMES.to_vec(),
        };
        for name in names {
            match Family::find(&mut transport, name) {
                Ok(family) => return Ok(Self { transport, family }),
                Err(Error::NoFamily(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::NoFamily(
            name.map_or_else(|| NAMES.join(" or "), str::to_owned),
        ))
    }

    /// The name of the family that was found.
    pub fn family(&self) -> &str {
        &self.family.name
    }

    /// All endpoints.
    pub fn endpoints(&mut self) -> Result<Vec<Endpoint>> {
        let answers = self.ask(Command::GetAddress, Vec::new(), Wanted::Dump)?;
        answers.iter().map(Message::endpoint).collect()
    }

    /// The endpoint with this id.
    pub fn endpoint(&mut self, id: u8) -> Result<Endpoint> {
        let wanted = Endpoint {
            id: Some(id),
            ..Endpoint::default()
        };
        let attributes = vec![Attribute::Address(wanted.to_attributes())];
        let answers = self.ask(Command::GetAddress, attributes, Wanted::Answer)?;
        let answer = answers.first();
        answer
            .ok_or_else(|| Error::Malformed("it has no endpoint".into()))?
            .endpoint()
    }

    /// All addresses that a path manager in user space made known on one connection.
    pub fn known_addresses(&mut self, token: u32) -> Result<Vec<Endpoint>> {
        let attributes = vec![Attribute::Token(token)];
        let answers = self.ask(Command::GetAddress, attributes, Wanted::Dump)?;
        answers.iter().map(Message::endpoint).collect()
    }

    /// Adds an endpoint; without an id the kernel chooses one.
    pub fn add_endpoint(&mut self, endpoint: &Endpoint) -> Result<()> {
        self.order(
            Command::AddAddress,
            vec![Attribute::Address(endpoint.to_attributes())],
        )
    }

    /// Removes the endpoint with this id; the id 0 is that of connections' first addresses, and needs the address.
    pub fn delete_endpoint(&mut self, endpoint: &Endpoint) -> Result<()> {
        self.order(
            Command::DeleteAddress,
            vec![Attribute::Address(endpoint.to_attributes())],
        )
    }

    /// Gives the endpoint with this id, or else with this address and port, other flags.
    pub fn change_endpoint(&mut self, endpoint: &Endpoint) -> Result<()> {
        self.order(
            Command::SetFlags,
            vec![Attribute::Address(endpoint.to_attributes())],
        )
    }

    /// Removes all endpoints.
    pub fn flush_endpoints(&mut self) -> Result<()> {
        self.order(Command::FlushAddresses, Vec::new())
    }

    /// The limits of new and existing connections.
    pub fn limits(&mut self) -> Result<Limits> {
        let answers = self.ask(Command::GetLimits, Vec::new(), Wanted::Answer)?;
        Ok(answers.first().map(Message::limits).unwrap_or_default())
    }

    /// Changes those limits that have a value.
    pub fn set_limits(&mut self, limits: Limits) -> Result<()> {
        let addresses = limits.add_addr_accepted.map(Attribute::AcceptedAddresses);
        let subflows = limits.subflows.map(Attribute::Subflows);
        self.order(
            Command::SetLimits,
            addresses.into_iter().chain(subflows).collect(),
        )
    }

    /// Announces an address to the peer of one connection (ADD_ADDR); for a path manager in user space.
    pub fn announce(&mut self, token: u32, endpoint: &Endpoint) -> Result<()> {
        self.order(
            Command::Announce,
            vec![
                Attribute::Address(endpoint.to_attributes()),
                Attribute::Token(token),
            ],
        )
    }

    /// Takes an announced address back (REMOVE_ADDR); for a path manager in user space.
    pub fn remove(&mut self, token: u32, id: u8) -> Result<()> {
        self.order(
            Command::Remove,
            vec![Attribute::Token(token), Attribute::LocalId(id)],
        )
    }

    /// Opens a subflow from `local` to the address and port of `remote`; for a path manager in user space.
    pub fn create_subflow(
        &mut self,
        token: u32,
        local: &Endpoint,
        remote: &Endpoint,
    ) -> Result<()> {
        self.order(Command::CreateSubflow, path(token, local, remote))
    }

    /// Closes the subflow between two addresses and ports; for a path manager in user space.
    pub fn destroy_subflow(
        &mut self,
        token: u32,
        local: &Endpoint,
        remote: &Endpoint,
    ) -> Result<()> {
        self.order(Command::DestroySubflow, path(token, local, remote))
    }

    /// Makes the subflow between two addresses a backup or not, by the flags of `local`, and tells the peer
    /// (MP_PRIO); for a path manager in user space.
    pub fn change_subflow(
        &mut self,
        token: u32,
        local: &Endpoint,
        remote: &Endpoint,
    ) -> Result<()> {
        self.order(Command::SetFlags, path(token, local, remote))
    }

    /// Listens to the events from now on.
    pub fn events(self) -> Result<Events> {
        Events::listen(self.transport, &self.family)
    }

    fn order(&mut self, command: Command, attributes: Vec<Attribute>) -> Result<()> {
        self.ask(command, attributes, Wanted::Acknowledgement)?;
        Ok(())
    }

    fn ask(
        &mut self,
        command: Command,
        attributes: Vec<Attribute>,
        wanted: Wanted,
    ) -> Result<Vec<Message>> {
        let mut request = GenlMessage::from_payload(Message::new(command, attributes));
        request.set_resolved_family_id(self.family.id);
        let answers = self.transport.ask(request, wanted)?;
        Ok(answers.into_iter().map(|answer| answer.payload).collect())
    }
}

fn path(token: u32, local: &Endpoint, remote: &Endpoint) -> Vec<Attribute> {
    vec![
        Attribute::Token(token),
        Attribute::Address(local.to_attributes()),
        Attribute::RemoteAddress(remote.to_attributes()),
    ]
}

/// Reads a datagram as answers and as events.
#[cfg(test)]
pub(crate) fn parse_any(datagram: &[u8]) {
    use crate::transport::payloads;
    if let Ok(messages) = payloads::<GenlMessage<Message>>(datagram) {
        for message in messages {
            let _ignored = message.payload.endpoint();
            message.payload.limits();
        }
    }
    let _ignored = payloads::<GenlMessage<Event>>(datagram);
}
