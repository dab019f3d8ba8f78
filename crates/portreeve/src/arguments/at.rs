use clap::Args;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The instant that is asked about.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct At {
    /// The estate as it was at that time (UTC unless it says otherwise), told from the inventory
    /// and the logs among the paths: 2026-03-03T10:02:00Z, 2026-03-03T10:02, 2026-03-03
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) at: Option<Timestamp>,
    /// When the inventory was made; without it, when it agrees best with the logs
    #[arg(long, value_name = "TIME", value_parser = time, requires = "at")]
    pub(crate) inventory_time: Option<Timestamp>,
}

/// A time with an offset, or in UTC: with or without a time of day.
fn time(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is no time such as 2026-03-03T10:02:00Z or 2026-03-03");
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let civil = text
        .parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(DateTime::from))
        .map_err(|_| wrong())?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
    Ok(zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset() {
        let read = |text: &str| time(text).map(|time| time.to_string());
        for (text, meant) in [
            ("2026-03-03T10:02:00Z", "2026-03-03T10:02:00Z"),
            ("2026-03-03T10:02:00+01:00", "2026-03-03T09:02:00Z"),
            ("2026-03-03T10:02", "2026-03-03T10:02:00Z"),
            ("2026-03-03 10:02:07", "2026-03-03T10:02:07Z"),
            ("2026-03-03", "2026-03-03T00:00:00Z"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(meant));
        }
        for text in ["", "yesterday", "2026-13-01", "10:02"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
