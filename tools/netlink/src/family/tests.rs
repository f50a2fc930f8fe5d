// SPDX-License-Identifier: GPL-2.0

use super::Family;
use crate::{
    error::Error,
    recorded,
    transport::payloads, //
};
use netlink_packet_generic::{
    ctrl::GenlCtrl,
    GenlMessage, //
};

fn recorded_family() -> Family {
    let answers: Vec<GenlMessage<GenlCtrl>> =
        payloads(&recorded::bytes(recorded::FAMILY)).expect("a recorded answer");
    let attributes = answers.into_iter().flat_map(|answer| answer.payload.nlas);
    Family::from_attributes("mptcp_pm", attributes).expect("a recorded family")
}

#[test]
fn number_and_groups() {
    let family = recorded_family();
    assert_eq!(family.id, 28);
    assert_eq!(family.group("mptcp_pm_events").expect("a group"), 9);
    assert_eq!(family.group("mptcp_pm_cmds").expect("a group"), 8);
}

#[test]
fn unknown_group() {
    let error = recorded_family()
        .group("weather")
        .expect_err("no such group");
    assert_eq!(
        error.to_string(),
        "the netlink family mptcp_pm has no group weather"
    );
}

#[test]
fn answer_without_number() {
    let family = Family::from_attributes("mptcp_pm", std::iter::empty());
    assert!(matches!(family, Err(Error::Malformed(_))));
}
