/// The answer of a predicate or a rule, in Kleene's three-valued logic.
///
/// `Unknown` stands for a field that is not decided yet. It spreads only as far as it matters:
/// `No and Unknown` is `No`, `Yes or Unknown` is `Yes`, and the negation of `Unknown` is `Unknown`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It does not match, whatever the undecided fields turn out to be.
    #[default]
    No,
    /// It depends on fields that are not decided yet.
    Unknown,
    /// It matches.
    Yes,
}

impl Verdict {
    /// Both must hold.
    pub fn and(self, other: Verdict) -> Verdict {
        self.min(other)
    }

    /// One must hold.
    pub fn or(self, other: Verdict) -> Verdict {
        self.max(other)
    }

    /// The opposite; `Unknown` stays `Unknown`.
    pub fn negate(self) -> Verdict {
        match self {
            Verdict::No => Verdict::Yes,
            Verdict::Unknown => Verdict::Unknown,
            Verdict::Yes => Verdict::No,
        }
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Verdict::Yes } else { Verdict::No }
    }
}
