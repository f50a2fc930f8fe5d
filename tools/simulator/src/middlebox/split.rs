// SPDX-License-Identifier: GPL-2.0

//! A cutter of segments, as segmentation offload or a smaller MTU on the path.

use super::{Middlebox, Passed, Way};
use crate::segment::{Options, Segment, Time};

pub(super) struct Split {
    pub(super) most: u32,
    pub(super) copy_options: bool,
}

impl Middlebox for Split {
    fn pass(&mut self, way: Way, segment: Segment, _now: Time, out: &mut Passed) {
        let most = self.most as usize;
        if segment.data.len() <= most {
            return out.push((way, segment));
        }
        let pieces = segment.data.len().div_ceil(most);
        for (index, data) in segment.data.chunks(most).enumerate() {
            let mut piece = segment.clone();
            piece.seq = segment.seq.wrapping_add((index * most) as u32);
            piece.data = data.to_vec();
            piece.flags.fin = segment.flags.fin && index + 1 == pieces;
            if index > 0 && !self.copy_options {
                piece.options = Options::default();
            }
            out.push((way, piece));
        }
    }
}
