// SPDX-License-Identifier: GPL-2.0

//! Whether a subflow that the peer opens is welcome (RFC 8684 section 3.2).

use super::endpoint::EndpointFlags;
use super::path::{Origin, Path, SocketAddress, State, SubflowId};
use super::settings::{Context, Mode};
use super::voice::Voice;
use super::PathManager;
use crate::wire::{MpTcpRst, ResetReason};

/// A SYN with MP_JOIN for the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JoinRequest {
    /// Where it went to.
    pub local: SocketAddress,
    /// Where it came from.
    pub remote: SocketAddress,
    /// The peer's id of that address.
    pub remote_id: u8,
    /// Whether the peer declares the subflow a backup.
    pub backup: bool,
}

/// A subflow that was let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Admitted {
    /// Its name.
    pub subflow: SubflowId,
    /// Our id of the address it came to, for the SYN/ACK.
    pub local_id: u8,
    /// Whether to declare it a backup in the SYN/ACK.
    pub backup: bool,
}

/// Why a join is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The connection is not fully established.
    NotNow,
    /// The connection ends, or became plain TCP.
    Over,
    /// The limit of subflows is reached.
    Limit,
    /// There is no room for another subflow.
    NoRoom,
    /// We forbade joins to our first address and port (the C flag, RFC 8684 section 3.1).
    Denied,
    /// The port is neither that of the connection nor announced.
    Port,
    /// The address has no id; see [`Endpoints::id_of`](super::Endpoints::id_of).
    UnknownAddress,
}

impl Refusal {
    /// What the RST tells the peer.
    #[inline]
    pub const fn rst(self) -> MpTcpRst {
        MpTcpRst {
            transient: self.is_transient(),
            reason: self.reason(),
        }
    }

    /// RFC 8684 section 3.2: a host that does not want a subflow resets it and gives an
    /// MPTCP-specific error as the reason; section 3.6 has more telling ones for some cases.
    // rfc8684:3.2-14
    #[inline]
    const fn reason(self) -> ResetReason {
        match self {
            Self::NotNow | Self::Over | Self::Limit => ResetReason::MPTCP_SPECIFIC,
            Self::NoRoom => ResetReason::LACK_OF_RESOURCES,
            Self::Denied | Self::Port | Self::UnknownAddress => {
                ResetReason::ADMINISTRATIVELY_PROHIBITED
            }
        }
    }

    /// Whether the RST tells the peer to try again later (RFC 8684 section 3.6).
    ///
    /// A join over a short path overtakes what makes the connection fully established over a long
    /// one. The peer cannot know, and would never try again.
    #[inline]
    const fn is_transient(self) -> bool {
        matches!(self, Self::NotNow | Self::NoRoom)
    }
}

impl PathManager {
    /// Whether the connection takes a subflow that the peer opens, which then counts as being
    /// opened until [`Event::Live`](super::Event::Live) or
    /// [`Event::SubflowEnded`](super::Event::SubflowEnded).
    ///
    /// # Errors
    /// Why it does not.
    pub fn admit(
        &mut self,
        request: &JoinRequest,
        context: &Context<'_>,
    ) -> Result<Admitted, Refusal> {
        if self.ended {
            return Err(Refusal::Over);
        }
        if !self.established {
            return Err(Refusal::NotNow);
        }
        if self.extra_subflows() >= Self::join_limit(context) {
            return Err(Refusal::Limit);
        }
        self.may_come_to(&request.local)?;
        let (local_id, backup) = self.identify(&request.local, context)?;
        let path = Path {
            id: self.new_id(),
            origin: Origin::Peer,
            local_id: Some(local_id),
            remote_id: request.remote_id,
            remote: request.remote,
            local_backup: backup,
            remote_backup: request.backup,
            priority_due: false,
            worked: false,
            failures: 0,
            voice: Voice::FRESH,
            state: State::Opening,
        };
        let placed = self.paths.push(path).ok_or(Refusal::NoRoom)?;
        Ok(Admitted {
            subflow: placed.id,
            local_id,
            backup,
        })
    }

    /// Whether a subflow of the peer may come to a place of ours. Its SYN tells that already.
    ///
    /// # Errors
    /// Why it may not.
    pub fn may_come_to(&self, local: &SocketAddress) -> Result<(), Refusal> {
        if self.denies && *local == self.local {
            return Err(Refusal::Denied);
        }
        if !self.expects_port(local) {
            return Err(Refusal::Port);
        }
        Ok(())
    }

    fn join_limit(context: &Context<'_>) -> usize {
        match context.settings.mode {
            Mode::Kernel => context.settings.limits.extra_subflows.into(),
            Mode::Userspace { listening: true } => usize::MAX,
            Mode::Userspace { listening: false } => 0,
        }
    }

    fn expects_port(&self, local: &SocketAddress) -> bool {
        let announced = self
            .announced
            .iter()
            .any(|one| one.what.address == local.address && one.what.port == Some(local.port));
        local.port == self.local.port || announced
    }

    /// Our id of an address, and whether its subflows are backups.
    fn identify(
        &self,
        local: &SocketAddress,
        context: &Context<'_>,
    ) -> Result<(u8, bool), Refusal> {
        let endpoint = context.endpoints.serving(&local.address, local.port);
        let backup = endpoint.is_some_and(|endpoint| endpoint.flags.has(EndpointFlags::BACKUP));
        if local.address == self.local.address {
            return Ok((
                endpoint.map_or(0, |endpoint| self.local_id(&endpoint)),
                backup,
            ));
        }
        let endpoint = endpoint.ok_or(Refusal::UnknownAddress)?;
        Ok((endpoint.id, backup))
    }
}
