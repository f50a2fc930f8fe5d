// SPDX-License-Identifier: GPL-2.0

//! The files of a network namespace, `/proc/net/mptcp_rs/*`.

use crate::{
    netns::Namespace,
    protocol::{
        Meta,
        Mptcp, //
    },
    steering::{
        self,
        SubflowSteering, //
    },
    subflow::table::how_many, //
};
use core::{
    net::{
        Ipv4Addr,
        Ipv6Addr,
        SocketAddrV4,
        SocketAddrV6, //
    },
    sync::atomic::Ordering,
};
use kernel::{
    fmt,
    prelude::*,
    seq_print, //
};
use knet::{
    established::for_each_subflow,
    netns::{
        Net,
        PerNet, //
    },
    procfs::{
        Directory,
        SeqFile,
        Show, //
    },
    sock::{
        Address,
        Sock, //
    }, //
};

/// Makes the directory and its files; they go away with the returned value.
pub(crate) fn register(net: &Net) -> Result<Directory> {
    let directory = Directory::new(net, c"mptcp_rs")?;
    directory.add::<CounterFile>(c"counters")?;
    directory.add::<ConnectionFile>(c"connections")?;
    directory.add::<SteeringFile>(c"steering")?;
    Ok(directory)
}

/// `counters`: what happened in the namespace.
struct CounterFile;

impl Show for CounterFile {
    fn show(net: &Net, out: &SeqFile) {
        if let Some(namespace) = Namespace::of(net) {
            namespace.counters.print(out);
        }
    }
}

/// `steering`: how received packets are steered, and where they arrived.
struct SteeringFile;

impl Show for SteeringFile {
    fn show(net: &Net, out: &SeqFile) {
        if let Some(namespace) = Namespace::of(net) {
            steering::print(namespace, out);
        }
    }
}

/// `connections`: one line for each subflow, with the state of its connection.
struct ConnectionFile;

impl Show for ConnectionFile {
    fn show(net: &Net, out: &SeqFile) {
        seq_print!(
            out,
            "local remote token mode state snd_una snd_nxt snd_end snd_window rcv_nxt readable out_of_order subflows cpu moves steered strayed\n"
        );
        for_each_subflow::<Mptcp>(net, |meta, subflow| print(meta, subflow, out));
    }
}

/// Writes the line of a subflow. Data sequence numbers are those of the wire; `snd_end` and `snd_window`
/// are the ends of what the application wrote and of what the peer has room for.
fn print(meta: &Meta, subflow: &Sock, out: &SeqFile) {
    let tuple = subflow.tuple();
    let connection = meta.lock_data();
    let number = connection.subflows.number_of(subflow);
    let steered = number.and_then(|number| connection.subflows.at(number));
    let steered = steered.map(|subflow| &subflow.steering);
    seq_print!(
        out,
        "{} {} {:08x} {:?} {:?} {} {} {} {} {} {} {} {} {} {} {} {}\n",
        End(tuple.local, tuple.local_port),
        End(tuple.remote, tuple.remote_port),
        connection.local.token.raw(),
        connection.mode,
        connection.state,
        connection.send.una().raw(),
        connection.send.nxt().raw(),
        connection.send.write().raw(),
        connection.send.wnd_end().raw(),
        connection.receive.rcv_nxt().raw(),
        meta.shared().readable.load(Ordering::Relaxed),
        connection.out_of_order.bytes(),
        how_many(connection.subflows.iter()),
        MaybeCpu(steered.and_then(SubflowSteering::cpu)),
        connection.steering.moves(),
        steered.map_or(0, |steering| steering.steered),
        steered.map_or(0, |steering| steering.strayed)
    );
}

/// The number of a processor, or a dash for none.
struct MaybeCpu(Option<u16>);

impl fmt::Display for MaybeCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("-"),
        }
    }
}

/// An address and a port.
struct End(Address, u16);

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Address::V4(bytes) => write!(f, "{}", SocketAddrV4::new(Ipv4Addr::from(bytes), self.1)),
            Address::V6(bytes) => {
                write!(
                    f,
                    "{}",
                    SocketAddrV6::new(Ipv6Addr::from(bytes), self.1, 0, 0)
                )
            }
        }
    }
}
