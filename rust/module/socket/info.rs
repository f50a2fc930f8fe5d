// SPDX-License-Identifier: GPL-2.0

//! `getsockopt` of level SOL_MPTCP: what a connection says of itself and of its subflows. The answers have
//! the form that the kernel's own implementation gives them, so that its tools can read them.

use crate::connection::{Connection, Mode};
use crate::protocol::{Meta, Mptcp};
use crate::socket::options::ask_subflow;
use crate::subflow::handshake::policy;
use crate::subflow::table::joined_socks;
use kernel::prelude::*;
use kernel::transmute::AsBytes;
use kernel::uaccess::{UserPtr, UserSlice};
use knet::meta::OwnerGuard;
use knet::sock::{Sock, State};
use knet::sockopt::mptcp::{
    FullInfo, Info, SubflowAddresses, SubflowData, SubflowInfo, FLAG_REMOTE_KEY_RECEIVED,
};
use knet::sockopt::{option, GetOption};
use knet::subflow::TcpInfo;

/// Bytes of `struct mptcp_subflow_data`, which no caller may have less of.
const HEAD: u32 = size_of::<SubflowData>() as u32;
/// Bytes of `struct mptcp_full_info` without the information on the connection.
const FULL_HEAD: u32 = size_of::<FullInfo>() as u32;
/// The number of the first subflow of a connection.
const FIRST_SUBFLOW: u32 = 1;

/// Answers, or lets TCP refuse once the connection is plain TCP: programs ask to find that out.
pub(crate) fn get(meta: &Meta, call: &GetOption) -> Result {
    if meta.lock_data().mode == Mode::Fallback {
        return ask_subflow(meta, call);
    }
    match call.name {
        option::MPTCP_INFO => get_info(meta, call),
        option::MPTCP_TCPINFO => get_list(meta, call, TcpInfo::SIZE, |subflow, to| {
            to.put(TcpInfo::of(subflow).as_bytes())
        }),
        option::MPTCP_SUBFLOW_ADDRS => {
            get_list(meta, call, size_of::<SubflowAddresses>(), |subflow, to| {
                to.put(SubflowAddresses::new(&subflow.tuple()).as_bytes())
            })
        }
        option::MPTCP_FULL_INFO => get_full_info(meta, call),
        _ => Err(EOPNOTSUPP),
    }
}

/// MPTCP_INFO. Without room it only says that the connection is not plain TCP.
fn get_info(meta: &Meta, call: &GetOption) -> Result {
    // As the kernel's own does, a negative number is taken as a large one.
    let room = u32::try_from(call.room()?).unwrap_or(u32::MAX);
    if room == 0 {
        return Ok(());
    }
    let len = room.min(size_of::<Info>() as u32);
    call.set_length(len)?;
    Place::new(call.buffer(), len).put(info(meta).as_bytes())
}

/// MPTCP_TCPINFO and MPTCP_SUBFLOW_ADDRS: a head, then for each subflow that there is room for, as many
/// bytes as the caller wants to have of `size`.
fn get_list(
    meta: &Meta,
    call: &GetOption,
    size: usize,
    describe: impl Fn(&Sock, &Place) -> Result,
) -> Result {
    let mut head = SubflowData::default();
    let mut left = read_head(call, &mut head)?;
    head.size_kernel = size as u32;
    head.size_user = head.size_user.min(head.size_kernel);
    let mut copied = 0_u32;
    for_each_subflow(&meta.lock(), |subflow| {
        head.num_subflows = head.num_subflows.saturating_add(1);
        if left > 0 && left >= head.size_user {
            let at = head.size_subflow_data.saturating_add(copied);
            describe(
                subflow,
                &Place::new(call.buffer(), head.size_user).behind(at),
            )?;
            copied = copied.saturating_add(head.size_user);
            left = left.saturating_sub(head.size_user);
        }
        Ok(())
    })?;
    let len = match copied {
        0 => HEAD,
        _ => copied.saturating_add(head.size_subflow_data),
    };
    call.set_length(len)?;
    Place::new(call.buffer(), HEAD).put(head.as_bytes())
}

/// Reads the head of a list and returns the room behind it.
fn read_head(call: &GetOption, head: &mut SubflowData) -> Result<u32> {
    let room = u32::try_from(call.room()?).map_err(|_| EINVAL)?;
    if room < HEAD {
        return Err(EINVAL);
    }
    let mut reader = UserSlice::new(call.buffer(), HEAD as usize).reader();
    head.size_subflow_data = reader.read()?;
    let filled_in: [u32; 2] = [reader.read()?, reader.read()?];
    head.size_user = reader.read()?;
    let sizes = [head.size_subflow_data, head.size_user];
    if sizes.iter().any(|&size| i32::try_from(size).is_err())
        || !(HEAD..=room).contains(&head.size_subflow_data)
        || filled_in != [0; 2]
    {
        return Err(EINVAL);
    }
    Ok(room.saturating_sub(head.size_subflow_data))
}

/// MPTCP_FULL_INFO: the connection here, and two arrays at addresses that the caller named.
fn get_full_info(meta: &Meta, call: &GetOption) -> Result {
    let mut head = FullInfo::default();
    let room = read_full_head(call, &mut head)?;
    let mut len = FULL_HEAD;
    if room > 0 {
        let taken = room.min(size_of::<Info>() as u32);
        let place = Place::new(call.buffer(), taken).behind(FULL_HEAD);
        place.put(info(meta).as_bytes())?;
        len = len.saturating_add(taken);
    }
    head.size_tcpinfo_kernel = TcpInfo::SIZE as u32;
    head.size_tcpinfo_user = head.size_tcpinfo_user.min(head.size_tcpinfo_kernel);
    head.size_sfinfo_kernel = size_of::<SubflowInfo>() as u32;
    head.size_sfinfo_user = head.size_sfinfo_user.min(head.size_sfinfo_kernel);
    let mut about = Place::at(head.subflow_info, head.size_sfinfo_user)?;
    let mut tcp = Place::at(head.tcp_info, head.size_tcpinfo_user)?;
    for_each_subflow(&meta.lock(), |subflow| {
        let number = head.num_subflows;
        head.num_subflows = number.saturating_add(1);
        if number >= head.size_arrays_user {
            return Ok(());
        }
        let id = number.saturating_add(FIRST_SUBFLOW);
        about.put(SubflowInfo::new(id, &subflow.tuple()).as_bytes())?;
        if head.size_tcpinfo_user > 0 {
            tcp.put(TcpInfo::of(subflow).as_bytes())?;
        }
        about = about.behind(head.size_sfinfo_user);
        tcp = tcp.behind(head.size_tcpinfo_user);
        Ok(())
    })?;
    call.set_length(len)?;
    Place::new(call.buffer(), FULL_HEAD).put(head.as_bytes())
}

/// Reads the head of MPTCP_FULL_INFO and returns the room behind it.
fn read_full_head(call: &GetOption, head: &mut FullInfo) -> Result<u32> {
    let room = u32::try_from(call.room()?).map_err(|_| EINVAL)?;
    if room < FULL_HEAD {
        return Err(EINVAL);
    }
    let mut reader = UserSlice::new(call.buffer(), FULL_HEAD as usize).reader();
    let size_tcpinfo_kernel: u32 = reader.read()?;
    head.size_tcpinfo_user = reader.read()?;
    let size_sfinfo_kernel: u32 = reader.read()?;
    head.size_sfinfo_user = reader.read()?;
    let num_subflows: u32 = reader.read()?;
    head.size_arrays_user = reader.read()?;
    head.subflow_info = reader.read()?;
    head.tcp_info = reader.read()?;
    let sizes = [head.size_tcpinfo_user, head.size_sfinfo_user];
    if [size_tcpinfo_kernel, size_sfinfo_kernel, num_subflows] != [0; 3]
        || sizes.iter().any(|&size| i32::try_from(size).is_err())
    {
        return Err(EINVAL);
    }
    Ok(room.saturating_sub(FULL_HEAD))
}

/// Calls `f` for each subflow until it fails.
fn for_each_subflow(owner: &OwnerGuard<'_, Mptcp>, mut f: impl FnMut(&Sock) -> Result) -> Result {
    if let Some(first) = &owner.subflow {
        f(first.sock())?;
    }
    joined_socks(owner.meta()).try_for_each(|sock| f(&sock))
}

/// A place in the caller's memory with room for some bytes.
#[derive(Clone, Copy)]
struct Place {
    start: UserPtr,
    room: u32,
}

impl Place {
    fn new(start: UserPtr, room: u32) -> Self {
        Self { start, room }
    }

    /// A place at an address that the caller wrote down as a number.
    fn at(address: u64, room: u32) -> Result<Self> {
        let address = usize::try_from(address).map_err(|_| EFAULT)?;
        Ok(Self::new(UserPtr::from_addr(address), room))
    }

    /// As much room, `offset` bytes further.
    fn behind(self, offset: u32) -> Self {
        Self::new(self.start.wrapping_byte_add(offset as usize), self.room)
    }

    /// Writes as many of the bytes as there is room for.
    fn put(&self, bytes: &[u8]) -> Result {
        let room = self.room as usize;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        UserSlice::new(self.start, room).writer().write_slice(bytes)
    }
}

/// The connection of a socket.
fn info(meta: &Meta) -> Info {
    let sock = meta.sock();
    if sock.state() == State::Listen {
        return Info::default();
    }
    let connection = meta.lock_data();
    let mut info = Info::default();
    info.token = connection.local.token.raw();
    info.retransmits = u32::from(connection.timers.backoff);
    info.bytes_retrans = connection.resent;
    info.last_data_sent = connection.moments.data_sent.elapsed_ms();
    info.last_data_recv = connection.moments.data_received.elapsed_ms();
    info.last_ack_recv = connection.moments.acknowledged.elapsed_ms();
    info.subflows_total = connection
        .subflows
        .iter()
        .filter(|(_, subflow)| is_open(&subflow.sock))
        .fold(0, |count, _| count.saturating_add(1));
    info.subflows = info.subflows_total.saturating_sub(1);
    if connection.mode == Mode::Connecting {
        info.csum_enabled = u8::from(policy(sock).checksum);
        info.write_seq = connection.local.idsn.raw();
        info.snd_una = connection.local.idsn.raw();
    } else {
        describe_stream(&connection, &mut info);
    }
    info
}

/// Whether a subflow can carry data both ways, or will.
fn is_open(subflow: &Sock) -> bool {
    matches!(
        subflow.state(),
        State::Established | State::SynSent | State::SynRecv
    )
}

/// How far the stream of an established connection is. A DATA_FIN counts as written, and as acknowledged,
/// but not as sent or received.
fn describe_stream(connection: &Connection, info: &mut Info) {
    let (send, receive) = (&connection.send, &connection.receive);
    let first = connection.local.idsn.plus(1);
    let fin_received = u64::from(receive.finished());
    info.flags = FLAG_REMOTE_KEY_RECEIVED;
    info.csum_enabled = u8::from(connection.agreed.checksum);
    info.write_seq = send.fin().map_or(send.write(), |fin| fin.plus(1)).raw();
    info.snd_una = send.una().raw();
    info.rcv_nxt = receive.rcv_nxt().raw();
    info.bytes_sent = send.nxt().earliest(send.write()).since(first);
    info.bytes_acked = send.una().since(first);
    info.bytes_received = receive
        .rcv_nxt()
        .minus(fin_received)
        .since(connection.remote_first());
}
