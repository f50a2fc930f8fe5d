// SPDX-License-Identifier: GPL-2.0

//! One subflow of a connection: its TCP, and what the data level keeps for it.

use super::{RX_MAPPINGS, TX_MAPPINGS};
use crate::segment::{Place, Segment, Time};
use crate::tcp::{self, Tcp};
use mptcp_core::connection::join::Secrets;
use mptcp_core::mapping::{RxMappings, TxMappings};
use mptcp_core::path_manager::{End, SubflowId};
use mptcp_core::scheduler::{Health, Path, PathId};
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::{AddAddr, MpJoin, MpPrio, RemoveAddr};
use std::collections::VecDeque;

/// How far the handshake of a subflow is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    /// The first subflow: MP_CAPABLE.
    First,
    /// Ours, the SYN is sent.
    Asking {
        /// The option of the SYN.
        syn: MpJoin,
        /// Our random number.
        nonce: u32,
    },
    /// Ours, the third ACK is sent but no answer came.
    Proving {
        /// The HMAC of the third ACK.
        hmac: [u8; 20],
        /// How often it was sent.
        sent: u8,
        /// When it is sent again.
        again_at: Time,
    },
    /// The peer's, the SYN/ACK is sent.
    Answering {
        /// What the third ACK must prove.
        secrets: Secrets,
        /// Our id of the address.
        address_id: u8,
        /// We ask to use it as a backup.
        backup: bool,
    },
    /// It carries data.
    Joined,
}

/// An option that a segment of the subflow is to carry once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Saying {
    /// ADD_ADDR, or its echo.
    Add(AddAddr),
    /// REMOVE_ADDR.
    Remove(RemoveAddr),
    /// MP_PRIO.
    Prio(MpPrio),
}

/// A subflow.
#[derive(Debug)]
pub(super) struct Subflow {
    pub(super) id: SubflowId,
    /// Its number for the scheduler.
    pub(super) number: PathId,
    pub(super) stage: Stage,
    pub(super) tcp: Tcp,
    /// The SYN that a server answered.
    pub(super) saved_syn: Segment,
    pub(super) tx: TxMappings<TX_MAPPINGS>,
    pub(super) rx: RxMappings<RX_MAPPINGS>,
    /// Bytes of a mapping that TCP did not take yet.
    pub(super) partial: Option<(Dsn, Vec<u8>)>,
    pub(super) dss_seen: bool,
    /// The peer's FIN was taken off it.
    pub(super) finished: bool,
    /// The peer's DATA_FIN came with its FIN.
    pub(super) ended_with_stream: bool,
    /// The mapping whose checksum was found right.
    pub(super) verified: Option<Ssn>,
    /// Since it was given data, the peer acknowledged all of it and spoke MPTCP.
    pub(super) heard: bool,
    /// The peer spoke MPTCP on it since the handshake.
    pub(super) ever_heard: bool,
    /// How often in a row the data-level timer expired without that.
    pub(super) unheard: u8,
    pub(super) health: Health,
    /// When the peer last acknowledged something here, or when data was given to an idle TCP.
    pub(super) progress_at: Time,
    pub(super) sayings: VecDeque<Saying>,
    /// How it ended, if that was our decision or came with a reason.
    pub(super) end: Option<End>,
}

impl Subflow {
    pub(super) fn new(id: SubflowId, number: PathId, stage: Stage, tcp: Tcp) -> Self {
        Self {
            id,
            number,
            stage,
            tcp,
            saved_syn: Segment::default(),
            tx: TxMappings::new(),
            rx: RxMappings::starting_at(Ssn::new(1)),
            partial: None,
            dss_seen: false,
            finished: false,
            ended_with_stream: false,
            verified: None,
            heard: false,
            ever_heard: false,
            unheard: 0,
            health: Health::new(),
            progress_at: 0,
            sayings: VecDeque::new(),
            end: None,
        }
    }

    /// Whether it is this one that a segment from `remote` to `local` belongs to.
    pub(super) fn is_between(&self, local: Place, remote: Place) -> bool {
        self.tcp.places() == (local, remote)
    }

    /// Whether the handshakes of TCP and MPTCP are done and TCP is not closed.
    pub(super) fn is_established(&self) -> bool {
        let open = !matches!(
            self.tcp.state(),
            tcp::State::SynSent | tcp::State::SynReceived | tcp::State::Closed
        );
        open && self.was_established()
    }

    /// Whether it carried data once.
    pub(super) fn was_established(&self) -> bool {
        matches!(self.stage, Stage::First | Stage::Joined)
    }

    /// Whether data can be given to it.
    pub(super) fn is_writable(&self) -> bool {
        let open = matches!(
            self.tcp.state(),
            tcp::State::Established | tcp::State::CloseWait
        );
        open && self.is_established() && !self.tcp.sending().finishing()
    }

    /// Whether nothing speaks against its working.
    pub(super) fn responds(&self, now: Time) -> bool {
        self.view(false).responds(now)
    }

    /// Relative number of a sequence number of ours.
    pub(super) fn sent(&self, seq: u32) -> Ssn {
        Ssn::new(seq.wrapping_sub(self.tcp.isn()))
    }

    /// Relative number of a sequence number of the peer.
    pub(super) fn received(&self, seq: u32) -> Ssn {
        Ssn::new(seq.wrapping_sub(self.tcp.receiving().isn()))
    }

    /// Relative number of the next byte to be taken off it.
    pub(super) fn next(&self) -> Ssn {
        self.received(self.tcp.receiving().copied())
    }

    /// Makes room for mappings.
    pub(super) fn forget_acked(&mut self) {
        let acked = self.sent(self.tcp.sending().una());
        self.tx.acked(acked);
    }

    /// What the scheduler sees of it. `backup` says whether either end declared it one.
    pub(super) fn view(&self, backup: bool) -> Path {
        let sending = self.tcp.sending();
        let (srtt, variation) = sending.round_trip();
        let (cwnd, ssthresh) = sending.congestion();
        let busy = self.tx.is_full() || self.partial.is_some();
        Path {
            id: self.number,
            srtt_us: srtt as u32,
            rttvar_us: variation as u32,
            min_rtt_us: sending.least_round_trip() as u32,
            cwnd,
            slow_start: cwnd < ssthresh,
            in_flight: sending.flight(),
            mss: self.tcp.mss(),
            queued: sending.queued(),
            send_room: if busy { 0 } else { self.tcp.room() as u32 },
            pacing_rate: (u64::from(cwnd) * u64::from(self.tcp.mss()) * 1_000_000)
                .checked_div(srtt)
                .unwrap_or(0),
            delivery_rate: 0,
            last_progress_us: self.progress_at,
            backup,
            standing: self.health.standing(),
        }
    }
}
