// SPDX-License-Identifier: GPL-2.0

//! A generic netlink family by its name.

use crate::{
    error::{
        Error,
        Result,
        ENOENT, //
    },
    transport::{
        Transport,
        Wanted, //
    }, //
};
use netlink_packet_generic::{
    ctrl::{
        nlas::{
            GenlCtrlAttrs,
            McastGrpAttrs, //
        },
        GenlCtrl,
        GenlCtrlCmd, //
    },
    GenlMessage, //
};

/// What the kernel says of a family.
pub(crate) struct Family {
    /// Its name.
    pub(crate) name: String,
    /// The message type that the kernel gave it.
    pub(crate) id: u16,
    /// Its multicast groups and their numbers.
    groups: Vec<(String, u32)>,
}

impl Family {
    /// Asks the kernel for the family of this name.
    pub(crate) fn find(transport: &mut Transport, name: &str) -> Result<Self> {
        let request = GenlMessage::from_payload(GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![GenlCtrlAttrs::FamilyName(name.to_owned())],
        });
        let answers =
            transport
                .ask(request, Wanted::Answer)
                .map_err(|error| match error.errno() {
                    Some(ENOENT) => Error::NoFamily(name.to_owned()),
                    _ => error,
                })?;
        let attributes = answers.into_iter().flat_map(|answer| answer.payload.nlas);
        Self::from_attributes(name, attributes)
    }

    fn from_attributes(
        name: &str,
        attributes: impl Iterator<Item = GenlCtrlAttrs>,
    ) -> Result<Self> {
        let mut id = None;
        let mut groups = Vec::new();
        for attribute in attributes {
            match attribute {
                GenlCtrlAttrs::FamilyId(value) => id = Some(value),
                GenlCtrlAttrs::McastGroups(list) => {
                    groups.extend(list.iter().filter_map(|group| named_group(group)));
                }
                _ => {}
            }
        }
        Ok(Self {
            name: name.to_owned(),
            id: id.ok_or_else(|| Error::Malformed("the family has no number".into()))?,
            groups,
        })
    }

    /// The number of a multicast group.
    pub(crate) fn group(&self, name: &'static str) -> Result<u32> {
        let found = self.groups.iter().find(|(known, _)| known == name);
        found.map(|(_, number)| *number).ok_or(Error::NoGroup {
            family: self.name.clone(),
            group: name,
        })
    }
}

fn named_group(attributes: &[McastGrpAttrs]) -> Option<(String, u32)> {
    let mut name = None;
    let mut number = None;
    for attribute in attributes {
        match attribute {
            McastGrpAttrs::Name(value) => name = Some(value.clone()),
            McastGrpAttrs::Id(value) => number = Some(*value),
        }
    }
    name.zip(number)
}

#[cfg(test)]
mod tests;
