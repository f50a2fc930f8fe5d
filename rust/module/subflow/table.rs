// SPDX-License-Identifier: GPL-2.0

//! The subflows of a connection, and what the data level knows of each.

use crate::steering::SubflowSteering;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::fragments::Gathered;
use knet::sock::Sock;
use mptcp_core::congestion::Member;
use mptcp_core::connection::speech::{Farewell, Reset};
use mptcp_core::mapping::{RxMappings, TxMappings};
use mptcp_core::scheduler::{PathId, MAX_PATHS};
use mptcp_core::seq::{Dsn, Ssn};

/// Pieces that a subflow can have in flight, each with a mapping of its own.
pub(crate) const TX_MAPPINGS: usize = 64;
/// Mappings of received data that do not merge.
pub(crate) const RX_MAPPINGS: usize = 24;

/// The subflows of a connection, each in the place of its number.
///
/// The first subflow, that of MP_CAPABLE, is number 0; nobody else gets this number.
pub(crate) struct Subflows {
    places: [Option<KBox<SubflowState>>; MAX_PATHS],
    /// There ever was another subflow than the first, or the attempt to open one: the streams of
    /// subflow and connection may differ, and there is no way back to plain TCP.
    pub(crate) joined: bool,
}

impl Subflows {
    /// No subflows.
    pub(crate) const fn new() -> Self {
        Self {
            places: [const { None }; MAX_PATHS],
            joined: false,
        }
    }

    /// Takes the first subflow in, in place of one before it.
    pub(crate) fn put_first(&mut self, state: KBox<SubflowState>) {
        let [first, ..] = &mut self.places;
        *first = Some(state);
    }

    /// Forgets all subflows.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// The number of the subflow whose socket `tcp` is.
    pub(crate) fn number_of(&self, tcp: &Sock) -> Option<PathId> {
        self.iter()
            .find(|(_, subflow)| subflow.is(tcp))
            .map(|(path, _)| path)
    }

    /// The subflow whose socket `tcp` is.
    pub(crate) fn of(&mut self, tcp: &Sock) -> Option<&mut SubflowState> {
        let path = self.number_of(tcp)?;
        self.at_mut(path)
    }

    /// The subflow of this number.
    pub(crate) fn at(&self, path: PathId) -> Option<&SubflowState> {
        self.places.get(usize::from(path.number()))?.as_deref()
    }

    /// As [`at`](Self::at), to be changed.
    pub(crate) fn at_mut(&mut self, path: PathId) -> Option<&mut SubflowState> {
        self.places
            .get_mut(usize::from(path.number()))?
            .as_deref_mut()
    }

    /// The first subflow, if it is still there: of a listener, of a connection that cannot have
    /// others.
    pub(crate) fn first(&self) -> Option<&SubflowState> {
        self.at(PathId::FIRST)
    }

    /// As [`first`](Self::first), to be changed.
    pub(crate) fn first_mut(&mut self) -> Option<&mut SubflowState> {
        self.at_mut(PathId::FIRST)
    }

    /// All subflows with their numbers, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PathId, &SubflowState)> {
        let numbered = (0..).map_while(PathId::new).zip(self.places.iter());
        numbered.filter_map(|(path, place)| Some((path, place.as_deref()?)))
    }

    /// As [`iter`](Self::iter), to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (PathId, &mut SubflowState)> {
        let numbered = (0..).map_while(PathId::new).zip(self.places.iter_mut());
        numbered.filter_map(|(path, place)| Some((path, place.as_deref_mut()?)))
    }
}

/// The data level's view of a subflow.
pub(crate) struct SubflowState {
    pub(crate) sock: ARef<Sock>,
    /// Initial sequence number of our side: relative subflow sequence numbers count from it.
    pub(crate) local_isn: u32,
    /// Initial sequence number of the peer.
    pub(crate) remote_isn: u32,
    pub(crate) tx: TxMappings<TX_MAPPINGS>,
    pub(crate) rx: RxMappings<RX_MAPPINGS>,
    /// Bytes of a mapping that TCP did not take yet, from a data sequence number on. They stay
    /// here even if they are acknowledged meanwhile: TCP must get all that the mapping covers.
    pub(crate) partial: Option<(Dsn, Gathered)>,
    /// It is being given data: TCP may report room in the middle of that.
    pub(crate) pushing: bool,
    /// What the next RST says.
    pub(crate) reset: Reset,
    /// A DSS was received on it.
    pub(crate) dss_seen: bool,
    /// Its SYN had MP_CAPABLE.
    pub(crate) offered: bool,
    /// The peer's FIN was taken off it.
    pub(crate) finished: bool,
    /// A DATA_FIN came on a segment that TCP does not acknowledge by itself.
    pub(crate) ack_due: bool,
    /// What it carries cannot be understood: it is to be reset.
    pub(crate) useless: bool,
    /// The mapping whose checksum was found right.
    pub(crate) verified: Option<Ssn>,
    /// The number after the last byte that TCP was given with a mapping.
    pub(crate) given: Ssn,
    /// Since TCP was last given data, a segment that acknowledges all of it showed that the peer
    /// speaks MPTCP.
    pub(crate) heard: bool,
    /// Anything ever showed that, since the handshake.
    pub(crate) heard_ever: bool,
    /// How often in a row the retransmission timer expired in vain.
    pub(crate) unheard: u8,
    /// What is still to be said after a fallback in the middle of the connection.
    pub(crate) farewell: Farewell,
    /// How many more segments carry the MP_FAIL of the farewell.
    pub(crate) fail_repeats: u8,
    pub(crate) steering: SubflowSteering,
    /// What the congestion control of the other subflows must know of this one.
    pub(crate) coupled: Member,
}

impl SubflowState {
    /// A subflow that has not sent anything. Any context.
    ///
    /// # Errors
    /// ENOMEM.
    pub(crate) fn new(sock: &Sock) -> Result<KBox<Self>> {
        let state = Self {
            sock: sock.hold(),
            local_isn: 0,
            remote_isn: 0,
            tx: TxMappings::new(),
            rx: RxMappings::starting_at(Ssn::new(1)),
            partial: None,
            pushing: false,
            reset: Reset::Tcp,
            dss_seen: false,
            offered: false,
            finished: false,
            ack_due: false,
            useless: false,
            verified: None,
            given: Ssn::new(1),
            heard: false,
            heard_ever: false,
            unheard: 0,
            farewell: Farewell::default(),
            fail_repeats: 0,
            steering: SubflowSteering::default(),
            coupled: Member::default(),
        };
        Ok(KBox::new(state, GFP_ATOMIC)?)
    }

    /// Whether its socket is `tcp`.
    pub(crate) fn is(&self, tcp: &Sock) -> bool {
        self.sock.identity() == tcp.identity()
    }

    /// Relative number of a sequence number that we send.
    pub(crate) fn sent(&self, seq: u32) -> Ssn {
        Ssn::new(seq.wrapping_sub(self.local_isn))
    }

    /// Relative number of a sequence number that the peer sends.
    pub(crate) fn received(&self, seq: u32) -> Ssn {
        Ssn::new(seq.wrapping_sub(self.remote_isn))
    }
}

