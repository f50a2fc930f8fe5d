// SPDX-License-Identifier: GPL-2.0

//! The path manager under events in any order, watched by somebody who only sees what it is told
//! and what it wants.

use crate::input::Input;
use mptcp_core::path_manager::{
    Action, Announcement, Command, Context, End, Endpoint, EndpointFlags, Endpoints, Event,
    Families, Farewell, JoinRequest, Limits, LocalSide, Mode, NewEndpoint, Open, Opened,
    PathManager, Role, Settings, SocketAddress, SubflowId,
};
use mptcp_core::wire::{Address, MpTcpRst, RemoveAddr, ResetReason, Version};
use std::collections::{HashMap, HashSet};

const SECOND: u64 = 1_000_000;
/// The retransmission timeout in microseconds.
const RTO: u32 = 200_000;
/// An ADD_ADDR is sent once and repeated three times.
const MOST_TIMES: u32 = 4;
/// What every peer can read of one REMOVE_ADDR.
const MOST_IDS: usize = 8;

/// The addresses of this host end in 1, those of the peer in 2.
fn local(net: u8) -> Address {
    Address::V4([10, 0, net, 1])
}

fn remote(net: u8) -> Address {
    Address::V4([10, 0, net, 2])
}

const fn at(address: Address, port: u16) -> SocketAddress {
    SocketAddress { address, port }
}

/// A connection, its surroundings, and what the watcher knows of them.
struct Watch {
    endpoints: Endpoints<6>,
    settings: Settings,
    opened: Opened,
    now: u64,
    manager: PathManager,
    ended: bool,
    /// Subflows that exist, in the order of their coming; `true` once they work.
    subflows: Vec<(SubflowId, bool)>,
    /// Subflows that were closed by FIN and not forgotten yet.
    finishing: HashSet<SubflowId>,
    names: HashSet<SubflowId>,
    /// Ids that the peer removed and did not announce again.
    removed: HashSet<u8>,
    /// How often each address was announced since it was configured, and whether it was confirmed.
    announced: HashMap<Announcement, (u32, bool)>,
    /// The host lost its first address.
    first_gone: bool,
    /// Subflows opened to addresses that the peer announced.
    lured: u64,
    /// How many segments in a row said nothing but options on a subflow, and when the last one did.
    spoken: HashMap<SubflowId, (u32, u64)>,
}

/// Compares what the path manager wants with what it may want, after every event.
pub(crate) fn watch(input: &[u8]) {
    let mut input = Input::new(input);
    if let Some(mut watch) = Watch::begin(&mut input) {
        while watch.step(&mut input).is_some() {}
        watch.rest();
    }
}

impl Watch {
    fn begin(input: &mut Input<'_>) -> Option<Self> {
        let flags = input.byte()?;
        let role = [Role::Client, Role::Server][usize::from(flags & 1)];
        let ports = match role {
            Role::Client => (5000, 80),
            Role::Server => (80, 5000),
        };
        let opened = Opened {
            version: [Version::V1, Version::V0][usize::from(flags >> 5 & 1)],
            role,
            local: at(local(0), ports.0),
            remote: at(remote(0), ports.1),
            families: Families { v4: true, v6: true },
            denied: flags & 2 != 0,
            denies: flags & 4 != 0,
        };
        let settings = Settings {
            mode: match flags & 24 {
                24 => Mode::Userspace { listening: true },
                _ => Mode::Kernel,
            },
            limits: Limits {
                extra_subflows: input.byte()? % 40,
                accepted_addresses: input.byte()? % 12,
            },
            subflows_per_pair: input.byte()? % 4,
            ..Settings::default()
        };
        Some(Self {
            endpoints: Endpoints::new(),
            settings,
            opened,
            now: 0,
            manager: PathManager::new(&opened, 0),
            ended: false,
            subflows: vec![(SubflowId::FIRST, true)],
            finishing: HashSet::new(),
            names: HashSet::from([SubflowId::FIRST]),
            removed: HashSet::new(),
            announced: HashMap::new(),
            first_gone: false,
            lured: 0,
            spoken: HashMap::new(),
        })
    }

    fn decides(&self) -> bool {
        self.settings.mode == Mode::Kernel
    }

    fn ask<T>(&mut self, ask: impl FnOnce(&mut PathManager, &Context<'_>) -> T) -> T {
        let context = Context {
            endpoints: self.endpoints.view(),
            settings: &self.settings,
            now: self.now,
            rto: RTO,
        };
        ask(&mut self.manager, &context)
    }

    /// One event, everything that follows, and up to four seconds; `None` when the input ends.
    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let (kind, one, two) = (input.byte()?, input.byte()?, input.byte()?);
        let wait = u64::from(input.byte()?);
        if let Some(event) = self.happen(kind, one, two) {
            self.ask(|manager, context| manager.handle(&event, context));
        }
        self.settle();
        self.now += wait * 16_000;
        Some(())
    }

    /// In a quiet time in which joins succeed, everything that waits comes to an end.
    fn rest(mut self) {
        loop {
            let mut quiet = self.settle() == 0;
            for at in 0..self.subflows.len() {
                let (subflow, works) = self.subflows[at];
                if !works {
                    quiet = false;
                    self.live(subflow);
                    let event = Event::Live { subflow };
                    self.ask(|manager, context| manager.handle(&event, context));
                }
            }
            match self.manager.deadline() {
                Some(deadline) => self.now = deadline,
                None if quiet => break,
                None => {}
            }
            assert!(self.now < 10_000 * SECOND, "there is no end");
        }
        assert!(self.ended || self.finishing.is_empty());
        if self.opened.version == Version::V1 && self.subflows.iter().any(|(_, works)| *works) {
            let given_up = |(times, confirmed): &(u32, bool)| *confirmed || *times == MOST_TIMES;
            assert!(self.ended || self.announced.values().all(given_up));
        }
    }

    /// Does what is wanted now; how much that was.
    fn settle(&mut self) -> usize {
        let mut count = 0;
        while let Some(action) = self.ask(|manager, context| manager.poll(context)) {
            self.check(&action);
            count += 1;
            assert!(count < 200, "there is no end");
        }
        let deadline = self.manager.deadline();
        assert!(deadline.is_none_or(|deadline| deadline > self.now));
        count
    }

    fn works(&self, subflow: SubflowId) -> bool {
        self.subflows.contains(&(subflow, true))
    }

    fn live(&mut self, subflow: SubflowId) {
        let of = self.subflows.iter_mut().find(|(one, _)| *one == subflow);
        if let Some((_, works)) = of {
            *works = true;
        }
    }

    fn forget(&mut self, subflow: SubflowId) -> bool {
        let before = self.subflows.len();
        self.subflows.retain(|(one, _)| *one != subflow);
        self.subflows.len() < before
    }

    fn add(&mut self, subflow: SubflowId) {
        assert!(self.names.insert(subflow), "a name is given once");
        self.subflows.push((subflow, false));
        assert!(self.subflows.len() <= 32);
    }

    /// The third segment in a row that repeats an acknowledgement would look like congestion.
    // rfc8684:3.4.1-10
    fn speaks(&mut self, subflow: SubflowId) {
        assert!(self.works(subflow));
        let (count, last) = self.spoken.entry(subflow).or_default();
        if self.now - *last >= u64::from(RTO) {
            *count = 0;
        }
        *count += 1;
        *last = self.now;
        assert!(*count <= 2);
    }

    fn check(&mut self, action: &Action) {
        assert!(!self.ended);
        if let Action::Echo { via, .. }
        | Action::Remove { via, .. }
        | Action::Announce { via, .. }
        | Action::Priority { subflow: via, .. } = action
        {
            self.speaks(*via);
        }
        match action {
            Action::Echo { .. } | Action::Priority { .. } => {}
            Action::Remove { option, .. } => assert!(option.ids().len() <= MOST_IDS),
            Action::Close {
                subflow,
                farewell: Farewell::Fin,
            } => assert!(self.forget(*subflow) && self.finishing.insert(*subflow)),
            Action::Close { subflow, .. } => {
                assert!(self.forget(*subflow) || self.finishing.remove(subflow));
            }
            Action::Probe { subflow } => assert!(self.works(*subflow)),
            Action::Announce { announcement, .. } => {
                let mut signals = self.endpoints.view().usable(EndpointFlags::SIGNAL);
                let configured = signals.any(|endpoint| {
                    let known = (endpoint.address, endpoint.port);
                    known == (announcement.address, announcement.port)
                });
                assert!(configured || !self.decides(), "{announcement:?}");
                let (times, confirmed) = self.announced.entry(*announcement).or_default();
                *times += 1;
                assert!(*times <= MOST_TIMES && !*confirmed, "{announcement:?}");
            }
            Action::Open(open) => self.check_open(open),
        }
    }

    fn check_open(&mut self, open: &Open) {
        let limit = usize::from(self.settings.limits.extra_subflows);
        assert!(self.manager.extra_subflows() <= limit);
        assert!(!self.removed.contains(&open.remote_id), "{open:?}");
        assert!(open.remote_id != 0 || !self.opened.denied);
        if let Some(side) = open.local {
            let first = side.id == 0 && side.address == self.opened.local.address;
            let usable = match self.endpoints.view().at(&side.address, None) {
                Some(endpoint) => endpoint.usable,
                None => first && !self.first_gone,
            };
            assert!(usable, "{open:?}");
        }
        self.add(open.subflow);
        self.lured += u64::from(open.remote_id != 0);
        assert!(self.lured <= 16 + self.now / SECOND);
    }

    /// What happens in one step.
    fn happen(&mut self, kind: u8, one: u8, two: u8) -> Option<Event> {
        let known = self
            .subflows
            .get(usize::from(one) % (self.subflows.len() + 1));
        // A name that nobody has, or has any more, must do no harm.
        let subflow = known.map_or(SubflowId::FIRST, |(subflow, _)| *subflow);
        let (net, flag) = (two % 5, one & 1 != 0);
        Some(match kind % 22 {
            0 => Event::FullyEstablished,
            1..=4 => {
                self.live(subflow);
                Event::Live { subflow }
            }
            5 => Event::Bound {
                subflow,
                local_id: two % 8,
            },
            6 | 7 => {
                self.forget(subflow);
                self.finishing.remove(&subflow);
                let end = end(two, flag);
                Event::SubflowEnded { subflow, end }
            }
            8 => Event::Heard { subflow },
            9 | 10 => {
                let announcement = self.announce(one % 4, two, one & 4 != 0);
                let on = subflow;
                Event::Announced { announcement, on }
            }
            11 => {
                let mut known: Vec<_> = self.announced.keys().copied().collect();
                known.sort_by_key(|what| (what.address_id, what.port));
                let echo = *known.get(usize::from(two) % known.len().max(1))?;
                self.announced.entry(echo).or_default().1 = true;
                Event::Echoed(echo)
            }
            12 => {
                self.removed.extend([one % 4, two % 4]);
                Event::Removed(RemoveAddr::new(&[one % 4, two % 4])?)
            }
            13 if flag => Event::AddressPriority {
                remote_id: two % 4,
                backup: one & 2 != 0,
            },
            13 => Event::Priority {
                subflow,
                backup: one & 2 != 0,
            },
            14 | 15 => {
                let new = NewEndpoint {
                    id: None,
                    address: local(net),
                    port: (one & 64 != 0).then_some(9000),
                    flags: EndpointFlags::from_bits(u32::from(one % 64))?,
                    interface: 0,
                };
                Event::EndpointReady(self.endpoints.add(new).ok()?)
            }
            16 => {
                let changed = self.endpoints.set_flags(one % 9, flag, !flag).ok()?;
                Event::EndpointChanged(changed)
            }
            17 => {
                let gone = self.endpoints.remove(one % 9).ok()?;
                self.lose(&gone);
                Event::EndpointGone(gone)
            }
            18 => self.change_link(net, flag),
            19 => self.admit(net, one)?,
            20 => self.obey(subflow, one, two)?,
            _ => {
                self.ended |= one == 255;
                (one == 255).then_some(Event::Ended)?
            }
        })
    }

    fn announce(&mut self, id: u8, two: u8, ported: bool) -> Announcement {
        // Some contradict what was announced before.
        let address = remote(if two < 200 { id } else { two % 5 });
        if address == remote(0) || id != 0 {
            self.removed.remove(&id);
        }
        Announcement {
            address_id: id,
            address,
            port: ported.then_some(8080),
        }
    }

    fn lose(&mut self, gone: &Endpoint) {
        if self.decides() {
            let lost = (gone.address, gone.port);
            self.announced
                .retain(|told, _| (told.address, told.port) != lost);
            self.first_gone |= lost == (local(0), None);
        }
    }

    fn change_link(&mut self, net: u8, up: bool) -> Event {
        self.endpoints.set_usable(&local(net), up);
        match up {
            true => {
                self.first_gone &= net != 0;
                Event::AddressReady(local(net))
            }
            false => {
                if self.decides() {
                    self.announced.retain(|told, _| told.address != local(net));
                }
                self.first_gone |= net == 0;
                Event::AddressGone(local(net))
            }
        }
    }

    /// A join of the peer. No event follows.
    fn admit(&mut self, net: u8, one: u8) -> Option<Event> {
        let request = JoinRequest {
            local: at(local(net), self.opened.local.port),
            remote: at(remote(one % 4), 6000),
            remote_id: one % 4,
            backup: one & 4 != 0,
        };
        let _ = self.endpoints.id_of(local(net));
        let admitted = self.ask(|manager, context| manager.admit(&request, context));
        if let Ok(admitted) = admitted {
            assert!(!self.ended);
            assert!(!self.opened.denies || request.local != self.opened.local);
            let limit = usize::from(self.settings.limits.extra_subflows);
            assert!(!self.decides() || self.manager.extra_subflows() <= limit);
            self.add(admitted.subflow);
        }
        None
    }

    /// A command of a program, which is refused unless it is in charge. No event follows.
    fn obey(&mut self, subflow: SubflowId, one: u8, two: u8) -> Option<Event> {
        let command = match two % 5 {
            0 => Command::Announce(Announcement {
                address_id: one % 4,
                address: local(two % 7),
                port: None,
            }),
            1 => Command::Withdraw {
                address_id: one % 4,
            },
            2 => Command::Open {
                local: LocalSide {
                    id: one % 8,
                    address: local(one % 8),
                    interface: 0,
                },
                remote: at(remote(0), 80),
                remote_id: 0,
                backup: false,
            },
            3 => Command::Close { subflow },
            _ => Command::Priority {
                subflow,
                backup: one & 1 != 0,
            },
        };
        let obeyed = self.ask(|manager, context| manager.command(&command, context));
        assert!(obeyed.is_err() || !self.decides() && !self.ended);
        match (command, obeyed) {
            (_, Ok(Some(open))) => self.add(open.subflow),
            (Command::Announce(what), Ok(None)) => {
                let other = |told: &Announcement| told.address_id != what.address_id;
                self.announced.retain(|told, _| other(told));
            }
            (Command::Withdraw { address_id }, Ok(None)) => {
                self.announced
                    .retain(|told, _| told.address_id != address_id);
            }
            _ => {}
        }
        None
    }
}

fn end(two: u8, transient: bool) -> End {
    let reason = ResetReason::UNSPECIFIED;
    match two % 5 {
        0 => End::Finished,
        1 => End::Unreachable,
        2 => End::Reset(None),
        3 => End::Refused,
        _ => End::Reset(Some(MpTcpRst { transient, reason })),
    }
}
