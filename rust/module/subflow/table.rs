// SPDX-License-Identifier: GPL-2.0

//! The subflows of a connection, and what the data level knows of each.

use crate::protocol::{Meta, Mptcp};
use crate::steering::SubflowSteering;
use crate::subflow::join::Join;
use crate::subflow::mappings::{self, Received, Sent};
use core::cell::Cell;
use core::mem::MaybeUninit;
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use knet::fragments::Gathered;
use knet::sock::Sock;
use knet::subflow::{Claim, Subflow};
use mptcp_core::congestion::Member;
pub(crate) use mptcp_core::connection::doubt::Doubt;
use mptcp_core::connection::farewell::Farewell;
use mptcp_core::connection::speech::Reset;
use mptcp_core::path_manager::SubflowId;
use mptcp_core::scheduler::{Health, PathId, PathSet, MAX_PATHS};
use mptcp_core::seq::{Dsn, Ssn};
use mptcp_core::wire::plan::Wanted;
use mptcp_core::wire::MpTcpRst;

/// Subflows beside the first that a connection can have.
const OTHERS: usize = MAX_PATHS - 1;

/// The subflows of a connection, each in the place of its number.
///
/// The first subflow, that of MP_CAPABLE, is number 0; nobody else gets this number. Most connections have
/// no other, so there are places for others only when they are needed.
pub(crate) struct Subflows {
    first: Option<KBox<SubflowState>>,
    /// From number 1 on; with room for all there can be, or for none.
    others: KVec<Option<KBox<SubflowState>>>,
    /// Another subflow than the first carries data or carried some: the streams of subflow and
    /// connection may differ.
    pub(crate) joined: bool,
    /// The peer has taken another subflow in, or is about to: there is no way back to plain TCP. A SYN
    /// of ours alone tells nothing about the peer, who may fall back meanwhile.
    pub(crate) answered: bool,
    /// Places that are promised to subflows whose sockets are being made.
    reserved: usize,
    /// The number that was last looked up by its socket: what comes next is mostly about the same one.
    recent: Cell<PathId>,
}

impl Subflows {
    /// No subflows.
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            others: KVec::new(),
            joined: false,
            answered: false,
            reserved: 0,
            recent: Cell::new(PathId::FIRST),
        }
    }

    /// Takes the first subflow in, in place of one before it.
    pub(crate) fn put_first(&mut self, state: KBox<SubflowState>) {
        self.first = Some(state);
    }

    /// Takes in a subflow that joins; `None` if there is no place.
    pub(crate) fn join(&mut self, state: KBox<SubflowState>) -> Option<PathId> {
        self.reserve().then(|| self.join_reserved(state))
    }

    /// Promises a place to a subflow that joins; `false` if there is none.
    pub(crate) fn reserve(&mut self) -> bool {
        if self.others.capacity() == 0 {
            match KVec::with_capacity(OTHERS, GFP_ATOMIC) {
                Ok(others) => self.others = others,
                Err(_) => return false,
            }
        }
        let taken = how_many(self.others.iter().flatten());
        let vacant = taken.saturating_add(self.reserved) < OTHERS;
        self.reserved = self.reserved.saturating_add(usize::from(vacant));
        vacant
    }

    /// Takes a promise back.
    pub(crate) fn cancel(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// As [`join`](Self::join), for a subflow that was promised a place.
    pub(crate) fn join_reserved(&mut self, state: KBox<SubflowState>) -> PathId {
        self.cancel();
        for (path, place) in numbers_from_one().zip(self.others.iter_mut()) {
            if place.is_none() {
                *place = Some(state);
                return path;
            }
        }
        let path = numbers_from_one().nth(self.others.len());
        match self.others.push_within_capacity(Some(state)) {
            Ok(()) => path.unwrap_or(PathId::FIRST),
            Err(_) => PathId::FIRST,
        }
    }

    /// Takes a subflow out.
    pub(crate) fn remove(&mut self, path: PathId) -> Option<KBox<SubflowState>> {
        match path.number().checked_sub(1) {
            None => self.first.take(),
            Some(place) => self.others.get_mut(usize::from(place))?.take(),
        }
    }

    /// The numbers of all subflows.
    pub(crate) fn numbers(&self) -> PathSet {
        self.iter().map(|(path, _)| path).collect()
    }

    /// The subflows that can carry data, with their numbers.
    pub(crate) fn live(&self) -> impl Iterator<Item = (PathId, &SubflowState)> + Clone {
        self.iter().filter(|(_, subflow)| subflow.live)
    }

    /// Whether the subflow of this number can carry data.
    pub(crate) fn is_live(&self, path: PathId) -> bool {
        self.at(path).is_some_and(|subflow| subflow.live)
    }

    /// As many subflows as there may be, about: each has a number below this.
    pub(crate) fn places(&self) -> usize {
        self.others.len().saturating_add(1)
    }

    /// Forgets all subflows. The room for others stays: one may be on its way.
    pub(crate) fn clear(&mut self) {
        let mut others = core::mem::replace(&mut self.others, KVec::new());
        others.clear();
        *self = Self {
            others,
            ..Self::new()
        };
    }

    /// The number of the subflow whose socket `tcp` is.
    #[inline]
    pub(crate) fn number_of(&self, tcp: &Sock) -> Option<PathId> {
        let recent = self.recent.get();
        if self.at(recent).is_some_and(|subflow| subflow.is(tcp)) {
            return Some(recent);
        }
        let (path, _) = self.iter().find(|(_, subflow)| subflow.is(tcp))?;
        self.recent.set(path);
        Some(path)
    }

    /// The subflow whose socket `tcp` is.
    pub(crate) fn of(&mut self, tcp: &Sock) -> Option<&mut SubflowState> {
        self.find_mut(tcp).map(|(_, subflow)| subflow)
    }

    /// The subflow whose socket `tcp` is, with its number.
    #[inline]
    pub(crate) fn find_mut(&mut self, tcp: &Sock) -> Option<(PathId, &mut SubflowState)> {
        let path = self.number_of(tcp)?;
        Some((path, self.at_mut(path)?))
    }

    /// The subflow of this number.
    pub(crate) fn at(&self, path: PathId) -> Option<&SubflowState> {
        match path.number().checked_sub(1) {
            None => self.first.as_deref(),
            Some(place) => self.others.get(usize::from(place))?.as_deref(),
        }
    }

    /// As [`at`](Self::at), to be changed.
    pub(crate) fn at_mut(&mut self, path: PathId) -> Option<&mut SubflowState> {
        match path.number().checked_sub(1) {
            None => self.first.as_deref_mut(),
            Some(place) => self.others.get_mut(usize::from(place))?.as_deref_mut(),
        }
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
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PathId, &SubflowState)> + Clone {
        Iter {
            first: self.first.as_deref(),
            others: self.others.iter(),
            number: PathId::FIRST.number(),
        }
    }

    /// As [`iter`](Self::iter), to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (PathId, &mut SubflowState)> {
        let first = self.first.as_deref_mut();
        let first = first.map(|first| (PathId::FIRST, first));
        let others = numbers_from_one().zip(self.others.iter_mut());
        let others = others.filter_map(|(path, place)| Some((path, place.as_deref_mut()?)));
        Iterator::chain(first.into_iter(), others)
    }
}

/// Subflows with their numbers.
#[derive(Clone)]
struct Iter<'a> {
    first: Option<&'a SubflowState>,
    others: core::slice::Iter<'a, Option<KBox<SubflowState>>>,
    /// That of the place before the next.
    number: u8,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (PathId, &'a SubflowState);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some((PathId::FIRST, first));
        }
        loop {
            let place = self.others.next()?;
            self.number = self.number.saturating_add(1);
            if let (Some(subflow), Some(path)) = (place.as_deref(), PathId::new(self.number)) {
                return Some((path, subflow));
            }
        }
    }
}

/// The numbers that subflows can have that are not the first.
fn numbers_from_one() -> impl Iterator<Item = PathId> + Clone {
    (1..=u8::MAX).map_while(PathId::new)
}

/// The socket of a subflow, which lives as long as it is held. Any context.
pub(crate) fn sock_of(meta: &Meta, path: PathId) -> Option<ARef<Sock>> {
    let connection = meta.lock_data();
    Some(connection.subflows.at(path)?.sock.clone())
}

/// The sockets of all subflows that joined, as [`socks_of`] gives them.
pub(crate) fn joined_socks(meta: &Meta) -> impl Iterator<Item = ARef<Sock>> + '_ {
    let joined = meta.lock_data().subflows.numbers().without(PathId::FIRST);
    socks_of(meta, joined)
}

/// The sockets of these subflows, one after the other: the data lock is free between them.
pub(crate) fn socks_of(meta: &Meta, paths: PathSet) -> impl Iterator<Item = ARef<Sock>> + '_ {
    paths.iter().filter_map(|path| sock_of(meta, path))
}

/// The number of items, which are few: unlike [`Iterator::count`], without an addition that could
/// overflow.
pub(crate) fn how_many<T>(items: impl Iterator<Item = T>) -> usize {
    items.fold(0, |number: usize, _| number.saturating_add(1))
}

/// The data level's view of a subflow.
pub(crate) struct SubflowState {
    pub(crate) sock: ARef<Sock>,
    /// Initial sequence number of our side: relative subflow sequence numbers count from it.
    pub(crate) local_isn: u32,
    /// Initial sequence number of the peer.
    pub(crate) remote_isn: u32,
    pub(crate) tx: Sent,
    pub(crate) rx: Received,
    /// Bytes of a mapping that TCP did not take yet, from a data sequence number on. They stay
    /// here even if they are acknowledged meanwhile: TCP must get all that the mapping covers.
    pub(crate) partial: Option<(Dsn, Gathered)>,
    /// The send buffer that its TCP had chosen when somebody looked last, in bytes.
    pub(crate) send_buffer: i32,
    /// What its TCP counts as unread, once there was much.
    pub(crate) claim: Option<Claim>,
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
    /// The peer's DATA_FIN came with its FIN.
    pub(crate) ended_with_stream: bool,
    /// Our FIN ends it, while the connection goes on.
    pub(crate) finishing: bool,
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
    pub(crate) steering: SubflowSteering,
    /// What the congestion control of the other subflows must know of this one.
    pub(crate) coupled: Member,
    /// It can carry data: its handshake is done, and neither end closes it.
    pub(crate) live: bool,
    /// TCP is done with it: it waits to be taken out of the table, in process context.
    pub(crate) gone: bool,
    /// The handshake by which it joined; `None` for the first subflow.
    pub(crate) join: Option<Join>,
    /// What it takes to close a subflow that joined. The first one's is with the owner.
    pub(crate) handle: Option<Subflow<Mptcp>>,
    /// Our id of the local address.
    pub(crate) local_id: u8,
    /// The peer's id of the remote address.
    pub(crate) remote_id: u8,
    /// We want it used only when no other works.
    pub(crate) local_backup: bool,
    /// The peer wants that.
    pub(crate) remote_backup: bool,
    /// The path manager's name of it, if it has one; the first subflow needs none.
    pub(crate) name: Option<SubflowId>,
    /// Routing chooses the local address, whose id is found then.
    pub(crate) routed: bool,
    /// What the next segment without data says, and nothing else.
    pub(crate) errand: Option<KBox<Wanted>>,
    /// Whether it must show that it still works.
    pub(crate) doubt: Doubt,
    /// What the RST said with which the peer ended it.
    pub(crate) reset_by_peer: Option<MpTcpRst>,
    /// Its congestion window is to be reduced, because it holds the peer's window closed.
    pub(crate) penalty_due: bool,
    /// Whether it answers. While it does not, what it carries is given to others.
    pub(crate) health: Health,
    /// See [`mptcp_core::scheduler::Path::last_progress_us`].
    pub(crate) last_progress_us: u64,
}

// The allocator gives the next power of two, and clears it.
const _: () = assert!(core::mem::size_of::<SubflowState>() <= 1024);

impl SubflowState {
    /// A subflow that has not sent anything. Any context.
    ///
    /// # Errors
    /// ENOMEM.
    pub(crate) fn new(sock: &Sock) -> Result<KBox<Self>> {
        Ok(Self::new_in(KBox::new_uninit(GFP_ATOMIC)?, sock))
    }

    /// As [`new`](Self::new), with memory that is there already.
    pub(crate) fn new_in(place: KBox<MaybeUninit<Self>>, sock: &Sock) -> KBox<Self> {
        // Written where it will be, not moved there.
        let initialised = place.write_init(init!(Self {
            sock: sock.hold(),
            local_isn: 0,
            remote_isn: 0,
            tx: mappings::sent(),
            rx: mappings::received(Ssn::new(1)),
            partial: None,
            send_buffer: 0,
            claim: None,
            pushing: false,
            reset: Reset::Tcp,
            dss_seen: false,
            offered: false,
            finished: false,
            ended_with_stream: false,
            finishing: false,
            ack_due: false,
            useless: false,
            verified: None,
            given: Ssn::new(1),
            heard: false,
            heard_ever: false,
            unheard: 0,
            farewell: Farewell::default(),
            steering: SubflowSteering::default(),
            coupled: Member::default(),
            live: false,
            gone: false,
            join: None,
            handle: None,
            local_id: 0,
            remote_id: 0,
            local_backup: false,
            remote_backup: false,
            name: None,
            routed: false,
            errand: None,
            doubt: Doubt::None,
            reset_by_peer: None,
            penalty_due: false,
            health: Health::new(),
            last_progress_us: 0,
        }));
        let Ok(state) = initialised;
        state
    }

    /// Client: whether the server has not shown yet that it has the third ACK.
    pub(crate) fn awaits_answer(&self) -> bool {
        let asks = |join: &Join| join.hmac.is_some();
        !self.live && !self.finishing && self.join.as_ref().is_some_and(asks)
    }

    /// Whether it is known, or likely, not to carry anything.
    pub(crate) fn is_lost(&self) -> bool {
        self.health.is_stale() || !self.doubt.is_none()
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
