//! A rule's trial on a history: a bar a day, and whom it matched.

use portreeve_incident::Backtest;

use super::{Options, table};
use crate::backtest::{bars, noise, sentence};

/// How many bars there are at most.
const BARS: usize = 31;
/// How wide the longest bar is.
const WIDTH: u64 = 40;

pub(super) fn write(told: &Backtest, options: &Options) -> String {
    let Some(sentence) = sentence(told) else {
        return "No records with a time.\n".to_owned();
    };
    let mut out = format!("{sentence}\n\n");
    let (share, bars) = bars(told, BARS);
    if share > 1 {
        out.push_str(&format!("A bar is {share} days.\n"));
    }
    let most = bars.iter().map(|(_, count)| *count).max();
    let most = most.unwrap_or_default().max(1);
    for (day, count) in bars {
        let length = (count * WIDTH).div_ceil(most) as usize;
        out.push_str(&format!("{day}  {count:>7}  {}\n", "█".repeat(length)));
    }
    out.push('\n');
    let shown = options.list.unwrap_or(told.principals.len());
    let rows: Vec<Vec<String>> = told
        .principals
        .iter()
        .take(shown)
        .map(|one| {
            vec![
                one.matches.to_string(),
                one.days.to_string(),
                one.principal.clone(),
                noise(one.noise).to_owned(),
            ]
        })
        .collect();
    out.push_str(&table(
        &["matches", "days", "principal", ""],
        &rows,
        options,
    ));
    let more = told.principals.len().saturating_sub(shown);
    if more > 0 {
        out.push_str(&format!("and {more} more\n"));
    }
    out
}
