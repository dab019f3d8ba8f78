use jiff::Timestamp;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3600;
pub(crate) const DAY: i64 = 86_400;

/// Midnight of Monday 2026-03-02, the first day of an intrusion for the seeds that shift nothing.
pub(crate) const FIRST_MONDAY: i64 = 1_772_409_600;

/// Seconds since 1970 as CloudTrail writes times: `2026-03-05T10:12:09Z`.
pub(crate) fn iso(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// As STS writes the end of a credential: `Mar 5, 2026, 10:12:09 PM`.
pub(crate) fn spoken(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}

/// A time in the form that `format` asks for.
pub(crate) fn format(seconds: i64, format: &str) -> String {
    Timestamp::from_second(seconds)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}

/// Whether the day that holds this second is a Saturday or Sunday.
pub(crate) fn is_weekend(seconds: i64) -> bool {
    // 1970-01-01 was a Thursday.
    matches!((seconds.div_euclid(DAY) + 3).rem_euclid(7), 5 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_monday_is_one() {
        assert_eq!(iso(FIRST_MONDAY), "2026-03-02T00:00:00Z");
        assert_eq!(format(FIRST_MONDAY, "%A"), "Monday");
        assert!(
            !is_weekend(FIRST_MONDAY)
                && is_weekend(FIRST_MONDAY - 1)
                && is_weekend(FIRST_MONDAY + 5 * DAY)
        );
        assert_eq!(
            spoken(FIRST_MONDAY + 43_200 + 9),
            "Mar 2, 2026, 12:00:09 PM"
        );
    }
}
