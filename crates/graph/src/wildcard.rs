//! The wildcards of policies: `*` for any text, `?` for one character.

use std::borrow::Cow;

/// Whether a pattern covers a text. Case matters.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern.as_bytes(), text.as_bytes(), |left, right| {
        left == right
    })
}

/// Whether a pattern covers a text, whatever the case.
pub(crate) fn matches_any_case(pattern: &str, text: &str) -> bool {
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
    fn variables_widen() {
        assert_eq!(without_variables("user/${aws:username}"), "user/*");
        assert_eq!(without_variables("user/${aws:username"), "user/*");
        assert_eq!(literal_prefix("user/a*b"), "user/a");
    }
}
