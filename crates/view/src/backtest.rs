//! The words in which a rule's trial on a history is told, the same in the terminal and on the page.

use portreeve_incident::{Backtest, Noise};

use crate::text;

/// The trial in one sentence; `None` where no record has a time.
pub(crate) fn sentence(told: &Backtest) -> Option<String> {
    let (first, last) = told.period?;
    Some(format!(
        "{} over {}, {first} to {last}: {}, {:.1} a day, {}",
        text::counted(told.rules, "rule", "rules"),
        text::counted(told.records, "record", "records"),
        text::counted(told.matches, "match", "matches"),
        told.matches_a_day,
        text::counted(told.findings, "finding", "findings"),
    ))
}

/// Why a principal's matches may be noise.
pub(crate) fn noise(noise: Option<Noise>) -> &'static str {
    match noise {
        Some(Noise::Daily) => "likely noise: it does so on most days",
        Some(Noise::MostOfAll) => "likely noise: most matches are its own",
        None => "",
    }
}

/// Matches of one day, or of as many days as share a bar so that there are `most` bars at most; with
/// the number of days that a bar stands for.
pub(crate) fn bars(told: &Backtest, most: usize) -> (usize, Vec<(String, u64)>) {
    let days: Vec<_> = told.days.iter().collect();
    let share = days.len().div_ceil(most).max(1);
    let bars = days.chunks(share).filter_map(|part| {
        let (first, _) = part.first()?;
        Some((
            first.to_string(),
            part.iter().map(|(_, count)| **count).sum(),
        ))
    });
    (share, bars.collect())
}
