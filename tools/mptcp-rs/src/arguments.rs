// SPDX-License-Identifier: GPL-2.0

//! The grammar of the command line.

use clap::{
    Args,
    Parser,
    Subcommand, //
};
use std::{
    net::{
        IpAddr,
        SocketAddr, //
    },
    path::PathBuf,
    str::FromStr, //
};

/// Shows and steers Multipath TCP connections
///
/// Options of a command may be written without dashes, as ip(8) wants them: `endpoint add 10.0.0.1 dev eth0 signal`
/// is `endpoint add 10.0.0.1 --dev eth0 --signal`. Commands may be cut short as long as they stay clear.
#[derive(Parser)]
#[command(name = "mptcp-rs", version, infer_subcommands = true)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(short, long, global = true)]
    pub(crate) json: bool,
    /// Netlink family to speak to: mptcp_rs_pm is the module's, mptcp_pm the kernel's own; the first that exists
    /// unless given
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) family: Option<String>,
    #[command(subcommand)]
    pub(crate) subject: Subject,
}

/// What a command is about.
#[derive(Subcommand)]
pub(crate) enum Subject {
    /// Addresses that connections may use
    #[command(infer_subcommands = true)]
    Endpoint {
        #[command(subcommand)]
        action: Option<EndpointAction>,
    },
    /// How many addresses and subflows a connection may have
    #[command(infer_subcommands = true)]
    Limits {
        #[command(subcommand)]
        action: Option<LimitsAction>,
    },
    /// Print what happens to connections, as it happens
    Monitor,
    /// Connections and their state
    Connections,
    /// Subflows of all connections, or of one
    Subflows {
        /// Token of the connection, hexadecimal
        #[arg(long)]
        token: Option<Token>,
    },
    /// Event counters of this network namespace
    Counters(CounterSelection),
    /// Open, close or change a subflow, in place of the kernel's path manager
    #[command(infer_subcommands = true)]
    Subflow {
        #[command(subcommand)]
        action: SubflowAction,
    },
    /// Announce an address to a peer, in place of the kernel's path manager
    Announce(Announce),
    /// Take an announced address back, in place of the kernel's path manager
    Remove(Remove),
    /// Which subflow sends the next data
    #[command(infer_subcommands = true)]
    Scheduler {
        #[command(subcommand)]
        action: Option<SchedulerAction>,
    },
    /// Connections and their paths, again and again: rates, round-trip times, queues, processors
    Top(TopOptions),
    /// Which processor receives what, and what the kernel needs for it
    #[command(infer_subcommands = true)]
    Steering {
        #[command(subcommand)]
        action: Option<SteeringAction>,
    },
    /// Write man pages and shell completions
    #[command(hide = true)]
    Generate {
        /// Where to
        folder: PathBuf,
    },
}

/// What to do with endpoints.
#[derive(Subcommand)]
pub(crate) enum EndpointAction {
    /// Add an endpoint
    Add(EndpointAdd),
    /// Remove an endpoint
    #[command(visible_alias = "del")]
    Delete(EndpointDelete),
    /// Make an endpoint a backup, a full mesh, or not
    Change(EndpointChange),
    /// List all endpoints, or one; or the addresses of one connection whose path manager is in user space
    Show {
        /// Only the endpoint with this id
        #[arg(long)]
        id: Option<u8>,
        /// Token of the connection, hexadecimal
        #[arg(long)]
        token: Option<Token>,
    },
    /// Remove all endpoints
    Flush,
}

/// A new endpoint.
#[derive(Args)]
pub(crate) struct EndpointAdd {
    /// Local address
    pub(crate) address: IpAddr,
    /// Network device that the address belongs to
    #[arg(long, value_name = "NAME")]
    pub(crate) dev: Option<String>,
    /// Address id; the kernel chooses one unless given
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) id: Option<u8>,
    /// Port to announce with the address
    #[arg(long, value_name = "NR", requires = "signal")]
    pub(crate) port: Option<u16>,
    /// Announce the address to peers
    #[arg(long, conflicts_with = "fullmesh")]
    pub(crate) signal: bool,
    /// Open subflows from the address
    #[arg(long)]
    pub(crate) subflow: bool,
    /// Open subflows from the address in answer to announced addresses
    #[arg(long)]
    pub(crate) laminar: bool,
    /// Its subflows are backups
    #[arg(long)]
    pub(crate) backup: bool,
    /// Open subflows from the address to every address of the peer
    #[arg(long)]
    pub(crate) fullmesh: bool,
}

/// An endpoint to remove.
#[derive(Args)]
pub(crate) struct EndpointDelete {
    /// Address id
    #[arg(long, required = true)]
    pub(crate) id: u8,
    /// Local address, with the id 0 only
    pub(crate) address: Option<IpAddr>,
}

/// An endpoint to change.
#[derive(Args)]
pub(crate) struct EndpointChange {
    /// Local address
    #[arg(required_unless_present = "id")]
    pub(crate) address: Option<IpAddr>,
    /// Address id
    #[arg(long, conflicts_with = "port", value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) id: Option<u8>,
    /// Port that is announced with the address
    #[arg(long, value_name = "NR")]
    pub(crate) port: Option<u16>,
    /// Its subflows are backups
    #[arg(long)]
    pub(crate) backup: bool,
    /// Its subflows are no backups
    #[arg(long, conflicts_with = "backup")]
    pub(crate) nobackup: bool,
    /// Open subflows from the address to every address of the peer
    #[arg(long)]
    pub(crate) fullmesh: bool,
    /// Do not
    #[arg(long, conflicts_with = "fullmesh")]
    pub(crate) nofullmesh: bool,
}

/// What to do with limits.
#[derive(Subcommand)]
pub(crate) enum LimitsAction {
    /// Change one limit or both
    Set(LimitsSet),
    /// Print the limits
    Show,
}

/// New limits.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct LimitsSet {
    /// Subflows besides the first
    #[arg(long, value_name = "NR")]
    pub(crate) subflows: Option<u32>,
    /// Addresses announced by the peer that are used
    #[arg(long = "add_addr_accepted", value_name = "NR")]
    pub(crate) add_addr_accepted: Option<u32>,
}

/// What to do with a subflow.
#[derive(Subcommand)]
pub(crate) enum SubflowAction {
    /// Open a subflow
    Add(SubflowAdd),
    /// Close a subflow
    #[command(visible_alias = "del")]
    Delete(SubflowPath),
    /// Make a subflow a backup, or with `off` a regular one
    Backup {
        #[command(flatten)]
        path: SubflowPath,
        /// No backup any more
        #[arg(long)]
        off: bool,
    },
}

/// A new subflow.
#[derive(Args)]
pub(crate) struct SubflowAdd {
    /// Token of the connection, hexadecimal
    #[arg(long)]
    pub(crate) token: Token,
    /// Local address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) local: IpAddr,
    /// Id of the local address
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) id: u8,
    /// Address and port of the peer, as 10.0.0.1:80 or [2001:db8::1]:80
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) remote: SocketAddr,
    /// Network device of the local address
    #[arg(long, value_name = "NAME")]
    pub(crate) dev: Option<String>,
    /// The subflow is a backup
    #[arg(long)]
    pub(crate) backup: bool,
}

/// A subflow that exists.
#[derive(Args)]
pub(crate) struct SubflowPath {
    /// Token of the connection, hexadecimal
    #[arg(long)]
    pub(crate) token: Token,
    /// Local address and port
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) local: SocketAddr,
    /// Address and port of the peer
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) remote: SocketAddr,
}

/// An address to announce.
#[derive(Args)]
pub(crate) struct Announce {
    /// Local address
    pub(crate) address: IpAddr,
    /// Token of the connection, hexadecimal
    #[arg(long)]
    pub(crate) token: Token,
    /// Address id
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..))]
    pub(crate) id: u8,
    /// Port to announce with the address
    #[arg(long, value_name = "NR")]
    pub(crate) port: Option<u16>,
    /// Network device of the address
    #[arg(long, value_name = "NAME")]
    pub(crate) dev: Option<String>,
}

/// An announced address to take back.
#[derive(Args)]
pub(crate) struct Remove {
    /// Token of the connection, hexadecimal
    #[arg(long)]
    pub(crate) token: Token,
    /// Address id
    #[arg(long)]
    pub(crate) id: u8,
}

/// Which counters to print.
#[derive(Args)]
pub(crate) struct CounterSelection {
    /// Only counters whose names contain one of these words, in any case
    pub(crate) patterns: Vec<String>,
    /// Those that are 0 too
    #[arg(short, long)]
    pub(crate) zeros: bool,
}

/// What to do with the scheduler.
#[derive(Subcommand)]
pub(crate) enum SchedulerAction {
    /// Print the scheduler of new connections and those there are
    Show,
    /// Choose the scheduler of new connections
    Set {
        /// One of those that `scheduler show` lists
        name: String,
    },
}

/// What to do with steering.
#[derive(Subcommand)]
pub(crate) enum SteeringAction {
    /// Print the module's choices and the kernel's settings
    Show,
    /// Turn receive packet and flow steering on, and print what was changed
    Setup {
        /// Network devices
        #[arg(required = true, value_name = "DEV")]
        devices: Vec<String>,
    },
    /// Write back what was there before `setup`
    Undo,
}

/// How to look.
#[derive(Args)]
pub(crate) struct TopOptions {
    /// Time between two looks
    #[arg(short, long, value_name = "MILLISECONDS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(10..=3_600_000))]
    pub(crate) interval: u64,
    /// End after so many looks
    #[arg(short = 'n', long, value_name = "NR")]
    pub(crate) count: Option<u32>,
}

/// The token of a connection, as `connections` and `monitor` print it: hexadecimal, 0x before it or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) u32);

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        u32::from_str_radix(digits, 16)
            .map(Self)
            .map_err(|_| "a token has up to eight hexadecimal digits".to_owned())
    }
}

#[cfg(test)]
mod tests;
