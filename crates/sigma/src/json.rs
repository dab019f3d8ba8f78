//! The text of an object as a reader sees it.

/// The JSON text without white space between its tokens and with the escapes of its strings
/// undone; `None` where that is the text itself.
///
/// Rules quote parameters as they look in a search tool, `"Action":"*"`, also where the record
/// holds a policy as a string inside a string (`\"Action\":\"*\"`), or is written with spaces.
pub(crate) fn plain_text(text: &str) -> Option<String> {
    if !text
        .bytes()
        .any(|byte| matches!(byte, b'\\' | b' ' | b'\n' | b'\r' | b'\t'))
    {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(at) = rest.find(['"', '\\', ' ', '\n', '\r', '\t']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        let mut length = 1;
        match (from.as_bytes().first(), in_string) {
            (Some(b'"'), _) => {
                in_string = !in_string;
                plain.push('"');
            }
            (Some(b'\\'), true) => {
                let (character, taken) = escape(from);
                plain.extend(character);
                length = taken;
            }
            (Some(other), true) => plain.push(char::from(*other)),
            _ => {}
        }
        rest = from.get(length..).unwrap_or_default();
    }
    plain.push_str(rest);
    (plain != text).then_some(plain)
}

/// What the escape at the start of `text` stands for, and its length.
fn escape(text: &str) -> (Option<char>, usize) {
    let Some(letter) = text.chars().nth(1) else {
        return (Some('\\'), 1);
    };
    let character = match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let Some(high) = unit(text, 2) else {
                return (Some('u'), 2);
            };
            if let (0xD800..0xDC00, Some("\\u"), Some(low @ 0xDC00..0xE000)) =
                (high, text.get(6..8), unit(text, 8))
            {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return (char::from_u32(code), 12);
            }
            return (Some(char::from_u32(high).unwrap_or('\u{FFFD}')), 6);
        }
        other => other,
    };
    (Some(character), 1 + letter.len_utf8())
}

fn unit(text: &str, from: usize) -> Option<u32> {
    u32::from_str_radix(text.get(from..from + 4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_between_tokens_and_stay_in_strings() {
        assert_eq!(
            plain_text(r#"{ "a b" : [ 1, "c d" ] }"#).unwrap(),
            r#"{"a b":[1,"c d"]}"#
        );
        assert_eq!(plain_text(r#"{"a":"b"}"#), None);
        assert_eq!(plain_text(r#"{"a":"b c"}"#), None);
    }

    #[test]
    fn escapes_are_undone() {
        let text = r#"{"policy":"{\"Action\":\"*\"}","path":"C:\\x\né\ud83d\ude00"}"#;
        assert_eq!(
            plain_text(text).unwrap(),
            "{\"policy\":\"{\"Action\":\"*\"}\",\"path\":\"C:\\x\né😀\"}"
        );
    }

    #[test]
    fn broken_text_does_no_harm() {
        for text in ["\"\\", "\"\\u12", "\"\\ud800\\u", "\\é ", "\"\\é", "\"\\ué"] {
            plain_text(text);
        }
    }
}
