// SPDX-License-Identifier: GPL-2.0

//! The files of a network namespace, `/proc/net/mptcp_rs/*`.

use crate::netns::Namespace;
use kernel::prelude::*;
use knet::{
    netns::{
        Net,
        PerNet, //
    },
    procfs::{
        Directory,
        SeqFile,
        Show, //
    }, //
};

/// Makes the directory and its files; they go away with the returned value.
pub(crate) fn register(net: &Net) -> Result<Directory> {
    let directory = Directory::new(net, c"mptcp_rs")?;
    directory.add::<CounterFile>(c"counters")?;
    Ok(directory)
}

/// `counters`: what happened in the namespace.
struct CounterFile;

impl Show for CounterFile {
    fn show(net: &Net, out: &SeqFile) {
        if let Some(namespace) = Namespace::of(net) {
            namespace.counters.print(out);
        }
    }
}
