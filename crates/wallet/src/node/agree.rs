//! Answers of several nodes, and the one to go by.

use std::collections::BTreeMap;

use crate::watch::Divergence;

/// What several nodes said to one question.
#[derive(Debug)]
pub(super) struct Agreed<T> {
    /// The answer of the majority, and who gave it, by their places. Without a majority the first's.
    pub(super) taken: T,
    pub(super) by: Vec<usize>,
    /// Where they differ.
    pub(super) divergence: Option<Divergence>,
}

/// Goes by the answer that more than half of those who answered gave. `mark` is what answers are
/// compared by. `None` where nobody answered.
pub(super) fn agree<T>(
    what: &str,
    answers: Vec<(usize, String, T)>,
    mark: impl Fn(&T) -> String,
) -> Option<Agreed<T>> {
    let mut votes: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, _, answer) in &answers {
        votes.entry(mark(answer)).or_default().push(*place);
    }
    let all = answers.len();
    let first = answers.first().map(|(_, _, answer)| mark(answer))?;
    let (winner, decided) = match votes.iter().max_by_key(|(_, by)| by.len()) {
        Some((mark, by)) if by.len() * 2 > all => (mark.clone(), true),
        _ => (first, false),
    };
    let divergence = (votes.len() > 1).then(|| Divergence {
        what: what.to_owned(),
        answers: answers
            .iter()
            .map(|(_, name, answer)| (name.clone(), mark(answer)))
            .collect(),
        taken: decided.then(|| winner.clone()),
    });
    let by = votes.remove(&winner)?;
    let taken = answers
        .into_iter()
        .find(|(place, ..)| by.contains(place))
        .map(|(.., answer)| answer)?;
    Some(Agreed {
        taken,
        by,
        divergence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &[&str]) -> Option<(String, usize, Option<Option<String>>)> {
        let answers = answers
            .iter()
            .enumerate()
            .map(|(place, answer)| (place, format!("n{place}"), (*answer).to_owned()))
            .collect();
        let agreed = agree("block", answers, String::clone)?;
        Some((
            agreed.taken,
            agreed.by.len(),
            agreed.divergence.map(|divergence| divergence.taken),
        ))
    }

    #[test]
    fn the_majority_is_gone_by_and_a_tie_is_none() {
        let some = |taken: &str, by, divergence: Option<Option<&str>>| {
            Some((
                taken.to_owned(),
                by,
                divergence.map(|taken| taken.map(str::to_owned)),
            ))
        };
        assert_eq!(asked(&["a", "a", "a"]), some("a", 3, None));
        assert_eq!(asked(&["b", "a", "a"]), some("a", 2, Some(Some("a"))));
        assert_eq!(asked(&["b", "a"]), some("b", 1, Some(None)));
        assert_eq!(asked(&["a", "b", "c"]), some("a", 1, Some(None)));
        assert_eq!(asked(&["a"]), some("a", 1, None));
        assert_eq!(asked(&[]), None);
    }
}
