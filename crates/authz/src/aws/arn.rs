//! Patterns of ARNs, compared part by part.

use super::keys::Keys;
use super::pattern::{Pattern, Syntax, Tri, Variable};

/// A pattern of ARNs: `*`, or six parts compared one by one, so that a wildcard does not reach
/// over a colon before the fifth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ArnPattern {
    Everything,
    Parts(Box<[Pattern; 6]>),
}

/// Whether parts that are missing at the end count as `*`, as they do in `Resource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Everything,
    Refused,
}

impl ArnPattern {
    pub(super) fn compile(
        text: &str,
        variables: bool,
        missing: Missing,
    ) -> Result<Self, &'static str> {
        if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
            return Ok(ArnPattern::Everything);
        }
        let parts = split(text, variables);
        let count = parts.iter().flatten().count();
        if count < 2 || (count < 6 && missing == Missing::Refused) {
            return Err("is neither an ARN nor `*`");
        }
        let syntax = Syntax {
            wildcards: true,
            variables,
        };
        let compile = |part: Option<&str>| match part {
            Some(part) => Pattern::compile(part, syntax),
            None => Ok(Pattern::everything()),
        };
        let [a, b, c, d, e, f] = parts;
        let first = compile(a)?;
        if !first.covers_text("arn") {
            return Err("is neither an ARN nor `*`");
        }
        let parts = [
            first,
            compile(b)?,
            compile(c)?,
            compile(d)?,
            compile(e)?,
            compile(f)?,
        ];
        Ok(ArnPattern::Parts(Box::new(parts)))
    }

    /// Whether it covers an ARN.
    pub(super) fn covers(
        &self,
        arn: &ArnParts<'_>,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        let parts = match self {
            ArnPattern::Everything => return Tri::Yes,
            ArnPattern::Parts(parts) => parts,
        };
        let Some(texts) = &arn.0 else { return Tri::No };
        // The last parts tell most ARNs apart.
        let mut result = Tri::Yes;
        for (part, text) in parts.iter().zip(texts).rev() {
            result = result.min(part.covers(text, keys, unknown));
            if result == Tri::No {
                break;
            }
        }
        result
    }

    pub(super) fn overlaps(
        &self,
        other: &ArnPattern,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        match (self, other) {
            (ArnPattern::Everything, _) => Tri::Yes,
            // Which ARN it is is free, the variables' values are not.
            (ArnPattern::Parts(parts), ArnPattern::Everything) => {
                let everything = Pattern::everything();
                let pairs = parts
                    .iter()
                    .map(|part| part.overlaps(&everything, keys, unknown));
                pairs.min().unwrap_or(Tri::Yes)
            }
            (ArnPattern::Parts(mine), ArnPattern::Parts(theirs)) => {
                let pairs = mine.iter().zip(theirs.iter());
                let pairs = pairs.map(|(one, other)| one.overlaps(other, keys, unknown));
                pairs.min().unwrap_or(Tri::Yes)
            }
        }
    }

    /// Whether it covers all that the other covers. Sure when it says so.
    pub(super) fn contains(&self, other: &ArnPattern, keys: &Keys<'_>) -> bool {
        match (self, other) {
            (ArnPattern::Everything, _) => true,
            (ArnPattern::Parts(_), ArnPattern::Everything) => false,
            (ArnPattern::Parts(mine), ArnPattern::Parts(theirs)) => mine
                .iter()
                .zip(theirs.iter())
                .all(|(one, other)| one.contains(other, keys)),
        }
    }
}

/// An ARN in its six parts; none for a text that is no ARN, which only `*` covers.
pub(super) struct ArnParts<'a>(Option<[&'a str; 6]>);

impl<'a> ArnParts<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let [Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)] = split(text, false) else {
            return Self(None);
        };
        Self((a == "arn").then_some([a, b, c, d, e, f]))
    }

    /// The account in it, where there is one.
    pub(super) fn account(&self) -> Option<&'a str> {
        let account = self.0.as_ref()?[4];
        is_account(account).then_some(account)
    }
}

/// Whether a text is an account number.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits at the first five colons; those within `${…}` do not count where variables do.
fn split(text: &str, variables: bool) -> [Option<&str>; 6] {
    let mut parts = [None; 6];
    let mut filled = 0;
    let mut start = 0;
    let mut in_variable = false;
    let bytes = text.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' if variables && index > 0 && bytes.get(index - 1) == Some(&b'$') => {
                in_variable = true;
            }
            b'}' => in_variable = false,
            b':' if !in_variable && filled < 5 => {
                if let Some(slot) = parts.get_mut(filled) {
                    *slot = text.get(start..index);
                }
                filled += 1;
                start = index + 1;
            }
            _ => {}
        }
    }
    if let Some(slot) = parts.get_mut(filled) {
        *slot = text.get(start..);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, arn: &str) -> bool {
        let pattern = ArnPattern::compile(pattern, true, Missing::Everything).unwrap();
        pattern.covers(&ArnParts::new(arn), &Keys::empty(), &mut |_| {}) == Tri::Yes
    }

    #[test]
    fn parts_are_compared_one_by_one() {
        let role = "arn:aws:iam::111122223333:role/ci/deploy";
        assert!(covers("*", role));
        assert!(covers("arn:aws:iam::111122223333:role/*", role));
        assert!(covers("arn:*:iam::*:role/ci/*", role));
        assert!(covers("arn:aws:iam", role));
        assert!(!covers("arn:aws:iam::*:deploy", role));
        assert!(!covers("arn:aws:iam::444455556666:role/*", role));
        assert!(!covers("arn:aws:i*deploy", "arn:aws:iam:x:y:deploy"));
        assert!(covers("arn:aws:s3:::b/a:*", "arn:aws:s3:::b/a:b:c"));
        assert!(covers("*", "*"));
        assert!(!covers("arn:aws:s3:::*", "*"));
        assert!(ArnPattern::compile("bucket", true, Missing::Everything).is_err());
    }
}
