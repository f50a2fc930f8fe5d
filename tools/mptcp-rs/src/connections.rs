// SPDX-License-Identifier: GPL-2.0

//! `connections` and `subflows`: the module's table of them, or the subflows of the kernel's own Multipath TCP; and what
//! TCP measures on each path.

pub(crate) mod table;

use crate::{
    arguments::Token,
    output::Output,
    stack::Stack, //
};
use anyhow::{
    Context,
    Result, //
};
use mptcp_netlink::{
    tcp_sockets,
    TcpSocket, //
};
use std::fs;
use table::{
    Connection,
    Row, //
};

/// A subflow: what its connection's implementation says, and what TCP says.
pub(crate) struct Path {
    pub(crate) row: Row,
    /// Missing while the subflow comes or goes, and where the kernel tells nobody of its sockets.
    pub(crate) tcp: Option<TcpSocket>,
}

pub(crate) fn show(stack: Stack, out: &Output) -> Result<()> {
    let rows = read(stack)?.into_iter().map(|path| path.row);
    let connections = table::group(rows.collect());
    out.list(&connections, Connection::lines, Connection::to_json)
}

pub(crate) fn show_subflows(stack: Stack, token: Option<Token>, out: &Output) -> Result<()> {
    let mut rows = Vec::new();
    for mut path in read(stack)? {
        if token.is_none_or(|token| path.row.token() == Some(token.0)) {
            path.row.extend(path.tcp.iter().flat_map(figures));
            rows.push(path.row);
        }
    }
    out.list(&rows, Row::line, Row::to_json)
}

/// All subflows of this network namespace.
pub(crate) fn read(stack: Stack) -> Result<Vec<Path>> {
    match stack {
        Stack::Module => read_module(),
        Stack::Kernel => Ok(of_kernel(tcp_sockets()?)),
    }
}

fn read_module() -> Result<Vec<Path>> {
    let path = Stack::module_file("connections");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read: is the module loaded?", path.display()))?;
    Ok(join(table::parse(&text), tcp_sockets().unwrap_or_default()))
}

/// Finds the TCP socket of each line by its addresses and ports.
fn join(rows: Vec<Row>, mut sockets: Vec<TcpSocket>) -> Vec<Path> {
    let paths = rows.into_iter().map(|row| {
        let place = row.ends().and_then(|ends| {
            sockets
                .iter()
                .position(|socket| (socket.local, socket.remote) == ends)
        });
        let tcp = place.map(|place| sockets.swap_remove(place));
        Path { row, tcp }
    });
    paths.collect()
}

/// The subflows among the sockets.
fn of_kernel(sockets: Vec<TcpSocket>) -> Vec<Path> {
    let paths = sockets.into_iter().filter_map(|socket| {
        let subflow = socket.subflow?;
        let row = Row::new([
            ("local", socket.local.to_string()),
            ("remote", socket.remote.to_string()),
            ("token", format!("{:08x}", subflow.token)),
            ("local_id", subflow.local_id.to_string()),
            ("remote_id", subflow.remote_id.to_string()),
        ]);
        Some(Path {
            row,
            tcp: Some(socket),
        })
    });
    paths.collect()
}

/// What TCP measures, as more columns: times in microseconds, windows in segments, all else in bytes.
fn figures(tcp: &TcpSocket) -> Vec<(&'static str, String)> {
    let algorithm = tcp.congestion_control.clone();
    let mut figures = vec![
        ("rtt", tcp.rtt.to_string()),
        ("min_rtt", tcp.min_rtt.to_string()),
        ("cwnd", tcp.congestion_window.to_string()),
        ("bytes_sent", tcp.bytes_sent.to_string()),
        ("bytes_retrans", tcp.bytes_retransmitted.to_string()),
        ("bytes_received", tcp.bytes_received.to_string()),
        ("send_queue", tcp.send_queue.to_string()),
        ("receive_queue", tcp.receive_queue.to_string()),
    ];
    figures.extend(algorithm.map(|name| ("congestion", name)));
    figures
}

#[cfg(test)]
pub(crate) mod tests;
