//! A hunt at a glance.

use portreeve_model::Severity;

use super::page::{self, Page, STRONG, Span, faint, plain};
use super::{Options, left_out};
use crate::hunt::Hunt;
use crate::text;

/// The heights of a column in a line of text.
const HEIGHTS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many of each list are shown where the user did not ask for all.
const FEW: usize = 10;

pub(super) fn write(page: &mut Page, hunt: &Hunt<'_>, options: &Options) {
    page.spans(0, &[Span(STRONG, hunt.sentence())]);
    page.field("read", vec![plain(hunt.effort())]);
    let levels: Vec<Span> = hunt
        .tally
        .levels(&hunt.known.heads)
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| Span(page::severity(level), format!("{count} {level}  ")))
        .collect();
    if !levels.is_empty() {
        page.field("levels", levels);
    }
    when(page, hunt);
    rules(page, hunt, options);
    let few = options.list.map_or(usize::MAX, |_| FEW);
    let techniques = hunt.tally.techniques(&hunt.known.heads);
    counted(
        page,
        "Techniques",
        &techniques,
        few,
        ("technique", "techniques"),
        options,
    );
    let principals: Vec<(String, u64)> = hunt
        .tally
        .principals()
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    counted(
        page,
        "Principals",
        &principals,
        few,
        ("principal", "principals"),
        options,
    );
    matches(page, hunt, options);
    figures(page, hunt, options);
    dead_letters(page, hunt, options);
    for note in hunt.notes {
        page.field("note", vec![faint(note.clone())]);
    }
}

/// Matches over time, as columns of text.
fn when(page: &mut Page, hunt: &Hunt<'_>) {
    let columns = hunt
        .tally
        .histogram()
        .columns(page.width().saturating_sub(14).max(10));
    let sums: Vec<u64> = columns
        .iter()
        .map(|(_, counts)| counts.iter().sum())
        .collect();
    let (Some(most), Some((first, _)), Some((last, _))) =
        (sums.iter().max(), columns.first(), columns.last())
    else {
        return;
    };
    let line: String = sums
        .iter()
        .map(|sum| {
            let height = (sum * (HEIGHTS.len() as u64 - 1)).div_ceil((*most).max(1));
            HEIGHTS.get(height as usize).copied().unwrap_or(' ')
        })
        .collect();
    page.field("when", vec![plain(line)]);
    let width = match columns.get(1) {
        Some((second, _)) => second.as_second() - first.as_second(),
        None => 60,
    };
    page.field(
        "",
        vec![faint(format!(
            "{} to {}; a column is {}, the highest {}",
            text::minute(*first),
            text::minute(*last),
            text::span(width),
            text::counted(*most, "match", "matches"),
        ))],
    );
}

fn rules(page: &mut Page, hunt: &Hunt<'_>, options: &Options) {
    let rows = hunt.rows();
    if rows.is_empty() {
        return;
    }
    page.heading("Rules");
    let shown = options.list.map_or(rows.len(), |_| rows.len().min(3 * FEW));
    for row in rows.iter().take(shown) {
        let times = match (row.first, row.last) {
            (Some(first), Some(last)) if first != last => {
                format!("  {} to {}", text::minute(first), text::minute(last))
            }
            (Some(first), _) => format!("  {}", text::minute(first)),
            _ => String::new(),
        };
        page.spans(
            24,
            &[
                plain(format!("{:>9}  ", text::count(row.matches))),
                Span(
                    page::severity(row.level),
                    format!("{:<13}", row.level.as_str()),
                ),
                plain(row.title.to_owned()),
                faint(format!("  {}{times}", row.techniques)),
            ],
        );
    }
    left_out(page, (rows.len() - shown) as u64, "rule", "rules", options);
}

fn counted(
    page: &mut Page,
    title: &str,
    counts: &[(String, u64)],
    few: usize,
    (one, many): (&str, &str),
    options: &Options,
) {
    if counts.is_empty() {
        return;
    }
    page.heading(title);
    for (name, count) in counts.iter().take(few) {
        let number = format!("{:>9}  ", text::count(*count));
        page.spans(11, &[plain(number), plain(name.clone())]);
    }
    left_out(
        page,
        counts.len().saturating_sub(few) as u64,
        one,
        many,
        options,
    );
}

/// The matches one by one, where there are few or all are asked for.
fn matches(page: &mut Page, hunt: &Hunt<'_>, options: &Options) {
    if hunt.matches.is_empty() {
        return;
    }
    page.heading("Matches");
    let shown = options.list.map_or(hunt.matches.len(), |_| 2 * FEW);
    for found in hunt.matches.iter().take(shown) {
        let Some(head) = hunt.known.head(found) else {
            continue;
        };
        let time = found.time.map_or_else(|| "no time".to_owned(), text::time);
        page.spans(
            2,
            &[
                plain(format!("{time}  ")),
                Span(page::severity(head.level), head.title.clone()),
                plain(
                    found
                        .actor
                        .as_deref()
                        .map(|actor| format!("  {actor}"))
                        .unwrap_or_default(),
                ),
                plain(
                    found
                        .action
                        .as_deref()
                        .map(|action| format!("  {action}"))
                        .unwrap_or_default(),
                ),
                faint(place(hunt, found)),
            ],
        );
        if head.correlation {
            let group: Vec<String> = found
                .group
                .iter()
                .map(|(field, value)| format!("{field} = {value}"))
                .collect();
            let number = found.number.unwrap_or_default();
            page.spans(
                6,
                &[faint(format!("    {number} with {}", group.join(", ")))],
            );
        }
    }
    let more = hunt
        .tally
        .matches
        .saturating_sub(shown.min(hunt.matches.len()) as u64);
    left_out(page, more, "match", "matches", options);
}

fn place(hunt: &Hunt<'_>, found: &portreeve_detect::hunt::Match) -> String {
    match found.records.as_slice() {
        [] => String::new(),
        [one] => format!("  {}, record {}", hunt.known.file(one), one.index),
        [one, more @ ..] => format!(
            "  {}, record {} and {} more",
            hunt.known.file(one),
            one.index,
            more.len()
        ),
    }
}

fn figures(page: &mut Page, hunt: &Hunt<'_>, options: &Options) {
    if hunt.figures.is_empty() {
        return;
    }
    page.heading("What rules cost");
    let shown = options
        .list
        .map_or(hunt.figures.len(), |_| hunt.figures.len().min(3 * FEW));
    for figure in hunt.figures.iter().take(shown) {
        let Some(head) = hunt.known.heads.get(figure.rule as usize) else {
            continue;
        };
        page.spans(
            4,
            &[
                plain(format!("{:>9.3} ms  ", figure.nanoseconds as f64 / 1e6)),
                plain(format!(
                    "asked {:>9}, matched {:>9}  ",
                    text::count(figure.asked),
                    text::count(figure.matched)
                )),
                plain(head.title.clone()),
                faint(format!("  by {}", text::shorten(&figure.reached_by, 160))),
            ],
        );
    }
    left_out(
        page,
        (hunt.figures.len() - shown) as u64,
        "rule",
        "rules",
        options,
    );
}

fn dead_letters(page: &mut Page, hunt: &Hunt<'_>, options: &Options) {
    let all = hunt.dead_letters.len() as u64 + hunt.dead_omitted;
    if all == 0 {
        return;
    }
    page.heading("Not readable");
    let shown = options.list.map_or(usize::MAX, |_| FEW);
    for letter in hunt.dead_letters.iter().take(shown) {
        page.spans(
            2,
            &[
                Span(page::severity(Severity::Medium), letter.file.to_string()),
                plain(format!(", byte {}: {}", letter.offset, letter.reason)),
            ],
        );
    }
    let shown = hunt.dead_letters.len().min(shown) as u64;
    left_out(
        page,
        all - shown,
        "unreadable piece",
        "unreadable pieces",
        options,
    );
}
