// SPDX-License-Identifier: GPL-2.0

//! One cache.

/// Size of a cache, in sets and in lines of each.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Sets; a line belongs to the one that its number modulo this names.
    pub sets: usize,
    /// Lines that fit a set.
    pub ways: usize,
}

/// A place for a line.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    line: u64,
    state: State,
    /// When it was used last.
    used: u64,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Empty,
    /// A write of another processor took the line away.
    Lost,
    /// Others may have it too.
    Shared,
    /// Nobody else has it.
    Own,
}

/// A cache, which knows lines by their number. The least recently used line of a set gives way.
#[derive(Debug)]
pub struct Cache {
    ways: Vec<Way>,
    shape: Shape,
    clock: u64,
}

/// What became of a lookup.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// It is there, and perhaps elsewhere.
    Shared,
    /// It is there alone.
    Own,
    /// It was there until another processor wrote to it.
    Lost,
    /// It is not there.
    Nothing,
}

impl Cache {
    /// An empty cache.
    pub fn new(shape: Shape) -> Self {
        Self {
            ways: vec![Way::default(); shape.sets * shape.ways],
            shape,
            clock: 0,
        }
    }

    fn set(&mut self, line: u64) -> &mut [Way] {
        let set = (line % self.shape.sets as u64) as usize;
        let first = set * self.shape.ways;
        &mut self.ways[first..first + self.shape.ways]
    }

    /// Looks a line up and uses it.
    pub(crate) fn use_line(&mut self, line: u64) -> Found {
        self.clock += 1;
        let clock = self.clock;
        match self.set(line).iter_mut().find(|way| way.is(line)) {
            Some(way) => {
                way.used = clock;
                match way.state {
                    State::Own => Found::Own,
                    State::Shared => Found::Shared,
                    State::Lost => Found::Lost,
                    State::Empty => Found::Nothing,
                }
            }
            None => Found::Nothing,
        }
    }

    /// Whether the line is here.
    pub(crate) fn has(&mut self, line: u64) -> bool {
        self.set(line)
            .iter()
            .any(|way| way.is(line) && way.is_valid())
    }

    /// Puts a line in its set, alone or shared. Gives back the line that had to go.
    pub(crate) fn put(&mut self, line: u64, own: bool) -> Option<u64> {
        let new = Way {
            line,
            state: if own { State::Own } else { State::Shared },
            used: self.clock,
        };
        let set = self.set(line);
        let place = match set.iter().position(|way| way.is(line)) {
            Some(place) => place,
            // What is not valid goes first.
            None => (0..set.len()).min_by_key(|at| (set[*at].is_valid(), set[*at].used))?,
        };
        let old = std::mem::replace(&mut set[place], new);
        (old.is_valid() && old.line != line).then_some(old.line)
    }

    /// Another processor reads the line: it is not alone here any more.
    pub(crate) fn share(&mut self, line: u64) {
        self.change(line, State::Shared);
    }

    /// This processor writes a line that it has.
    pub(crate) fn own(&mut self, line: u64) {
        self.change(line, State::Own);
    }

    /// Another processor writes the line. Returns whether it was here.
    pub(crate) fn lose(&mut self, line: u64) -> bool {
        self.change(line, State::Lost)
    }

    /// The level below has no room for the line any more.
    pub(crate) fn drop_line(&mut self, line: u64) {
        self.change(line, State::Empty);
    }

    fn change(&mut self, line: u64, state: State) -> bool {
        let way = self
            .set(line)
            .iter_mut()
            .find(|way| way.is(line) && way.is_valid());
        match way {
            Some(way) => {
                way.state = state;
                true
            }
            None => false,
        }
    }
}

impl Way {
    fn is(&self, line: u64) -> bool {
        self.line == line && self.state != State::Empty
    }

    fn is_valid(&self) -> bool {
        matches!(self.state, State::Shared | State::Own)
    }
}
