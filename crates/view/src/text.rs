//! Text that an intruder may have written, made safe to show; and how wide text is.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Replaces what could steer a terminal or deceive the reader by its code point, as `<U+202E>`:
/// control characters (with them every terminal escape), direction controls, and characters that
/// take no room.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            // Writing to a `String` cannot fail.
            let _ = write!(cleaned, "<U+{:04X}>", u32::from(character));
        } else {
            cleaned.push(character);
        }
    }
    Cow::Owned(cleaned)
}

/// As [`clean`], and keeps line breaks: for commands, which may have several lines.
pub fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// Whether a remedy is a command to copy rather than a step in words, which may begin with one:
/// a program, up to two words that say what it does, then options with at most one value each.
pub fn is_command(text: &str) -> bool {
    let programs = [
        "aws",
        "az",
        "gcloud",
        "gh",
        "kubectl",
        "portreeve",
        "terraform",
    ];
    let mut words = text.split_whitespace();
    if !words.next().is_some_and(|first| programs.contains(&first)) {
        return false;
    }
    let mut bare = 2;
    words.all(|word| {
        if word.starts_with("--") {
            bare = 1;
            return true;
        }
        let room = bare > 0;
        bare -= i32::from(room);
        room && !word.ends_with([',', ';', '.', ')'])
    })
}

/// Whether a character is shown by its code point instead of by itself.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// How many columns a text takes in a terminal.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Shortens a text to at most `limit` columns, with `…` in place of its end.
pub fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    if width(text) <= limit {
        return Cow::Borrowed(text);
    }
    let mut kept = String::new();
    let mut used = 0;
    for character in text.chars() {
        let columns = character.width().unwrap_or(0);
        if used + columns + 1 > limit {
            break;
        }
        used += columns;
        kept.push(character);
    }
    if limit > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// Breaks a text into lines of at most `limit` columns, between words where it can. A word that is
/// longer than a line is broken. The first line may be shorter by `taken` columns.
pub fn wrap(text: &str, limit: usize, taken: usize) -> Vec<String> {
    let limit = limit.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = taken.min(limit);
    let mut empty = true;
    for word in text.split_whitespace() {
        let columns = width(word);
        if !empty && used + 1 + columns <= limit {
            line.push(' ');
            line.push_str(word);
            used += 1 + columns;
            continue;
        }
        if !empty || used + columns > limit && taken > 0 && lines.is_empty() && columns <= limit {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used + columns > limit {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(character);
            used += columns;
        }
        empty = false;
    }
    lines.push(line);
    lines
}

/// A number with its thousands set apart: `214,310`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 finding`, `2 findings`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A size in bytes, in units of 1000.
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// A time with its day: `2026-02-04 13:02:11`. Always UTC.
pub fn time(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A time with its day, to the minute: `2026-02-04 13:02`. Always UTC.
pub fn minute(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

/// The day of a time: `2026-02-04`. Always UTC.
pub fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d")
        .to_string()
}

/// The time within its day: `13:02:11`. Always UTC.
pub fn clock(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC)
        .strftime("%H:%M:%S")
        .to_string()
}

/// A span of time in its two largest units: `17 d 2 h`, `8 min`.
pub fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (
        seconds / 86_400,
        seconds % 86_400 / 3600,
        seconds % 3600 / 60,
    );
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_controls_become_visible() {
        assert_eq!(clean("a\u{1b}]0;title\u{7}b"), "a<U+001B>]0;title<U+0007>b");
        assert_eq!(clean("user\u{202e}gnp.exe"), "user<U+202E>gnp.exe");
        assert_eq!(
            clean("a\u{9b}31mb\r\nc\td"),
            "a<U+009B>31mb<U+000D><U+000A>c<U+0009>d"
        );
        assert!(matches!(clean("日本語 café"), Cow::Borrowed(_)));
        assert_eq!(clean_lines("one\ntwo\u{1b}"), "one\ntwo<U+001B>");
    }

    #[test]
    fn width_is_counted_in_columns() {
        assert_eq!(width("日本"), 4);
        assert_eq!(shorten("日本語", 5), "日本…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(wrap("one two three", 7, 0), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("one two", 7, 5), ["", "one two"]);
        assert_eq!(wrap("", 7, 0), [""]);
    }

    #[test]
    fn commands_are_told_from_steps_in_words() {
        assert!(is_command("aws iam list-instance-profiles"));
        assert!(is_command(
            "aws kms get-key-policy --key-id KEY --policy-name default"
        ));
        for step in [
            "",
            "Export the account again.",
            "aws iam get-account-authorization-details in these accounts",
            "aws iam get-account-authorization-details (its `Policies` hold them)",
            "aws cloudtrail put-event-selectors with DataResources for the buckets",
        ] {
            assert!(!is_command(step), "{step}");
        }
    }

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_500), "1.5 kB");
        assert_eq!(size(999_999), "1.0 MB");
        assert_eq!(span(59), "59 s");
        assert_eq!(span(3 * 86_400 + 7_200), "3 d 2 h");
        assert_eq!(counted(1, "finding", "findings"), "1 finding");
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in "\\PC{0,200}", limit in 2usize..60) {
            for line in wrap(&text, limit, 0) {
                proptest::prop_assert!(width(&line) <= limit.max(2) + 1, "{line:?}");
            }
        }

        #[test]
        fn nothing_that_steers_a_terminal_is_left(text in ".{0,200}") {
            let steers = |character: char| {
                character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character)
            };
            proptest::prop_assert!(!clean(&text).chars().any(steers));
        }
    }
}
