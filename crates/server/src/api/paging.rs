//! Lists in pages. Whoever reads a list while it changes reads each item that stays once, and misses none.

use std::fmt;
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use portreeve_incident::Incident;
use portreeve_model::{Finding, Severity};

use crate::error::Refused;

/// The most items of one page, and how many there are where nothing is said.
pub(crate) const MOST: usize = 1_000;
const USUAL: usize = 100;

/// The longest id that a cursor names.
const LONGEST: usize = 300;

/// What a cursor looks like.
pub(crate) const CURSOR: &str = "^[0-9a-f]{1,32}\\.[!-~]{1,300}$";

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// What to give as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// What stands in a list that is ordered by rank, then by id.
pub(crate) trait Listed {
    fn id(&self) -> &str;
    fn rank(&self) -> u128;
}

impl<T: Listed> Listed for &T {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn rank(&self) -> u128 {
        (**self).rank()
    }
}

impl<T: Listed, With> Listed for (T, With) {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn rank(&self) -> u128 {
        self.0.rank()
    }
}

/// Keeps the order of times.
fn moment(time: Option<portreeve_model::Timestamp>) -> u64 {
    time.map_or(0, |time| (time.as_microsecond() as u64) ^ (1 << 63))
}

impl Listed for Incident {
    fn id(&self) -> &str {
        &self.id
    }

    /// The gravest first.
    fn rank(&self) -> u128 {
        let grave = Severity::ALL.iter().position(|it| *it == self.severity);
        let grave = u128::from(u8::MAX) - grave.unwrap_or_default() as u128;
        let score = u128::from(u32::MAX - self.score);
        grave << 96 | score << 64 | u128::from(moment(self.first_sign))
    }
}

impl Listed for Finding {
    fn id(&self) -> &str {
        &self.id
    }

    /// The oldest first, those without a time at the end.
    fn rank(&self) -> u128 {
        match self.time {
            Some(time) => moment(Some(time)).into(),
            None => u128::MAX,
        }
    }
}

/// How far someone has read: the last item's place in the order, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    rank: u128,
    id: String,
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:x}.{}", self.rank, self.id)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "after is the `next` of the page before";
        let (rank, id) = text.split_once('.').ok_or(EXPECTED)?;
        let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if !rank.bytes().all(digits)
            || !(1..=LONGEST).contains(&id.len())
            || !id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(EXPECTED);
        }
        Ok(Self {
            rank: u128::from_str_radix(rank, 16).map_err(|_| EXPECTED)?,
            id: id.to_owned(),
        })
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// The items of a page: those behind the cursor. Where its item is gone, those behind where it would stand.
pub(crate) fn page<T: Listed>(
    all: Vec<T>,
    after: Option<&Cursor>,
    limit: Option<usize>,
) -> Result<Listing<T>, Refused> {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Refused::bad(format!("limit is a number from 1 to {MOST}")));
    }
    let start = after.map_or(0, |after| {
        let would_stand =
            all.partition_point(|item| (item.rank(), item.id()) < (after.rank, &*after.id));
        let is_it = |item: &T| item.id() == after.id;
        match all.get(would_stand) {
            Some(item) if is_it(item) => would_stand + 1,
            _ => would_stand,
        }
    });
    let total = all.len();
    let items: Vec<T> = all.into_iter().skip(start).take(limit).collect();
    let next = match items.last() {
        Some(last) if start + items.len() < total => {
            let (rank, id) = (last.rank(), last.id().to_owned());
            Some(Cursor { rank, id }.to_string())
        }
        _ => None,
    };
    Ok(Listing { items, total, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Item(u128, String);

    impl Listed for Item {
        fn id(&self) -> &str {
            &self.1
        }

        fn rank(&self) -> u128 {
            self.0
        }
    }

    fn items(count: u128) -> Vec<Item> {
        (0..count)
            .map(|number| Item(number / 3, format!("i{number:03}")))
            .collect()
    }

    /// Reads page by page; before each page some items go.
    fn read(mut all: Vec<Item>, go: impl Fn(&Item) -> bool) -> Vec<Item> {
        let (mut after, mut seen) = (None::<Cursor>, Vec::new());
        loop {
            let listing = page(all.clone(), after.as_ref(), Some(7)).unwrap();
            assert_eq!(listing.total, all.len());
            seen.extend(listing.items);
            match listing.next {
                Some(next) => after = Some(next.parse().unwrap()),
                None => return seen,
            }
            all.retain(|item| !go(item));
        }
    }

    #[test]
    fn pages_follow_one_another_to_the_end() {
        assert_eq!(read(items(50), |_| false), items(50));
        assert_eq!(read(items(7), |_| false), items(7));
        assert_eq!(read(Vec::new(), |_| false), []);
        assert!(page(items(1), None, Some(0)).is_err());
        assert!(page(items(1), None, Some(1_001)).is_err());
    }

    #[test]
    fn what_stays_is_read_once_though_others_go() {
        let goes = |item: &Item| item.1.ends_with(['6', '3', '0']);
        let seen = read(items(50), goes);
        let stay = |seen: &[Item]| -> Vec<Item> {
            seen.iter().filter(|item| !goes(item)).cloned().collect()
        };
        assert_eq!(stay(&seen), stay(&items(50)));
    }

    #[test]
    fn cursors_are_what_a_page_gave() {
        let cursor = Cursor {
            rank: u128::MAX,
            id: "f-1".to_owned(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in [
            "",
            "f-1",
            ".f-1",
            "1.",
            "x.f-1",
            "+1.a",
            "1.a b",
            "1.ä",
            &"0".repeat(40),
        ] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_keep_their_order() {
        let times = [
            "1960-01-01T00:00Z",
            "1970-01-01T00:00Z",
            "2026-04-07T12:30Z",
        ];
        let ranks = times.map(|time| moment(Some(time.parse().unwrap())));
        assert!(moment(None) < ranks[0] && ranks.is_sorted(), "{ranks:?}");
    }
}
