// SPDX-License-Identifier: GPL-2.0

//! The checks by name.

use crate::{connection, handshake, mappings, options, paths, reassembly};

/// A check of any bytes, which panics where model and core differ.
pub(crate) type Check = fn(&[u8]);

/// All of them. The name is that of the folder of kept inputs too.
pub(crate) const TARGETS: [(&str, Check); 11] = [
    ("segment", options::check_segment),
    ("option", options::check_option),
    ("plan", options::check_plan),
    ("mappings_received", mappings::compare_received),
    ("mappings_sent", mappings::compare_sent),
    ("reassembly", reassembly::compare),
    ("send", connection::compare_send),
    ("state", connection::compare_state),
    ("handshake", handshake::shake_hands),
    ("handshake_v0", handshake::shake_hands_of_version_0),
    ("paths", paths::watch),
];
