use smallvec::SmallVec;

use crate::envelope::{Envelopes, Place, ROOT};
use crate::scan::{self, Flaw};

/// A string that began this long ago is read on where it stopped when more bytes come; a shorter
/// one is read again from its start, so that keys are seen whole.
const LONG_STRING: usize = 64 * 1024;

/// Kinds of open containers are kept as bits of a word.
pub(crate) const DEEPEST: u32 = 128;

/// What may stand next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    After,
}

/// Why the machine stopped. Positions are where it stopped, or goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value is complete; the position is behind it.
    Complete(usize),
    /// The bytes end before the value does.
    More(usize),
    /// An array of records begins; the position is behind its bracket.
    Records(usize),
    /// A container opens beyond the depth that is allowed.
    TooDeep(usize),
    /// Something is there that cannot be.
    Bad(usize, &'static str),
}

/// Follows one JSON value through as many pieces as it comes in. Its memory is a few words,
/// whatever the value's size and depth.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Bit n: whether the container at depth n + 1 is an object.
    kinds: u128,
    depth: u32,
    limit: u32,
    expect: Expect,
    in_string: bool,
    /// Places in the tree of envelope keys of the open containers, from the root on, as far as
    /// envelope keys led.
    path: SmallVec<[Place; 4]>,
    /// Where the key just read leads.
    pending: Option<Place>,
    tracked: bool,
}

impl Machine {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            kinds: 0,
            depth: 0,
            limit: u32::try_from(limit).unwrap_or(DEEPEST).clamp(1, DEEPEST),
            expect: Expect::Value,
            in_string: false,
            path: SmallVec::new(),
            pending: None,
            tracked: false,
        }
    }

    /// Makes ready for a new value; `tracked` says whether it may be an envelope.
    pub(crate) fn start(&mut self, tracked: bool) {
        self.depth = 0;
        self.expect = Expect::Value;
        self.in_string = false;
        self.path.clear();
        self.pending = None;
        self.tracked = tracked;
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Reads on from `position`.
    pub(crate) fn run(
        &mut self,
        bytes: &[u8],
        mut position: usize,
        ended: bool,
        envelopes: &Envelopes,
    ) -> Step {
        loop {
            if self.in_string {
                match scan::string(bytes, position) {
                    Ok(end) => {
                        position = end.after;
                        self.in_string = false;
                        self.expect = match self.expect {
                            Expect::FirstKey | Expect::Key => Expect::Colon,
                            _ => Expect::After,
                        };
                    }
                    Err(Flaw::Ends(resume)) => return Step::More(resume),
                    Err(Flaw::At(at, reason)) => return Step::Bad(at, reason),
                }
            }
            if self.expect == Expect::After && self.depth == 0 {
                return Step::Complete(position);
            }
            position = scan::white_space(bytes, position);
            let Some(byte) = bytes.get(position).copied() else {
                return Step::More(position);
            };
            match self.expect {
                Expect::After => match byte {
                    b',' => {
                        position += 1;
                        self.expect = if self.in_object() {
                            Expect::Key
                        } else {
                            Expect::Value
                        };
                    }
                    b'}' if self.in_object() => position = self.close(position),
                    b']' if !self.in_object() => position = self.close(position),
                    _ => return Step::Bad(position, "neither a comma nor a closing bracket"),
                },
                Expect::FirstKey if byte == b'}' => position = self.close(position),
                Expect::FirstElement if byte == b']' => position = self.close(position),
                Expect::FirstKey | Expect::Key => {
                    if byte != b'"' {
                        return Step::Bad(position, "not a key");
                    }
                    match scan::string(bytes, position + 1) {
                        Ok(end) => {
                            if self.path.len() == self.depth as usize {
                                let key = bytes.get(position + 1..end.after - 1);
                                self.pending = self
                                    .path
                                    .last()
                                    .and_then(|place| envelopes.step(*place, key?));
                            }
                            position = end.after;
                            self.expect = Expect::Colon;
                        }
                        Err(flaw) => return self.cut_string(flaw, position),
                    }
                }
                Expect::Colon => {
                    if byte != b':' {
                        return Step::Bad(position, "no colon behind a key");
                    }
                    position += 1;
                    self.expect = Expect::Value;
                }
                Expect::Value | Expect::FirstElement => match byte {
                    b'"' => match scan::string(bytes, position + 1) {
                        Ok(end) => {
                            position = end.after;
                            self.expect = Expect::After;
                        }
                        Err(flaw) => return self.cut_string(flaw, position),
                    },
                    b'{' | b'[' => {
                        let object = byte == b'{';
                        let place = self.pending.take();
                        if let Some(place) = place
                            && !object
                            && envelopes.is_array(place)
                        {
                            self.expect = Expect::After;
                            return Step::Records(position + 1);
                        }
                        if self.depth >= self.limit {
                            return Step::TooDeep(position);
                        }
                        let bit = 1u128 << self.depth;
                        self.kinds = if object {
                            self.kinds | bit
                        } else {
                            self.kinds & !bit
                        };
                        if object {
                            if self.depth == 0 && self.tracked {
                                self.path.push(ROOT);
                            } else if let Some(place) = place
                                && envelopes.is_object(place)
                            {
                                self.path.push(place);
                            }
                        }
                        self.depth += 1;
                        position += 1;
                        self.expect = if object {
                            Expect::FirstKey
                        } else {
                            Expect::FirstElement
                        };
                    }
                    _ => match scan::scalar(bytes, position) {
                        // A number at the end of the bytes may go on.
                        Ok(after) if after == bytes.len() && !ended => {
                            return Step::More(position);
                        }
                        Ok(after) => {
                            position = after;
                            self.expect = Expect::After;
                            self.pending = None;
                        }
                        Err(Flaw::Ends(_)) => return Step::More(position),
                        Err(Flaw::At(at, reason)) => return Step::Bad(at, reason),
                    },
                },
            }
        }
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.kinds & (1u128 << (self.depth - 1)) != 0
    }

    fn close(&mut self, position: usize) -> usize {
        self.depth = self.depth.saturating_sub(1);
        self.path.truncate(self.depth as usize);
        self.expect = Expect::After;
        position + 1
    }

    /// What to do about a string, opened at `open`, that could not be read to its end.
    fn cut_string(&mut self, flaw: Flaw, open: usize) -> Step {
        match flaw {
            Flaw::At(at, reason) => Step::Bad(at, reason),
            Flaw::Ends(resume) if resume - open > LONG_STRING => {
                self.in_string = true;
                Step::More(resume)
            }
            Flaw::Ends(_) => Step::More(open),
        }
    }
}
