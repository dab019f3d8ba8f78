//! Patterns of ARNs, compared part by part.

use super::keys::Keys;
use super::pattern::{Pattern, Syntax, Tri, Variable};

/// A pattern of ARNs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ArnPattern {
    /// `*`.
    Everything,
    /// Six parts compared one by one, so that a wildcard does not reach over a colon before the
    /// fifth.
    Parts(Box<[Pattern; 6]>),
    /// The same, or the whole text: in `Resource` a `*` at the end of a part may reach over
    /// colons ("IAM JSON policy elements: Resource"). It is seen where parts are missing, as in
    /// `arn:aws:ec2:*:instance/*`; where all six are there, it would need colons in names.
    PartsOrWhole(Box<[Pattern; 6]>, Box<Pattern>),
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
        let parts = Box::new([
            first,
            compile(b)?,
            compile(c)?,
            compile(d)?,
            compile(e)?,
            compile(f)?,
        ]);
        if count < 6 && reaches_over_colons(&[a, b, c, d, e], count) {
            let whole = Pattern::compile(text, syntax)?;
            return Ok(ArnPattern::PartsOrWhole(parts, Box::new(whole)));
        }
        Ok(ArnPattern::Parts(parts))
    }

    /// Whether it covers an ARN.
    pub(super) fn covers(
        &self,
        arn: &ArnParts<'_>,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        let (parts, whole) = match self {
            ArnPattern::Everything => return Tri::Yes,
            ArnPattern::Parts(parts) => (parts, None),
            ArnPattern::PartsOrWhole(parts, whole) => (parts, Some(whole)),
        };
        let Some(texts) = &arn.parts else {
            return Tri::No;
        };
        // The last parts tell most ARNs apart.
        let mut result = Tri::Yes;
        for (part, text) in parts.iter().zip(texts).rev() {
            result = result.min(part.covers(text, keys, unknown));
            if result == Tri::No {
                break;
            }
        }
        match whole {
            Some(whole) if result == Tri::No => whole.covers(arn.text, keys, unknown),
            _ => result,
        }
    }

    pub(super) fn overlaps(
        &self,
        other: &ArnPattern,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        let Some(parts) = self.parts() else {
            return Tri::Yes;
        };
        // Which ARN it is is free where all are asked about, the variables' values are not.
        let everything = Pattern::everything();
        let theirs = |index: usize| {
            other
                .parts()
                .and_then(|parts| parts.get(index))
                .unwrap_or(&everything)
        };
        // The last parts tell most patterns apart.
        let mut result = Tri::Yes;
        for (index, part) in parts.iter().enumerate().rev() {
            result = result.min(part.overlaps(theirs(index), keys, unknown));
            if result == Tri::No {
                break;
            }
        }
        match (self.whole(), other.whole()) {
            (None, None) => result,
            _ if result != Tri::No || other.parts().is_none() => result,
            _ => self.text().overlaps(&other.text(), keys, unknown),
        }
    }

    /// Whether it covers all that the other covers. Sure when it says so.
    pub(super) fn contains(&self, other: &ArnPattern, keys: &Keys<'_>) -> bool {
        let (Some(mine), Some(theirs)) = (self.parts(), other.parts()) else {
            return self.parts().is_none();
        };
        let each = mine
            .iter()
            .zip(theirs)
            .all(|(one, other)| one.contains(other, keys));
        let whole = |mine: &Pattern| mine.contains(&other.text(), keys);
        (each && other.whole().is_none()) || self.whole().is_some_and(whole)
    }

    /// The variables that it holds.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        let parts = self.parts().map_or(&[][..], |parts| &parts[..]);
        parts.iter().flat_map(Pattern::variables)
    }

    /// The service of every ARN that it covers, empty where it may be any, and the text that each
    /// one's last part begins with; `None` where it may cover ARNs that its parts do not.
    pub(super) fn literal_starts(&self) -> Option<(&str, &str)> {
        match self {
            ArnPattern::Parts(parts) => {
                let [_, _, service, _, _, last] = &**parts;
                let (service, whole) = service.literal_start();
                Some((if whole { service } else { "" }, last.literal_start().0))
            }
            _ => None,
        }
    }

    fn parts(&self) -> Option<&[Pattern; 6]> {
        match self {
            ArnPattern::Everything => None,
            ArnPattern::Parts(parts) | ArnPattern::PartsOrWhole(parts, _) => Some(parts),
        }
    }

    fn whole(&self) -> Option<&Pattern> {
        match self {
            ArnPattern::PartsOrWhole(_, whole) => Some(whole),
            _ => None,
        }
    }

    /// A pattern of texts that covers at least what it covers.
    fn text(&self) -> Pattern {
        match self {
            ArnPattern::Everything => Pattern::everything(),
            ArnPattern::Parts(parts) => Pattern::joined(&**parts),
            ArnPattern::PartsOrWhole(_, whole) => (**whole).clone(),
        }
    }
}

/// Whether a part before the last ends in `*`, so that it may reach over colons. Where such a part
/// has other wildcards too, which may not, the parts are compared one by one only.
fn reaches_over_colons(early: &[Option<&str>; 5], count: usize) -> bool {
    let early = early.iter().take(count - 1).flatten();
    let mut reaches = false;
    for part in early {
        let body = part.trim_end_matches('*');
        reaches |= body.len() < part.len();
        if body.contains(['*', '?', '$']) {
            return false;
        }
    }
    reaches
}

/// An ARN in its six parts; none for a text that is no ARN, which only `*` covers.
pub(super) struct ArnParts<'a> {
    text: &'a str,
    parts: Option<[&'a str; 6]>,
}

impl<'a> ArnParts<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let parts = match split(text, false) {
            [Some("arn"), Some(b), Some(c), Some(d), Some(e), Some(f)] => {
                Some(["arn", b, c, d, e, f])
            }
            _ => None,
        };
        Self { text, parts }
    }

    /// Its service and its last part.
    pub(super) fn ends(&self) -> Option<(&'a str, &'a str)> {
        let [_, _, service, _, _, last] = self.parts.as_ref()?;
        Some((service, last))
    }

    /// The account in it, where there is one.
    pub(super) fn account(&self) -> Option<&'a str> {
        let account = self.parts.as_ref()?[4];
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
        assert!(!covers("arn:aws:iam::1*3:deploy", role));
        assert!(!covers("arn:aws:iam::444455556666:role/*", role));
        assert!(covers("arn:aws:s3:::b/a:*", "arn:aws:s3:::b/a:b:c"));
        let instance = "arn:aws:ec2:eu-west-1:111122223333:instance/i-1";
        assert!(covers("arn:aws:ec2:*:instance/*", instance));
        assert!(!covers("arn:aws:ec2:*1:volume/*", instance));
        assert!(!covers("arn:aws:ec2:e*1:instance/*", instance));
        assert!(covers("*", "*"));
        assert!(!covers("arn:aws:s3:::*", "*"));
        assert!(ArnPattern::compile("bucket", true, Missing::Everything).is_err());
    }
}
