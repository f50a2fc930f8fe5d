// SPDX-License-Identifier: GPL-2.0

//! Entry points of coupled congestion control.

use mptcp_core::congestion::{
    Ack, Algorithm, Balia, Control, Lia, Member, Members, Olia, Window, Wvegas,
};

entry_points! {
    congestion_algorithm(algorithm: Algorithm) -> (Control, &'static str) {
        (Control::new(algorithm), algorithm.name())
    }
    congestion_members(all: &[Member], own: Member) -> (usize, bool, Member) {
        let members = Members::new(all, own);
        let (least, _) = members.active().size_hint();
        (least, members.several(), members.own())
    }
    congestion_ack(one: &mut Control, window: Window, ack: &Ack, all: &[Member]) -> Window {
        let own = one.member(window.cwnd, 1);
        one.on_ack(window, ack, &Members::new(all, own))
    }
    congestion_ssthresh(control: &Control, window: Window, members: &Members<'_>) -> u32 {
        control.ssthresh(window, members)
    }
    congestion_events(control: &mut Control, rtt_us: u32) -> Member {
        control.on_rtt(rtt_us);
        control.on_loss();
        control.on_recovered();
        control.on_restart();
        control.member(rtt_us, rtt_us)
    }
    congestion_lia(lia: &mut Lia, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        lia.on_ack(window, ack, members)
    }
    congestion_olia(olia: &mut Olia, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        olia.on_ack(window, ack, members)
    }
    congestion_balia(one: &mut Balia, window: Window, ack: &Ack, members: &Members<'_>) -> Window {
        one.on_ack(window, ack, members)
    }
    congestion_wvegas(one: &mut Wvegas, window: Window, ack: &Ack, all: &Members<'_>) -> Window {
        one.on_ack(window, ack, all)
    }
}
