// SPDX-License-Identifier: GPL-2.0

//! Walking over the options of a TCP header (RFC 9293 section 3.1), whatever bytes they are.

use super::kind;

/// One option of a TCP header that is not padding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TcpOption<'a> {
    /// The option kind.
    pub kind: u8,
    /// The bytes after kind and length.
    pub body: &'a [u8],
}

/// An iterator over the options of a TCP header. It ends at the end of the bytes, at an
/// end-of-list option, or at the first option whose length is impossible.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
    broken: bool,
}

/// Walks over `options`, the bytes between the fixed TCP header and the data.
#[inline]
pub const fn walk(options: &[u8]) -> Walk<'_> {
    Walk {
        rest: options,
        broken: false,
    }
}

impl Walk<'_> {
    /// Whether the walk ended at an option whose length is impossible.
    #[inline]
    pub const fn broken(&self) -> bool {
        self.broken
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = TcpOption<'a>;

    #[inline]
    fn next(&mut self) -> Option<TcpOption<'a>> {
        loop {
            let rest = core::mem::take(&mut self.rest);
            let (&kind, after_kind) = rest.split_first()?;
            match kind {
                kind::END => return None,
                kind::NOP => self.rest = after_kind,
                _ => {
                    // The length counts the kind and itself.
                    let split = after_kind
                        .split_first()
                        .and_then(|(&length, after_length)| {
                            after_length.split_at_checked(usize::from(length.checked_sub(2)?))
                        });
                    self.broken = split.is_none();
                    let (body, after) = split?;
                    self.rest = after;
                    return Some(TcpOption { kind, body });
                }
            }
        }
    }
}
