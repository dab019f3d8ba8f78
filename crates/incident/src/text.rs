//! Texts from logs made fit for sentences and commands.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Replaces what a terminal would act on, or what turns or hides the text around it.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if is_harmful(letter) {
                '\u{fffd}'
            } else {
                letter
            }
        })
        .collect()
}

fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// One argument of a POSIX shell, in single quotes whatever it holds.
pub(crate) fn quote(value: &str) -> String {
    format!("'{}'", clean(value).replace('\'', r"'\''"))
}

/// A time as people read it, to the minute.
pub(crate) fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}

/// A time to the second, as AWS takes it.
pub(crate) fn second(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// A span of time in its largest fitting unit.
pub(crate) fn span(seconds: i64) -> String {
    let (count, unit) = match seconds.max(0) {
        seconds @ 0..=119 => (seconds, "second"),
        seconds @ 120..=7_199 => (seconds / 60, "minute"),
        seconds @ 7_200..=172_799 => (seconds / 3_600, "hour"),
        seconds => (seconds / 86_400, "day"),
    };
    counted(count.unsigned_abs(), unit)
}

/// `1 call`, `2 calls`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if count == 1 => return format!("1 {noun}"),
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if noun.ends_with('s') => format!("{noun}es"),
        _ => format!("{noun}s"),
    };
    format!("{count} {plural}")
}

/// The first few of a list in words, and how many more there are.
pub(crate) fn listed(items: &[String], most: usize) -> String {
    let shown = &items[..items.len().min(most)];
    let rest = items.len() - shown.len();
    if rest > 0 {
        return format!("{} and {rest} more", shown.join(", "));
    }
    match shown.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, head)) => format!("{} and {last}", head.join(", ")),
    }
}

/// A sentence's first letter as a capital.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_holds_whatever_the_value() {
        assert_eq!(quote("plain"), "'plain'");
        assert_eq!(
            quote("it's; rm -rf $HOME `x`"),
            r"'it'\''s; rm -rf $HOME `x`'"
        );
        assert_eq!(quote("a\u{1b}[2Jb\nc"), "'a\u{fffd}[2Jb\u{fffd}c'");
        assert_eq!(quote("ab\u{202e}cd"), "'ab\u{fffd}cd'");
    }

    #[test]
    fn counts_and_lists_read_well() {
        assert_eq!(counted(1, "call"), "1 call");
        assert_eq!(counted(2, "image repository"), "2 image repositories");
        assert_eq!(counted(2, "key"), "2 keys");
        assert_eq!(counted(3, "access"), "3 accesses");
        let items: Vec<String> = ["a", "b", "c"].map(String::from).into();
        assert_eq!(listed(&items, 3), "a, b and c");
        assert_eq!(listed(&items, 1), "a and 2 more");
        assert_eq!(listed(&[], 1), "");
    }

    #[test]
    fn spans_use_one_unit() {
        assert_eq!(span(60), "60 seconds");
        assert_eq!(span(43 * 60), "43 minutes");
        assert_eq!(span(49 * 3600), "2 days");
    }
}
