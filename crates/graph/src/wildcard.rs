//! The wildcards of policies: `*` for any text, `?` for one character.

use std::borrow::Cow;

/// Whether a pattern covers a text. Case matters.
pub fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern.as_bytes(), text.as_bytes(), |left, right| {
        left == right
    })
}

/// Whether a pattern covers a text, whatever the case.
pub fn matches_any_case(pattern: &str, text: &str) -> bool {
    matches_by(pattern.as_bytes(), text.as_bytes(), |left, right| {
        left.eq_ignore_ascii_case(&right)
    })
}

/// Greedy matching that returns to the last star: time is at most the product of the lengths.
fn matches_by(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some(b'*') => {
                star = Some((at_pattern + 1, at_text));
                at_pattern += 1;
            }
            Some(&wanted) if wanted == b'?' || same(wanted, text[at_text]) => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match star {
                Some((after_star, covered)) => {
                    star = Some((after_star, covered + 1));
                    at_pattern = after_star;
                    at_text = covered + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at_pattern..].iter().all(|&byte| byte == b'*')
}

/// The text before the first wildcard.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    let end = pattern.find(['*', '?']).unwrap_or(pattern.len());
    &pattern[..end]
}

/// The parts of an ARN before its fifth colon and the rest; `None` where there are fewer colons.
pub(crate) fn head_and_rest(arn: &str) -> Option<(&str, &str)> {
    let fifth = arn
        .bytes()
        .enumerate()
        .filter(|(_, byte)| *byte == b':')
        .nth(4)?
        .0;
    Some((&arn[..fifth], &arn[fifth + 1..]))
}

/// What a pattern of ARNs may cover among the ARNs that share a head (all before the fifth colon).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'p> {
    /// All of them.
    All,
    /// None of them.
    None,
    /// The one with this rest.
    Exact(&'p str),
    /// Those whose rest starts so.
    Prefix(&'p str),
    /// Those whose rest matches, at most.
    Wild(&'p str),
    /// It is no pattern of six parts: nothing simple can be said.
    Odd,
}

impl<'p> Shape<'p> {
    /// The shape of a pattern among the ARNs of a head.
    pub(crate) fn of(pattern: &'p str, head: &str) -> Self {
        if !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*') {
            return Shape::All;
        }
        let Some((own_head, rest)) = head_and_rest(pattern) else {
            return Shape::Odd;
        };
        let parts = own_head.split(':').zip(head.split(':'));
        if own_head != head && !parts.into_iter().all(|(own, part)| matches(own, part)) {
            return Shape::None;
        }
        let literal = literal_prefix(rest);
        if literal.len() == rest.len() {
            return Shape::Exact(rest);
        }
        if !rest[literal.len()..].bytes().all(|byte| byte == b'*') {
            return Shape::Wild(rest);
        }
        if literal.is_empty() {
            Shape::All
        } else {
            Shape::Prefix(literal)
        }
    }
}

/// A pattern without policy variables: each `${…}` becomes `*`, so that the result covers all that
/// the pattern may cover.
pub(crate) fn without_variables(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains("${") {
        return Cow::Borrowed(pattern);
    }
    let mut widened = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(start) = rest.find("${") {
        widened.push_str(&rest[..start]);
        widened.push('*');
        rest = match rest[start..].find('}') {
            Some(end) => &rest[start + end + 1..],
            None => "",
        };
    }
    widened.push_str(rest);
    Cow::Owned(widened)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        assert!(matches("*", ""));
        assert!(matches(
            "arn:aws:s3:::web-*/a?c",
            "arn:aws:s3:::web-prod/abc"
        ));
        assert!(!matches("arn:aws:s3:::web-*", "arn:aws:s3:::api"));
        assert!(matches("a*b*c", "a-b-b-c"));
        assert!(!matches("a*b", "a-b-c"));
        assert!(matches_any_case("IAM:pass*", "iam:PassRole"));
    }

    #[test]
    fn shapes_tell_what_is_covered_among_those_of_a_head() {
        let head = "arn:aws:iam::111122223333";
        let shape = |pattern| Shape::of(pattern, head);
        assert_eq!(shape("*"), Shape::All);
        assert_eq!(shape("arn:aws:iam::*:*"), Shape::All);
        assert_eq!(shape("arn:aws:iam::*:role/*"), Shape::Prefix("role/"));
        assert_eq!(shape("arn:aws:iam::444455556666:role/*"), Shape::None);
        assert_eq!(
            shape("arn:aws:iam::111122223333:role/a"),
            Shape::Exact("role/a")
        );
        assert_eq!(
            shape("arn:aws:iam::111122223333:role/a*b"),
            Shape::Wild("role/a*b")
        );
        assert_eq!(shape("arn:aws:iam"), Shape::Odd);
    }

    #[test]
    fn variables_widen() {
        assert_eq!(without_variables("user/${aws:username}"), "user/*");
        assert_eq!(without_variables("user/${aws:username"), "user/*");
        assert_eq!(literal_prefix("user/a*b"), "user/a");
    }
}
