//! Times as people write them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a day (2026-01-05) nor a time with its zone (2026-01-05T08:00:00Z)")]
pub struct MomentError(pub String);

/// A time with its zone, or a day, which stands for its first moment in UTC. A time of day without a zone
/// would be somebody's local time, and is refused.
///
/// # Errors
/// Where the text is neither.
pub fn moment(text: &str) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    match text.parse() {
        Ok(time) => Ok(time),
        Err(_) => start(day(text)?, text),
    }
}

/// The same, but a day stands for the first moment after it.
pub(crate) fn after(text: &str) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    match text.parse() {
        Ok(time) => Ok(time),
        Err(_) => {
            let next = day(text)?.tomorrow();
            start(next.map_err(|_| MomentError(text.to_owned()))?, text)
        }
    }
}

/// The same, but a day stands for its last moment.
pub(crate) fn end(text: &str) -> Result<Timestamp, MomentError> {
    let end = after(text)?;
    Ok(match text.trim().parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => end.saturating_sub(1.microsecond()).unwrap_or(end),
    })
}

fn day(text: &str) -> Result<Date, MomentError> {
    let odd = || MomentError(text.to_owned());
    match text.len() {
        10 => text.parse().map_err(|_| odd()),
        _ => Err(odd()),
    }
}

fn start(day: Date, text: &str) -> Result<Timestamp, MomentError> {
    let zoned = day.to_zoned(TimeZone::UTC);
    let zoned = zoned.map_err(|_| MomentError(text.to_owned()))?;
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_told_apart() {
        let seconds = |time: Result<Timestamp, MomentError>| time.unwrap().as_second();
        assert_eq!(seconds(moment(" 1970-01-02 ")), 86_400);
        assert_eq!(seconds(after("1970-01-02")), 2 * 86_400);
        assert_eq!(seconds(end("1970-01-02")), 2 * 86_400 - 1);
        for read in [moment, after, end] {
            assert_eq!(seconds(read("1970-01-01T01:00:00+01:00")), 0);
            for wrong in [
                "",
                "yesterday",
                "1970-01-02T12:30",
                "1970-13-01",
                "1970-01-02 12:30",
            ] {
                assert_eq!(read(wrong), Err(MomentError(wrong.to_owned())));
            }
        }
    }
}
