// SPDX-License-Identifier: GPL-2.0

//! The algorithms by name.

use super::{Ack, Balia, Lia, Member, Members, Olia, Window, Wvegas};

/// How many bytes the kernel gives the congestion control of a socket for its state.
pub const MAX_STATE_SIZE: usize = 104;

const _: () = assert!(size_of::<Control>() <= MAX_STATE_SIZE);

/// Which algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// [`Lia`].
    Lia,
    /// [`Olia`].
    Olia,
    /// [`Balia`].
    Balia,
    /// [`Wvegas`].
    Wvegas,
}

impl Algorithm {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Lia, Self::Olia, Self::Balia, Self::Wvegas];

    /// The name under which the kernel knows it.
    #[inline]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lia => "lia",
            Self::Olia => "olia",
            Self::Balia => "balia",
            Self::Wvegas => "wvegas",
        }
    }
}

/// The congestion control of one subflow: its part in one of the algorithms.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Control {
    /// Linked increases.
    Lia(Lia),
    /// Opportunistic linked increases.
    Olia(Olia),
    /// Balanced linked adaptation.
    Balia(Balia),
    /// Weighted Vegas.
    Wvegas(Wvegas),
}

impl Control {
    /// The state of a new subflow.
    #[inline]
    pub const fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Lia => Self::Lia(Lia::new()),
            Algorithm::Olia => Self::Olia(Olia::new()),
            Algorithm::Balia => Self::Balia(Balia::new()),
            Algorithm::Wvegas => Self::Wvegas(Wvegas::new()),
        }
    }

    /// What the other subflows must know of this one, whose window is `cwnd` segments and whose
    /// smoothed round-trip time is `srtt_us` microseconds.
    #[inline]
    pub const fn member(&self, cwnd: u32, srtt_us: u32) -> Member {
        let (gap, rate) = match self {
            Self::Olia(olia) => (olia.gap(), 0),
            Self::Wvegas(wvegas) => (0, wvegas.rate()),
            Self::Lia(_) | Self::Balia(_) => (0, 0),
        };
        Member {
            cwnd,
            srtt_us,
            gap,
            rate,
        }
    }

    /// Takes note of a measured round-trip time in microseconds (`pkts_acked`).
    #[inline]
    pub fn on_rtt(&mut self, rtt_us: u32) {
        if let Self::Wvegas(wvegas) = self {
            wvegas.on_rtt(rtt_us);
        }
    }

    /// The window after an acknowledgement of new data (`cong_avoid`). With a single subflow, all
    /// but weighted Vegas do what TCP does.
    #[inline]
    pub fn on_ack(&mut self, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        match self {
            Self::Lia(lia) => lia.on_ack(window, ack, members),
            Self::Olia(olia) => olia.on_ack(window, ack, members),
            Self::Balia(balia) => balia.on_ack(window, ack, members),
            Self::Wvegas(wvegas) => wvegas.on_ack(window, ack, members),
        }
    }

    /// The slow-start threshold after a loss, in segments (`ssthresh`).
    #[inline]
    pub fn ssthresh(&self, window: Window, members: &Members<'_>) -> u32 {
        match self {
            Self::Lia(lia) => lia.ssthresh(window),
            Self::Olia(olia) => olia.ssthresh(window, members),
            Self::Balia(balia) => balia.ssthresh(window, members),
            Self::Wvegas(wvegas) => wvegas.ssthresh(window),
        }
    }

    /// Takes note of a loss or a congestion mark (`set_state` to recovery, loss or CWR).
    #[inline]
    pub fn on_loss(&mut self) {
        match self {
            Self::Lia(lia) => lia.on_loss(),
            Self::Olia(olia) => olia.on_loss(),
            Self::Balia(balia) => balia.on_loss(),
            Self::Wvegas(wvegas) => wvegas.on_loss(),
        }
    }

    /// Takes note that TCP has recovered from the loss (`set_state` to open).
    #[inline]
    pub fn on_recovered(&mut self) {
        if let Self::Wvegas(wvegas) = self {
            wvegas.on_recovered();
        }
    }

    /// Takes note that sending starts again after the subflow was idle (`cwnd_event`).
    #[inline]
    pub fn on_restart(&mut self) {
        if let Self::Wvegas(wvegas) = self {
            wvegas.on_restart();
        }
    }
}
