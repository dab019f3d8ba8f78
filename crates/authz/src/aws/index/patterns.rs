//! Patterns of resources, each kept once, and which of them cover a resource.

use super::super::arn::{ArnParts, ArnPattern};
use super::super::keys::Keys;
use super::super::pattern::Tri;
use super::super::request::{Caller, CallerKind, Context};
use super::{Map, id};

/// Longer beginnings are not told apart: it bounds how many are looked up for a resource.
const LONGEST_START: usize = 64;

/// Patterns without variables, by content.
#[derive(Default)]
pub(super) struct PatternTable {
    patterns: Vec<ArnPattern>,
    ids: Map<ArnPattern, u32>,
    /// By service and beginning of the last part: those that can cover nothing else. The service
    /// is empty where it may be any.
    by_start: Map<(Box<str>, Box<str>), Vec<u32>>,
    /// Those of which no beginning is known.
    others: Vec<u32>,
}

impl PatternTable {
    pub(super) fn intern(&mut self, pattern: &ArnPattern) -> u32 {
        if let Some(known) = self.ids.get(pattern) {
            return *known;
        }
        let new = id(self.patterns.len());
        self.patterns.push(pattern.clone());
        self.ids.insert(pattern.clone(), new);
        match pattern.literal_starts() {
            Some((service, start)) => {
                let place = (service.into(), shortened(start).into());
                self.by_start.entry(place).or_default().push(new);
            }
            None => self.others.push(new),
        }
        new
    }

    pub(super) fn len(&self) -> usize {
        self.patterns.len()
    }

    /// The patterns that cover a resource, sorted. Time: the length of the resource's name, and
    /// the patterns that begin as it does.
    pub(super) fn covering(&self, arn: &str) -> Box<[u32]> {
        let parts = ArnParts::new(arn);
        // Patterns without variables ask for no keys.
        let nobody = Caller::new(CallerKind::Anonymous, "*");
        let context = Context::default();
        let keys = Keys::new(&context, &nobody, None);
        let covers = |pattern: &u32| {
            self.patterns
                .get(*pattern as usize)
                .is_some_and(|pattern| pattern.covers(&parts, &keys, &mut |_| {}) == Tri::Yes)
        };
        let mut covering: Vec<u32> = self.others.iter().copied().filter(covers).collect();
        if let Some((service, last)) = parts.ends() {
            let most = shortened(last).len();
            for length in 0..=most {
                let Some(start) = last.get(..length) else {
                    continue;
                };
                for service in [service, ""] {
                    let place: (Box<str>, Box<str>) = (service.into(), start.into());
                    if let Some(candidates) = self.by_start.get(&place) {
                        covering.extend(candidates.iter().copied().filter(covers));
                    }
                }
            }
        }
        covering.sort_unstable();
        covering.dedup();
        covering.into()
    }
}

fn shortened(text: &str) -> &str {
    let mut end = text.len().min(LONGEST_START);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
