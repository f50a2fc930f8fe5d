// SPDX-License-Identifier: GPL-2.0

//! What a program asks for that manages the paths (see [`Mode::Userspace`]).

use super::action::{LocalSide, Open};
use super::announcement::{Announced, Announcement};
use super::path::{Path, SocketAddress, SubflowId};
use super::settings::{Context, Mode};
use super::PathManager;

/// An order of the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Command {
    /// Announce an address, or announce it again.
    Announce(Announcement),
    /// Withdraw an address by REMOVE_ADDR. Its subflows stay.
    Withdraw {
        /// Our id of it.
        address_id: u8,
    },
    /// Open a subflow.
    Open {
        /// Where it comes from.
        local: LocalSide,
        /// Where it goes to.
        remote: SocketAddress,
        /// The peer's id of that address.
        remote_id: u8,
        /// Whether it is a backup.
        backup: bool,
    },
    /// Close a subflow.
    Close {
        /// Which.
        subflow: SubflowId,
    },
    /// Tell the peer whether a subflow is a backup.
    Priority {
        /// Which.
        subflow: SubflowId,
        /// Whether it is.
        backup: bool,
    },
}

/// Why a command was not obeyed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommandError {
    /// The program does not manage the paths of this connection.
    NotInCharge,
    /// The connection is not fully established, or is ending.
    NotNow,
    /// There is no room for another address or subflow.
    NoRoom,
    /// No subflow uses the address and it was not announced, or there is no such subflow.
    Unknown,
    /// The two addresses are not of one family, or the connection does not use that family.
    Family,
}

impl PathManager {
    /// Obeys a command. A subflow to be opened is the result, everything else comes from
    /// [`poll`](Self::poll).
    ///
    /// # Errors
    /// Why it cannot be obeyed; then nothing changed.
    pub fn command(
        &mut self,
        command: &Command,
        context: &Context<'_>,
    ) -> Result<Option<Open>, CommandError> {
        if context.settings.mode == Mode::Kernel {
            return Err(CommandError::NotInCharge);
        }
        if !self.established || self.ended {
            return Err(CommandError::NotNow);
        }
        match *command {
            Command::Announce(what) => self.announce(what).map(|()| None),
            Command::Withdraw { address_id } => self.withdraw(address_id).map(|()| None),
            Command::Open {
                local,
                remote,
                remote_id,
                backup,
            } => {
                let open = Open {
                    subflow: self.new_id(),
                    local: Some(local),
                    remote,
                    remote_id,
                    backup,
                };
                let one_family = local.address.same_family(&remote.address);
                if !one_family || !self.families.include(&remote.address) {
                    return Err(CommandError::Family);
                }
                let path = self.paths.push(Path::opened(&open));
                path.map(|_| Some(open)).ok_or(CommandError::NoRoom)
            }
            Command::Close { subflow } => {
                self.used(subflow)?.leave(false);
                Ok(None)
            }
            Command::Priority { subflow, backup } => {
                let path = self.used(subflow)?;
                path.local_backup = backup;
                path.priority_due = true;
                Ok(None)
            }
        }
    }

    fn announce(&mut self, what: Announcement) -> Result<(), CommandError> {
        self.announced
            .retain(|one| one.what.address_id != what.address_id);
        let placed = self.announced.push(Announced::new(what));
        placed.map(|_| ()).ok_or(CommandError::NoRoom)
    }

    fn withdraw(&mut self, address_id: u8) -> Result<(), CommandError> {
        let announced = self.announced.take(|one| one.what.address_id == address_id);
        let uses = |path: &Path| path.is_used() && path.local_id == Some(address_id);
        if announced.is_none() && !self.paths.iter().any(uses) {
            return Err(CommandError::Unknown);
        }
        self.departing.insert(address_id);
        Ok(())
    }

    fn used(&mut self, subflow: SubflowId) -> Result<&mut Path, CommandError> {
        let path = self.path_mut(subflow).filter(|path| path.is_used());
        path.ok_or(CommandError::Unknown)
    }
}
