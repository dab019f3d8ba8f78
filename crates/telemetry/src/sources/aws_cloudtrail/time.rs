use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use portreeve_record::{FieldId, Record, Value};

/// Forms without a zone, which CloudTrail and its exports write in UTC.
const FORMS: &[&str] = &[
    "%b %d, %Y, %I:%M:%S %p",
    "%b %d, %Y %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%a %b %d %H:%M:%S UTC %Y",
];

/// The time in a field, written as text or as a number.
pub(super) fn of(record: &dyn Record, field: FieldId) -> Option<Timestamp> {
    record.values(field).iter().find_map(|value| match value {
        Value::String(text) => read(text),
        Value::Number(number) => read(number),
        _ => None,
    })
}

/// Reads a time in any of the forms that CloudTrail writes: ISO 8601, `Jul 24, 2026, 3:12:44 PM`,
/// milliseconds or seconds since 1970.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    if let Some(time) = plain(text) {
        return Some(time);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    if let Ok(number) = text.parse::<f64>() {
        return from_number(number);
    }
    // Some writers put a narrow no-break space before AM and PM; Athena writes the zone as a word.
    let plain = text.replace(['\u{202f}', '\u{a0}'], " ");
    let plain = plain.trim().trim_end_matches(" UTC");
    FORMS
        .iter()
        .find_map(|form| DateTime::strptime(form, plain).ok())
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok())
        .map(|time| time.timestamp())
}

/// `2026-07-24T15:12:44Z`, as nearly every record has it: a quarter of what telling the form costs. `None`
/// for all else, a leap second too.
fn plain(text: &str) -> Option<Timestamp> {
    let text: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let [
        ..,
        b'-',
        _,
        _,
        b'-',
        _,
        _,
        b'T',
        _,
        _,
        b':',
        _,
        _,
        b':',
        _,
        _,
        b'Z',
    ] = text
    else {
        return None;
    };
    // Nothing but a look at the end depends on what the digits are.
    let mut odd = false;
    let mut two = |at: usize| {
        let [tens, ones] = [text[at], text[at + 1]].map(|digit| digit.wrapping_sub(b'0'));
        odd |= tens > 9 || ones > 9;
        tens.wrapping_mul(10).wrapping_add(ones) as i8
    };
    let year = i16::from(two(0)) * 100 + i16::from(two(2));
    let (month, day) = (two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    if odd {
        return None;
    }
    let date = Date::new(year, month, day).ok()?;
    let time = Time::new(hour, minute, second, 0).ok()?;
    Offset::UTC.to_timestamp(date.to_datetime(time)).ok()
}

/// Seconds or milliseconds since 1970: nothing here happened before 2001, which is where
/// milliseconds pass what seconds will be for three thousand years.
fn from_number(number: f64) -> Option<Timestamp> {
    const SPLIT: f64 = 1e11;
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    let milliseconds = if number < SPLIT {
        number * 1000.0
    } else {
        number
    };
    // The range of `f64` to `i64` conversion saturates, and jiff checks the range of times.
    Timestamp::from_millisecond(milliseconds as i64).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_plain_form_is_read_as_any_other(
            (year, month, day) in (0..10_000, 0..14, 0..34),
            (hour, minute, second) in (0..26, 0..62, 0..62),
            change in prop::option::of((0..20usize, "[-+0-9:TZtz. ]")),
        ) {
            let mut text =
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
            if let Some((at, character)) = change {
                text.replace_range(at..=at, &character);
            }
            if let Some(time) = plain(&text) {
                prop_assert_eq!(text.parse::<Timestamp>().ok(), Some(time));
            }
        }
    }

    #[test]
    fn all_forms_are_one_time() {
        let expected: Timestamp = "2026-07-24T15:12:44Z".parse().unwrap();
        for form in [
            "2026-07-24T15:12:44Z",
            "2026-07-24T17:12:44+02:00",
            "Jul 24, 2026, 3:12:44 PM",
            "Jul 24, 2026, 3:12:44\u{202f}PM",
            "Jul 24, 2026 3:12:44 PM",
            "2026-07-24 15:12:44",
            "2026-07-24 15:12:44.000",
            "2026-07-24 15:12:44.000 UTC",
            "1784905964000",
            "1784905964",
            "1.784905964E9",
        ] {
            assert_eq!(read(form), Some(expected), "{form}");
        }
        for bad in ["", "yesterday", "NaN", "-5", "1e300", "inf"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
