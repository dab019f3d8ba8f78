//! Event ids, as numbers where they are UUIDs.

/// What a lower-case hexadecimal digit stands for; [`NO_DIGIT`] for any other byte.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit] as usize] = digit as u8;
        digit += 1;
    }
    digits
};

const NO_DIGIT: u8 = 0xff;

/// The number written by a lower-case, hyphenated UUID; `None` for any other text, so that
/// [`format_uuid`] gives back exactly what was read.
pub(super) fn parse_uuid(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    // Nothing but a look at the end depends on what the digits are: they cannot be foreseen.
    let mut seen = 0;
    let mut group = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0u64, |number, byte| {
            let digit = DIGITS[usize::from(*byte)];
            seen |= digit;
            number << 4 | u64::from(digit & 0xf)
        })
    };
    let high = group(0..8) << 32 | group(9..13) << 16 | group(14..18);
    let low = group(19..23) << 48 | group(24..36);
    (seen < 16).then_some(u128::from(high) << 64 | u128::from(low))
}

pub(super) fn format_uuid(number: u128) -> String {
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        number >> 96,
        number >> 80 & 0xffff,
        number >> 64 & 0xffff,
        number >> 48 & 0xffff,
        number & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_come_back_as_they_were() {
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "a20c2df5-71d5-441e-84c8-b424f1c78ffb",
        ] {
            assert_eq!(format_uuid(parse_uuid(text).unwrap()), text);
        }
        for text in [
            "A20c2df5-71d5-441e-84c8-b424f1c78ffb",
            "a20c2df5x71d5-441e-84c8-b424f1c78ffb",
            "",
        ] {
            assert_eq!(parse_uuid(text), None);
        }
    }

    #[test]
    fn uuids_are_ordered_as_they_are_written() {
        let numbers = [
            0,
            1,
            0xf,
            0x10,
            1 << 47,
            1 << 48,
            1 << 96,
            u128::MAX - 1,
            u128::MAX,
        ];
        for (one, other) in numbers
            .iter()
            .flat_map(|one| numbers.map(|other| (*one, other)))
        {
            let written = format_uuid(one).cmp(&format_uuid(other));
            assert_eq!(one.cmp(&other), written, "{one} {other}");
        }
    }
}
