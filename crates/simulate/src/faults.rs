use std::fmt;
use std::str::FromStr;

/// How records suffer on their way into the logs.
///
/// The usual: management events come 2 to 15 minutes late, data events 5 to 20, four in a thousand
/// come twice and one in a hundred never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// How late records come, in hundredths of the usual: 0 for at once and in order, 100 for the
    /// usual, 400 for four times as late.
    pub delay: u32,
    /// How many come a second time, 70 minutes to three hours after the first.
    pub duplicates: Share,
    /// How many are held up for one to twelve hours, and so lie in a file of a much later time.
    pub held_up: Share,
    /// How many never come. Without a figure it is one in a hundred, and steps of the intrusion
    /// that show in few records are spared, so that the story is whole; a figure spares nothing.
    pub loss: Option<Share>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            delay: 100,
            duplicates: Share(4_000),
            held_up: Share(0),
            loss: None,
        }
    }
}

/// A part of all records, in millionths. Read and written as a number from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// A share that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no number from 0 to 1")]
pub struct ShareError(String);

impl Share {
    /// One whole.
    const WHOLE: u32 = 1_000_000;
    /// One in a hundred.
    pub(crate) const ONE_PERCENT: Self = Self(10_000);

    /// In millionths.
    pub(crate) fn millionths(self) -> u64 {
        self.0.into()
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: f64 = text.parse().map_err(|_| ShareError(text.to_owned()))?;
        if !(0.0..=1.0).contains(&number) {
            return Err(ShareError(text.to_owned()));
        }
        Ok(Self((number * f64::from(Self::WHOLE)).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", f64::from(self.0) / f64::from(Self::WHOLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_written() {
        for (text, millionths) in [
            ("0", 0),
            ("0.01", 10_000),
            ("0.000001", 1),
            ("1", 1_000_000),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!(share.millionths(), millionths, "{text}");
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        for text in ["", "1.01", "-0.1", "NaN", "1 %", "inf"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
