use crate::number::Number;

/// The part of a date that a time modifier takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl DatePart {
    /// Takes the part out of a date as ISO 8601 writes it, as it is written: time zones are not
    /// converted. `None` where the text is no date or has no time of day to take from.
    pub(crate) fn of(self, text: &str) -> Option<Number> {
        let bytes = text.as_bytes();
        let number = |from: usize, length: usize| -> Option<i64> {
            bytes
                .get(from..from + length)?
                .iter()
                .try_fold(0i64, |sum, digit| {
                    digit
                        .is_ascii_digit()
                        .then(|| sum * 10 + i64::from(digit - b'0'))
                })
        };
        let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
        if !is(4, b"-") || !is(7, b"-") || !(1..=12).contains(&month) {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        let value = match self {
            DatePart::Year => year,
            DatePart::Month => month,
            DatePart::Day => day,
            DatePart::Week => iso_week(year, month, day),
            DatePart::Hour | DatePart::Minute => {
                let (hour, minute) = (number(11, 2)?, number(14, 2)?);
                if !is(10, b"Tt ") || !is(13, b":") || hour > 23 || minute > 59 {
                    return None;
                }
                if self == DatePart::Hour { hour } else { minute }
            }
        };
        Some(Number::Integer(i128::from(value)))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of the year from 1, and the weekday from 1 (Monday) to 7.
fn ordinal_and_weekday(year: i64, month: i64, day: i64) -> (i64, i64) {
    let ordinal = (1..month)
        .map(|earlier| days_in_month(year, earlier))
        .sum::<i64>()
        + day;
    let before = year - 1;
    let days = before * 365 + before.div_euclid(4) - before.div_euclid(100)
        + before.div_euclid(400)
        + ordinal;
    // Day 1 of year 1 is a Monday in the proleptic calendar.
    (ordinal, (days - 1).rem_euclid(7) + 1)
}

fn weeks_in_year(year: i64) -> i64 {
    let (_, weekday) = ordinal_and_weekday(year, 1, 1);
    if weekday == 4 || (weekday == 3 && is_leap(year)) {
        53
    } else {
        52
    }
}

fn iso_week(year: i64, month: i64, day: i64) -> i64 {
    let (ordinal, weekday) = ordinal_and_weekday(year, month, day);
    let week = (ordinal - weekday + 10) / 7;
    if week < 1 {
        weeks_in_year(year - 1)
    } else if week > weeks_in_year(year) {
        1
    } else {
        week
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: DatePart, text: &str) -> Option<i128> {
        part.of(text).map(|number| match number {
            Number::Integer(value) => value,
            Number::Fraction(_) => panic!("a part of a date is whole"),
        })
    }

    #[test]
    fn parts_are_taken_as_written() {
        let text = "2026-07-24T23:45:59+02:00";
        assert_eq!(part(DatePart::Minute, text), Some(45));
        assert_eq!(part(DatePart::Hour, text), Some(23));
        assert_eq!(part(DatePart::Day, text), Some(24));
        assert_eq!(part(DatePart::Week, text), Some(30));
        assert_eq!(part(DatePart::Month, text), Some(7));
        assert_eq!(part(DatePart::Year, text), Some(2026));
        assert_eq!(part(DatePart::Day, "2024-02-29"), Some(29));
        assert_eq!(part(DatePart::Hour, "2024-02-29 07:01"), Some(7));
    }

    #[test]
    fn weeks_follow_iso_8601_at_the_turn_of_the_year() {
        for (date, week) in [
            ("2021-01-03", 53),
            ("2021-01-04", 1),
            ("2024-12-30", 1),
            ("2020-12-31", 53),
            ("2023-01-01", 52),
            ("2026-01-01", 1),
        ] {
            assert_eq!(part(DatePart::Week, date), Some(week), "{date}");
        }
    }

    #[test]
    fn what_is_no_date_has_no_parts() {
        for text in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-30",
            "1774310400",
            "24/07/2026",
            "2026-7-1 ",
        ] {
            assert_eq!(part(DatePart::Year, text), None, "{text}");
        }
        assert_eq!(part(DatePart::Hour, "2026-07-24"), None);
        assert_eq!(part(DatePart::Hour, "2026-07-24T99:00"), None);
    }
}
