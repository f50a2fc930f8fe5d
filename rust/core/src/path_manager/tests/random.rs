// SPDX-License-Identifier: GPL-2.0

//! Any sequence of events, and what must hold after each of them.

use super::announcement::Progress;
use super::*;
use crate::wire::{MpTcpRst, RemoveAddr, ResetReason};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

/// One step: what happens, two numbers that say to whom, and how long it took in milliseconds.
type Step = (u8, u8, u8, u32);

/// What a watchful outsider knows.
#[derive(Default)]
struct Watch {
    /// Subflows that exist; `true` once they work.
    subflows: HashMap<SubflowId, bool>,
    /// Ids that the peer removed and did not announce again.
    removed: HashSet<u8>,
    /// How often each address was announced since it was last configured.
    announced: HashMap<Announcement, u32>,
    /// The host has its first address.
    first_gone: bool,
    /// Subflows opened to addresses that the peer announced.
    lured: u64,
}

impl Watch {
    fn pick(&self, number: u8) -> SubflowId {
        let mut all: Vec<_> = self.subflows.keys().copied().collect();
        all.sort_by_key(|subflow| subflow.0);
        let at = usize::from(number) % all.len().max(1);
        // A name that nobody has must do no harm.
        all.get(at).copied().unwrap_or(SubflowId(12345))
    }

    /// Notes an action and says whether it was right.
    fn check(&mut self, world: &World, action: &Action) -> Result<(), TestCaseError> {
        let works = |subflow: &SubflowId| self.subflows.get(subflow) == Some(&true);
        match action {
            Action::Echo { via, .. } => prop_assert!(works(via)),
            Action::Remove { option, via } => {
                prop_assert!(works(via));
                prop_assert!(option.ids().len() <= PathManager::IDS_PER_OPTION);
            }
            Action::Close { subflow, .. } => {
                prop_assert!(self.subflows.remove(subflow).is_some());
            }
            Action::Priority { subflow, .. } | Action::Probe { subflow } => {
                prop_assert!(works(subflow));
            }
            Action::Announce { announcement, via } => {
                prop_assert!(works(via));
                let decides = world.settings.mode == Mode::Kernel;
                let configured = world.endpoints.view().usable(SIGNAL).any(|endpoint| {
                    let known = (endpoint.address, endpoint.port);
                    known == (announcement.address, announcement.port)
                });
                prop_assert!(configured || !decides, "{announcement:?}");
                let times = self.announced.entry(*announcement).or_default();
                *times += 1;
                prop_assert!(*times <= 4, "{announcement:?}");
            }
            Action::Open(open) => self.check_open(world, open)?,
        }
        Ok(())
    }

    fn check_open(&mut self, world: &World, open: &Open) -> Result<(), TestCaseError> {
        let limit = usize::from(world.settings.limits.extra_subflows);
        prop_assert!(world.manager.extra_subflows() <= limit);
        prop_assert!(!self.removed.contains(&open.remote_id), "{open:?}");
        prop_assert!(open.remote_id != 0 || !world.manager.denied);
        if let Some(local) = open.local {
            let first = local.id == 0 && local.address == world.manager.local.address;
            let endpoint = world.endpoints.view().at(&local.address, None);
            let usable = endpoint.map_or(first && !self.first_gone, |one| one.usable);
            prop_assert!(usable, "{open:?}");
        }
        prop_assert_eq!(self.subflows.insert(open.subflow, false), None);
        self.lured += u64::from(open.remote_id != 0);
        prop_assert!(self.lured <= 16 + world.now / SECOND);
        Ok(())
    }
}

/// What happens in one step.
fn event(world: &mut World, watch: &mut Watch, (kind, one, two, _): Step) -> Option<Event> {
    let subflow = watch.pick(one);
    let (net, flag) = (two % 5, one % 2 == 0);
    Some(match kind % 20 {
        0 => Event::FullyEstablished,
        1..=3 => {
            if let Some(works) = watch.subflows.get_mut(&subflow) {
                *works = true;
            }
            Event::Live { subflow }
        }
        4 => Event::Bound {
            subflow,
            local_id: two % 8,
        },
        5 | 6 => {
            watch.subflows.remove(&subflow);
            let reason = ResetReason::UNSPECIFIED;
            let end = match two % 5 {
                0 => End::Finished,
                1 => End::Unreachable,
                2 => End::Reset(None),
                3 => End::Refused,
                _ => End::Reset(Some(MpTcpRst {
                    transient: flag,
                    reason,
                })),
            };
            Event::SubflowEnded { subflow, end }
        }
        7 => Event::Heard { subflow },
        8 | 9 => {
            let port = flag.then_some(8080);
            let id = one % 4;
            // Some contradict what was announced before.
            let address = remote(if two < 200 { id } else { net });
            if address == remote(0) || id != 0 {
                watch.removed.remove(&id);
            }
            Event::Announced(announcement(id, address, port))
        }
        10 => Event::Echoed(
            watch
                .announced
                .keys()
                .copied()
                .min_by_key(|one| one.address_id)?,
        ),
        11 => {
            watch.removed.extend([one % 4, two % 4]);
            Event::Removed(RemoveAddr::new(&[one % 4, two % 4])?)
        }
        12 => Event::Priority {
            subflow,
            backup: flag,
        },
        13 | 14 => {
            let new = NewEndpoint {
                id: None,
                address: local(net),
                port: (one & 64 != 0).then_some(9000),
                flags: EndpointFlags::from_bits(u32::from(one % 64)).unwrap(),
                interface: 0,
            };
            let endpoint = world.endpoints.add(new).ok()?;
            Event::EndpointReady(endpoint)
        }
        15 => {
            let changed = world.endpoints.set_flags(one % 9, flag, !flag).ok()?;
            Event::EndpointChanged(changed)
        }
        16 => {
            let gone = world.endpoints.remove(one % 9).ok()?;
            watch
                .announced
                .retain(|told, _| told.address != gone.address);
            watch.first_gone |= (gone.address, gone.port) == (local(0), None);
            Event::EndpointGone(gone)
        }
        17 => {
            world.endpoints.set_usable(&local(net), flag);
            match flag {
                true => {
                    watch.first_gone &= net != 0;
                    Event::AddressReady(local(net))
                }
                false => {
                    watch.announced.retain(|told, _| told.address != local(net));
                    watch.first_gone |= net == 0;
                    Event::AddressGone(local(net))
                }
            }
        }
        18 => {
            let request = JoinRequest {
                local: at(local(net), world.manager.local.port),
                remote: at(remote(one % 4), 6000),
                remote_id: one % 4,
                backup: flag,
            };
            let _ = world.endpoints.id_of(local(net));
            let limit = usize::from(world.settings.limits.extra_subflows);
            let admitted = world.with(|manager, context| manager.admit(&request, context));
            if let Ok(admitted) = admitted {
                assert_eq!(watch.subflows.insert(admitted.subflow, false), None);
                let decides = world.settings.mode == Mode::Kernel;
                assert!(!decides || world.manager.extra_subflows() <= limit);
            }
            return None;
        }
        _ => {
            obey(world, watch, subflow, one, two);
            return None;
        }
    })
}

/// A command of a program, which is refused unless it is in charge.
fn obey(world: &mut World, watch: &mut Watch, subflow: SubflowId, one: u8, two: u8) {
    let what = announcement(one % 4, local(two % 5), None);
    let command = match two % 5 {
        0 => Command::Announce(what),
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
            backup: one % 2 == 0,
        },
    };
    let obeyed = world.with(|manager, context| manager.command(&command, context));
    match (command, obeyed) {
        (_, Ok(Some(open))) => assert_eq!(watch.subflows.insert(open.subflow, false), None),
        (Command::Announce(what), Ok(None)) => drop(watch.announced.remove(&what)),
        _ => {}
    }
}

fn opened() -> impl Strategy<Value = Opened> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(is_client, denied, denies)| Opened {
        denied,
        denies,
        ..if is_client { client() } else { server() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_rules_hold_after_any_events(
        opened in opened(),
        limits in (0..6_u8, 0..4_u8, 1..4_u8),
        userspace in proptest::bool::weighted(0.2),
        steps in proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), 0..3000_u32), 0..120),
    ) {
        let mut world = World::new(&opened, limits.0, limits.1);
        world.settings.subflows_per_pair = limits.2;
        if userspace {
            world.settings.mode = Mode::Userspace { listening: true };
        }
        let mut watch = Watch::default();
        watch.subflows.insert(SubflowId::FIRST, true);
        for step in steps {
            if let Some(event) = event(&mut world, &mut watch, step) {
                world.tell(event);
            }
            for action in world.actions() {
                watch.check(&world, &action)?;
            }
            world.now += u64::from(step.3) * 1000;
        }

        // In a quiet time everything that waits comes to an end.
        for _ in 0..1000 {
            let actions = world.actions();
            for action in &actions {
                watch.check(&world, action)?;
                if let Action::Open(open) = action {
                    world.tell(Event::Live { subflow: open.subflow });
                    watch.subflows.insert(open.subflow, true);
                }
            }
            match world.manager.deadline() {
                Some(deadline) => world.now = deadline,
                None if actions.is_empty() => break,
                None => {}
            }
        }
        prop_assert_eq!(world.manager.deadline(), None);
        if watch.subflows.values().any(|works| *works) {
            let settled = |progress| matches!(progress, Progress::Answered | Progress::GivenUp);
            prop_assert!(world.manager.announced.iter().all(|one| settled(one.progress)));
            prop_assert!(world.manager.echoes.iter().next().is_none());
            prop_assert_eq!(world.manager.departing, IdSet::default());
        }
    }
}
