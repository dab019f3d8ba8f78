//! Long lists: as far as a file has room, or part by part on a page of the watch.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::ROWS;
use super::incident::left_out;
use crate::text;

/// How many rows of a usual list one part has on a screen.
pub(super) const SCREEN: usize = 40;

/// The number of the part of each list that was asked for, from 1, by the list's name in the address.
pub type Asked = BTreeMap<String, usize>;

/// Which part of each long list a page tells.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    asked: Option<&'a Asked>,
}

impl<'a> Parts<'a> {
    /// A file: the first rows of each list, and how many are left out.
    pub const FILE: Parts<'static> = Parts { asked: None };

    /// A page of the watch: a part of each list, with links to the others that work without scripts.
    pub fn screen(asked: &'a Asked) -> Self {
        Self { asked: Some(asked) }
    }

    /// The rows that are told of a list, so many on a screen.
    pub(super) fn rows<'t, T>(self, name: &str, all: &'t [T], screen: usize) -> &'t [T] {
        let (first, rows) = match self.asked {
            None => (0, ROWS),
            Some(_) => (self.number(name, all.len(), screen) * screen, screen),
        };
        let rest = all.get(first..).unwrap_or_default();
        rest.get(..rows).unwrap_or(rest)
    }

    /// The part that was asked for, from 0; the last where there are not so many.
    fn number(self, name: &str, total: usize, screen: usize) -> usize {
        let asked = self.asked.and_then(|asked| asked.get(name)).copied();
        let last = total.saturating_sub(1) / screen;
        asked.unwrap_or(1).saturating_sub(1).min(last)
    }

    /// What there is beside them: how many are left out, or the ways to the other parts.
    pub(super) fn more(
        self,
        name: &str,
        total: usize,
        screen: usize,
        one: &str,
        many: &str,
    ) -> Markup {
        if self.asked.is_none() {
            return left_out(total, ROWS, one, many);
        }
        let number = self.number(name, total, screen);
        let first = number * screen + 1;
        let last = (first + screen - 1).min(total);
        let link = |number: usize| format!("?{name}={}#{name}", number + 1);
        html! {
            @if total > screen {
                nav class="more" aria-label={ "Parts of the list of " (many) } {
                    @if number > 0 { a href=(link(number - 1)) rel="prev" { "Before" } " " }
                    span class="soft" { (text::count(first as u64)) "–" (text::count(last as u64)) " of " (text::counted(total as u64, one, many)) }
                    @if last < total { " " a href=(link(number + 1)) rel="next" { "Further" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_one_another_and_end() {
        let all: Vec<usize> = (0..95).collect();
        let part = |number: usize| {
            let asked = Asked::from([("rows".to_owned(), number)]);
            let parts = Parts::screen(&asked);
            let told = parts.rows("rows", &all, SCREEN);
            let more = parts
                .more("rows", all.len(), SCREEN, "row", "rows")
                .into_string();
            (told.first().copied(), told.len(), more)
        };
        let (first, count, more) = part(1);
        assert_eq!((first, count), (Some(0), 40));
        assert!(more.contains("?rows=2#rows") && !more.contains("Before"));
        let (first, count, more) = part(3);
        assert_eq!((first, count), (Some(80), 15));
        assert!(more.contains("?rows=2#rows") && !more.contains("Further"));
        // Beyond the end is the end, and before the beginning the beginning.
        assert_eq!(part(9).0, Some(80));
        assert_eq!(part(0).0, Some(0));
        let file = Parts::FILE.rows("rows", &all, SCREEN);
        assert_eq!(file.len(), 95);
        assert_eq!(
            Parts::FILE
                .more("rows", 95, SCREEN, "row", "rows")
                .into_string(),
            ""
        );
    }
}
