// SPDX-License-Identifier: GPL-2.0

//! Coupled congestion control: the algorithms of core under the names by which TCP_CONGESTION chooses
//! them. The subflows of a connection learn of each other through their meta-socket.

use crate::protocol::{Meta, Mptcp};
use kernel::pr_info_once;
use kernel::prelude::*;
use knet::congestion::{Ack, CongestionControl, Registration, Window};
use knet::meta::DataGuard;
use knet::subflow::Tcp;
use mptcp_core::congestion::{self, Algorithm, Control, Member, Members, MAX_MEMBERS};
use mptcp_core::seq::Ssn;

/// All algorithms, for every socket to choose.
pub(crate) struct Algorithms {
    _first: Registration<Coupled<0>>,
    _second: Registration<Coupled<1>>,
    _third: Registration<Coupled<2>>,
    _fourth: Registration<Coupled<3>>,
}

const _: () = assert!(Algorithm::ALL.len() == 4);

impl Algorithms {
    /// Registers them.
    pub(crate) fn register(module: &'static ThisModule) -> Result<Self> {
        Ok(Self {
            _first: Registration::new(module)?,
            _second: Registration::new(module)?,
            _third: Registration::new(module)?,
            _fourth: Registration::new(module)?,
        })
    }
}

/// Lets a subflow whose handshake is not done use what TCP_CONGESTION chose for the connection.
pub(crate) fn follow(meta: &Meta, tcp: &mut Tcp<'_>) {
    if let Some(choice) = &meta.lock_data().congestion {
        choice.apply(tcp);
    }
}

/// The part of one subflow in the algorithm number `N`.
#[derive(Clone, Copy)]
struct Coupled<const N: usize>(Control);

impl<const N: usize> Coupled<N> {
    const ALGORITHM: Algorithm = Algorithm::ALL[N];

    /// Tells the other subflows of this one, whose window is `cwnd`, and learns of them.
    fn meet(&self, meta: &Meta, tcp: &Tcp<'_>, cwnd: u32) -> Family {
        let own = self.0.member(cwnd, tcp.srtt_us());
        let mut connection = meta.lock_data();
        tell(&mut connection, tcp, own);
        let mut subflows = connection.subflows.live().map(|(_, subflow)| subflow);
        let mut size = 0_usize;
        let all = core::array::from_fn(|_| match subflows.next() {
            Some(subflow) => {
                size = size.saturating_add(1);
                subflow.coupled
            }
            None => Member::default(),
        });
        Family { all, size, own }
    }
}

/// What a subflow knows of all subflows of its connection, itself among them.
struct Family {
    all: [Member; MAX_MEMBERS],
    size: usize,
    own: Member,
}

impl Family {
    fn members(&self) -> Members<'_> {
        Members::new(self.all.get(..self.size).unwrap_or(&self.all), self.own)
    }
}

/// Leaves `member` where the other subflows look for it.
fn tell(connection: &mut DataGuard<'_, Mptcp>, tcp: &Tcp<'_>, member: Member) {
    if let Some(subflow) = connection.subflows.of(tcp.sock()) {
        subflow.coupled = member;
    }
}

impl<const N: usize> CongestionControl for Coupled<N> {
    type Protocol = Mptcp;
    const NAME: &'static str = Self::ALGORITHM.name();

    fn new() -> Self {
        Self(Control::new(Self::ALGORITHM))
    }

    fn chosen_by_stranger() {
        pr_info_once!(
            "{} is for subflows of MPTCP connections: a plain TCP socket that chooses it behaves as with reno\n",
            Self::NAME
        );
    }

    fn on_ack(&mut self, meta: &Meta, tcp: &Tcp<'_>, ack: &Ack) -> Window {
        let before = tcp.congestion_window();
        let family = self.meet(meta, tcp, before.cwnd);
        let ack = congestion::Ack {
            segments: ack.segments,
            una: Ssn::new(ack.una),
            nxt: Ssn::new(ack.nxt),
            cwnd_limited: ack.cwnd_limited,
        };
        let after = self.0.on_ack(to_core(before), &ack, &family.members());
        Window {
            cwnd: after.cwnd,
            ssthresh: after.ssthresh,
        }
    }

    fn ssthresh(&self, meta: &Meta, tcp: &Tcp<'_>) -> u32 {
        let window = tcp.congestion_window();
        let family = self.meet(meta, tcp, window.cwnd);
        self.0.ssthresh(to_core(window), &family.members())
    }

    fn on_rtt(&mut self, rtt_us: u32) {
        self.0.on_rtt(rtt_us);
    }

    fn on_loss(&mut self, meta: &Meta, tcp: &Tcp<'_>) {
        self.0.on_loss();
        // RFC 6356 section 3: in fast recovery the window is inflated or on its way down. Until it is
        // over, the threshold stands for it; nothing is told meanwhile. After a timeout the window is
        // what it says.
        let window = tcp.congestion_window();
        let member = self
            .0
            .member(window.cwnd.min(window.ssthresh), tcp.srtt_us());
        tell(&mut meta.lock_data(), tcp, member);
    }

    fn on_recovered(&mut self) {
        self.0.on_recovered();
    }

    fn on_restart(&mut self) {
        self.0.on_restart();
    }

    fn end(self, meta: &Meta, tcp: &Tcp<'_>) {
        tell(&mut meta.lock_data(), tcp, Member::default());
    }
}

fn to_core(window: Window) -> congestion::Window {
    congestion::Window {
        cwnd: window.cwnd,
        ssthresh: window.ssthresh,
    }
}
