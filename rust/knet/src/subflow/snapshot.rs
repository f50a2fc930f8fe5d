// SPDX-License-Identifier: GPL-2.0

//! What can be read from the TCP socket of a subflow without its lock.

use crate::bindings;
use crate::sock::{Sock, State};
use core::ptr::addr_of;

/// Numbers of a TCP socket read without its lock, each for itself.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Snapshot {
    pub state: State,
    pub rcv_nxt: u32,
    /// Sequence number of the first byte not taken from the receive queue.
    pub copied_seq: u32,
    pub rcv_wup: u32,
    /// What is left of the promised window behind `rcv_nxt`.
    pub rcv_wnd: u32,
    pub snd_una: u32,
    /// Not `snd_nxt`, which lags behind segments that are just being sent.
    pub write_seq: u32,
    pub max_window: u32,
    pub snd_wscale: u8,
    /// Timestamps are in use, and the last one is not too old to be compared.
    pub timestamps: bool,
    pub ts_recent: u32,
}

/// Reads the numbers of a TCP socket that the current context need not have locked.
pub fn snapshot(sock: &Sock) -> Snapshot {
    let tcp = sock.as_ptr().cast::<bindings::tcp_sock>();
    // SAFETY: A TCP socket is a `struct tcp_sock`; torn or stale numbers are possible and the
    // caller's business.
    unsafe {
        Snapshot {
            state: sock.state(),
            rcv_nxt: addr_of!((*tcp).rcv_nxt).read_volatile(),
            copied_seq: addr_of!((*tcp).copied_seq).read_volatile(),
            rcv_wup: addr_of!((*tcp).rcv_wup).read_volatile(),
            rcv_wnd: bindings::knet_helper_tcp_receive_window(sock.as_ptr()),
            snd_una: addr_of!((*tcp).snd_una).read_volatile(),
            write_seq: addr_of!((*tcp).write_seq).read_volatile(),
            max_window: addr_of!((*tcp).max_window).read_volatile(),
            snd_wscale: bindings::knet_helper_snd_wscale(sock.as_ptr()),
            timestamps: bindings::knet_helper_timestamps_comparable(sock.as_ptr()),
            ts_recent: addr_of!((*tcp).rx_opt.ts_recent).read_volatile(),
        }
    }
}

/// Bytes of data that `space` bytes of packet memory of a subflow hold, as TCP estimates it; none in less than
/// nothing.
pub fn window_of_space(sock: &Sock, space: i32) -> u32 {
    // SAFETY: The socket is live; the estimate is one number that TCP updates.
    let window = unsafe { bindings::knet_helper_tcp_win_from_space(sock.as_ptr(), space) };
    u32::try_from(window).unwrap_or(0)
}

/// Speed of a subflow, read without its lock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Smoothed round-trip time in microseconds: the sender's, or the receiver's estimate.
    pub rtt_us: u32,
    /// Bytes of data in a segment.
    pub mss: u32,
    /// The largest window that TCP would promise now, in bytes.
    pub window_limit: u32,
}

/// Reads the speed of a subflow.
pub fn pace(sock: &Sock) -> Pace {
    let tcp = sock.as_ptr().cast::<bindings::tcp_sock>();
    // SAFETY: A TCP socket is a `struct tcp_sock`; stale numbers do no harm.
    unsafe {
        let sent = addr_of!((*tcp).srtt_us).read_volatile() >> 3;
        let received = addr_of!((*tcp).rcv_rtt_est.rtt_us).read_volatile() >> 3;
        Pace {
            rtt_us: sent.max(received),
            mss: addr_of!((*tcp).mss_cache).read_volatile(),
            window_limit: addr_of!((*tcp).rcv_ssthresh).read_volatile(),
        }
    }
}

/// The retransmission timeout of a subflow in microseconds, read without its lock.
pub fn rto_us(sock: &Sock) -> u32 {
    // SAFETY: The socket is live; a stale number does no harm.
    unsafe { bindings::knet_helper_rto_us(sock.as_ptr()) }
}

/// Whether a listening subflow has a connection that nobody accepted yet.
pub fn has_connection_waiting(sock: &Sock) -> bool {
    // SAFETY: The socket is live; the kernel reads the queue without lock too.
    unsafe { bindings::knet_helper_has_connection_waiting(sock.as_ptr()) }
}

/// `struct tcp_info` of a subflow, as the option TCP_INFO gives it, but that a FIN is no byte received. To TCP it
/// is one, and programs that compare know that of plain TCP, but not of an MPTCP peer that may have sent none yet.
pub struct TcpInfo(bindings::tcp_info);

impl TcpInfo {
    /// Bytes of it.
    pub const SIZE: usize = core::mem::size_of::<bindings::tcp_info>();

    /// Asks TCP. Process context; takes the subflow's lock.
    pub fn of(sock: &Sock) -> Self {
        // SAFETY: Numbers, for which any bits are valid.
        let mut info = unsafe { core::mem::zeroed() };
        // SAFETY: The socket is live and its lock not held by the caller.
        unsafe { bindings::tcp_get_info(sock.as_ptr(), &mut info) }
        let received = info.tcpi_bytes_received;
        info.tcpi_bytes_received = received.saturating_sub(sock.has_taken_fin().into());
        Self(info)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `tcp_get_info` writes all bytes, those between fields too.
        unsafe { core::slice::from_raw_parts((&raw const self.0).cast(), Self::SIZE) }
    }
}

/// What a scheduler asks about a subflow, read without its lock.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Smoothed round-trip time in microseconds; 0 if unknown.
    pub srtt_us: u32,
    /// Its mean deviation in microseconds.
    pub rttvar_us: u32,
    /// The least round-trip time of late in microseconds.
    pub min_rtt_us: u32,
    /// The congestion window in segments.
    pub cwnd: u32,
    /// The slow-start threshold in segments.
    pub ssthresh: u32,
    /// Segments in the network.
    pub in_flight: u32,
    /// Bytes of data in a segment.
    pub mss: u32,
    /// Bytes that TCP has and did not send yet.
    pub queued: u32,
    /// Bytes that the send buffer still takes.
    pub room: u32,
    /// Bytes per second that it sends.
    pub pacing_rate: u64,
    /// Bytes per second that were acknowledged when it last had enough to send; 0 if unknown.
    pub delivery_rate: u64,
}

/// Reads the load of a subflow.
pub fn load(sock: &Sock) -> Load {
    let sk = sock.as_ptr();
    let tcp = sk.cast::<bindings::tcp_sock>();
    // SAFETY: A TCP socket is a `struct tcp_sock`; torn or stale numbers lead to another choice of path,
    // nothing else.
    unsafe {
        let packets_out = addr_of!((*tcp).packets_out).read_volatile();
        let retrans_out = addr_of!((*tcp).retrans_out).read_volatile();
        let sacked_out = addr_of!((*tcp).sacked_out).read_volatile();
        let lost_out = addr_of!((*tcp).lost_out).read_volatile();
        let left = sacked_out.saturating_add(lost_out);
        let write_seq = addr_of!((*tcp).write_seq).read_volatile();
        let snd_nxt = addr_of!((*tcp).snd_nxt).read_volatile();
        let queued = write_seq.wrapping_sub(snd_nxt);
        let buffer = addr_of!((*sk).sk_sndbuf).read_volatile();
        let used = addr_of!((*sk).sk_wmem_queued).read_volatile();
        Load {
            srtt_us: addr_of!((*tcp).srtt_us).read_volatile() >> 3,
            rttvar_us: addr_of!((*tcp).rttvar_us).read_volatile() >> 2,
            min_rtt_us: {
                // `tcp_min_rtt`.
                let samples = addr_of!((*tcp).rtt_min.s).cast::<bindings::minmax_sample>();
                addr_of!((*samples).v).read_volatile()
            },
            cwnd: addr_of!((*tcp).snd_cwnd).read_volatile(),
            ssthresh: addr_of!((*tcp).snd_ssthresh).read_volatile(),
            in_flight: packets_out.saturating_sub(left).saturating_add(retrans_out),
            mss: addr_of!((*tcp).mss_cache).read_volatile(),
            // Read while both move, the difference may seem negative.
            queued: if (queued as i32) < 0 { 0 } else { queued },
            room: u32::try_from(buffer.saturating_sub(used)).unwrap_or(0),
            pacing_rate: addr_of!((*sk).sk_pacing_rate).read_volatile() as u64,
            delivery_rate: bytes_per_second(
                addr_of!((*tcp).rate_delivered).read_volatile(),
                addr_of!((*tcp).mss_cache).read_volatile(),
                addr_of!((*tcp).rate_interval_us).read_volatile(),
            ),
        }
    }
}

/// The rate of so many segments in so many microseconds; 0 if none was measured.
fn bytes_per_second(segments: u32, mss: u32, interval_us: u32) -> u64 {
    let bytes = u64::from(segments).saturating_mul(u64::from(mss));
    let rate = bytes.saturating_mul(1_000_000);
    rate.checked_div(u64::from(interval_us)).unwrap_or(0)
}
