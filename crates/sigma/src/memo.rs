//! Verdicts that cost much, remembered: user agents and ARNs come again and again in a log.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::Verdict;

/// How many verdicts are remembered; a power of two. A later one takes the place of an earlier one.
const SLOTS: usize = 1024;
/// Texts longer than this, in bytes, seldom come again.
const LONGEST: usize = 512;

/// Verdicts of tests on texts. One for each thread, and for one matcher.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    hasher: FixedState,
    slots: Vec<Slot>,
}

#[derive(Clone, Debug)]
struct Slot {
    test: usize,
    text: String,
    verdict: Verdict,
}

impl Memo {
    /// The verdict of a test on a text: the remembered one, or what `judge` says.
    pub(crate) fn verdict(
        &mut self,
        test: usize,
        text: &str,
        judge: impl FnOnce() -> Verdict,
    ) -> Verdict {
        if text.len() > LONGEST {
            return judge();
        }
        if self.slots.is_empty() {
            let empty = Slot {
                test: usize::MAX,
                text: String::new(),
                verdict: Verdict::No,
            };
            self.slots.resize(SLOTS, empty);
        }
        let place = self.hasher.hash_one((test, text)) as usize % SLOTS;
        let Some(slot) = self.slots.get_mut(place) else {
            return judge();
        };
        if slot.test == test && slot.text == text {
            return slot.verdict;
        }
        slot.test = test;
        slot.text.clear();
        slot.text.push_str(text);
        slot.verdict = judge();
        slot.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_remembered_for_its_test_and_text_alone() {
        let mut memo = Memo::default();
        let mut asked = 0;
        let mut of = |test, text: &str, verdict| {
            memo.verdict(test, text, || {
                asked += 1;
                verdict
            })
        };
        assert_eq!(of(0, "a", Verdict::Yes), Verdict::Yes);
        assert_eq!(of(0, "a", Verdict::No), Verdict::Yes);
        assert_eq!(of(1, "a", Verdict::No), Verdict::No);
        assert_eq!(of(0, "b", Verdict::Unknown), Verdict::Unknown);
        assert_eq!(of(0, "b", Verdict::No), Verdict::Unknown);
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(of(0, &long, Verdict::Yes), Verdict::Yes);
        assert_eq!(of(0, &long, Verdict::No), Verdict::No);
        assert_eq!(asked, 5);
    }

    #[test]
    fn what_is_pushed_out_is_judged_anew() {
        let mut memo = Memo::default();
        for round in 0..2 {
            for number in 0..4 * SLOTS {
                let verdict =
                    memo.verdict(7, &number.to_string(), || Verdict::from(number % 3 == 0));
                assert_eq!(verdict, Verdict::from(number % 3 == 0), "{round} {number}");
            }
        }
    }
}
