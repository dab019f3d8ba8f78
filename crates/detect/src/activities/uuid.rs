//! Event ids, as numbers where they are UUIDs.

/// The number written by a lower-case, hyphenated UUID; `None` for any other text, so that
/// [`format_uuid`] gives back exactly what was read.
pub(super) fn parse_uuid(text: &str) -> Option<u128> {
    let bytes: &[u8; 36] = text.as_bytes().try_into().ok()?;
    if [8, 13, 18, 23].iter().any(|at| bytes[*at] != b'-') {
        return None;
    }
    let mut digits = [0; 32];
    let mut filled = 0;
    for group in [0..8, 9..13, 14..18, 19..23, 24..36] {
        let end = filled + group.len();
        digits[filled..end].copy_from_slice(&bytes[group]);
        filled = end;
    }
    // Nothing but a look at the end depends on what the digits are, so that many are read at a time.
    let mut odd = false;
    let values = digits.map(|digit| {
        let number = digit.wrapping_sub(b'0');
        let letter = digit.wrapping_sub(b'a');
        odd |= (number > 9) & (letter > 5);
        if number > 9 {
            letter.wrapping_add(10)
        } else {
            number
        }
    });
    let pair = |at: usize| values[2 * at] << 4 | values[2 * at + 1] & 0xf;
    (!odd).then(|| u128::from_be_bytes(std::array::from_fn(pair)))
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
            "a20c2df5-71d5-441e-84c8-b424f1c78ffg",
            "a20c2df5-71d5-441e-84c8-b424f1c78f:b",
            "/20c2df5-71d5-441e-84c8-b424f1c78ffb",
            "`20c2df5-71d5-441e-84c8-b424f1c78ffb",
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
