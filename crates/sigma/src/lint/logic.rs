//! Conditions that hold for no record, or for each.
//!
//! Every test of a condition is taken as true or false, in every combination that can be: where one
//! test follows from another, no combination has it otherwise. A field may have several values, so
//! that two different values contradict each other not.

use crate::detection::Leaf;
use crate::diagnostic::DiagnosticKind;
use crate::expression::Expression;
use crate::pattern::Part;
use crate::predicate::{Predicate, Test, TextTest};
use crate::text::{TextSet, fold};
use crate::verdict::Verdict;

/// A condition of more different tests is not judged: each one doubles the combinations.
const MOST: usize = 10;

/// What is odd about a condition, and what to do.
pub(super) fn judge(
    condition: &Expression<Leaf>,
) -> Option<(DiagnosticKind, &'static str, &'static str)> {
    let mut names: Vec<String> = Vec::new();
    let mut tests: Vec<Option<Predicate>> = Vec::new();
    condition.leaves(&mut |leaf| {
        let name = format!("{leaf:?}");
        if names.len() <= MOST && !names.contains(&name) {
            names.push(name);
            tests.push(match leaf {
                Leaf::Ready(predicate) => Some(predicate.clone()),
                Leaf::Pending(..) => None,
            });
        }
    });
    if names.len() > MOST {
        return None;
    }
    let condition = condition
        .try_map(&mut |leaf| {
            let name = format!("{leaf:?}");
            let at = names.iter().position(|known| *known == name).ok_or(())?;
            Ok::<_, ()>(Expression::Leaf(at))
        })
        .ok()?;
    let mut follows = Vec::new();
    let mut excludes = Vec::new();
    for (one, first) in tests.iter().enumerate() {
        for (other, second) in tests.iter().enumerate() {
            if let (Some(first), Some(second)) = (first, second)
                && one != other
                && first.field == second.field
            {
                if implies(first, second) {
                    follows.push((one, other));
                }
                if needs_field(first) && matches!(second.test, Test::Exists(false)) {
                    excludes.push((one, other));
                }
            }
        }
    }
    let (mut never, mut always) = (true, true);
    for combination in 0u32..1 << tests.len() {
        let holds = |at: usize| combination >> at & 1 == 1;
        let possible = follows
            .iter()
            .all(|(one, other)| !holds(*one) || holds(*other))
            && excludes
                .iter()
                .all(|(one, other)| !(holds(*one) && holds(*other)));
        if !possible {
            continue;
        }
        match condition.evaluate(&mut |at| Verdict::from(holds(*at))) {
            Verdict::Yes => never = false,
            _ => always = false,
        }
    }
    if never {
        Some((
            DiagnosticKind::NeverMatches,
            "no record can meet this condition",
            "what it asks for, it excludes as well",
        ))
    } else if always {
        Some((
            DiagnosticKind::AlwaysMatches,
            "every record meets this condition",
            "whatever is not excluded is asked for",
        ))
    } else {
        None
    }
}

/// Whether a test fails for every record that lacks its field.
fn needs_field(predicate: &Predicate) -> bool {
    predicate.field.is_some() && !matches!(predicate.test, Test::Null | Test::Exists(false))
}

/// Whether the second holds wherever the first does.
fn implies(first: &Predicate, second: &Predicate) -> bool {
    match (&first.test, &second.test) {
        (Test::Exists(false), Test::Null) => true,
        (_, Test::Exists(true)) => needs_field(first),
        (Test::Text(first), Test::Text(second)) => contained(first, second),
        _ => false,
    }
}

/// Whether whatever one of the first patterns matches, one of the second does.
fn contained(first: &TextTest, second: &TextTest) -> bool {
    if second.cased && !first.cased || !first.numbers.is_empty() {
        return false;
    }
    let Ok(wide) = TextSet::new(&second.patterns, second.cased) else {
        return false;
    };
    !first.patterns.is_empty()
        && first
            .patterns
            .iter()
            .all(|pattern| match pattern.as_slice() {
                [] => wide.is_match(""),
                [Part::Text(text)] => wide.is_match(text),
                other => second
                    .patterns
                    .iter()
                    .any(|wanted| within(other, wanted, second.cased)),
            })
}

/// Whether a pattern with wildcards asks for more than another: its texts hold what that one looks
/// for anywhere.
fn within(pattern: &[Part], wanted: &[Part], cased: bool) -> bool {
    let same = |text: &str| if cased { text.to_owned() } else { fold(text) };
    match wanted {
        [Part::Any] => true,
        [Part::Any, Part::Text(wanted), Part::Any] => pattern
            .iter()
            .any(|part| matches!(part, Part::Text(text) if same(text).contains(&same(wanted)))),
        _ => pattern == wanted,
    }
}
