use crate::Verdict;

/// A condition over leaves of some kind: predicates as parsed, or numbers of compiled ones.
///
/// Its depth is bounded where it is built, so walking it may recurse.
#[derive(Clone, Debug)]
pub(crate) enum Expression<Leaf> {
    /// Every one holds.
    All(Vec<Expression<Leaf>>),
    /// One holds.
    Any(Vec<Expression<Leaf>>),
    /// It does not hold.
    Not(Box<Expression<Leaf>>),
    /// So many hold.
    AtLeast(usize, Vec<Expression<Leaf>>),
    /// A single test.
    Leaf(Leaf),
}

impl<Leaf> Expression<Leaf> {
    /// All of them, without a needless level for a single one.
    pub(crate) fn all(mut parts: Vec<Self>) -> Self {
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                parts.extend(last);
                Expression::All(parts)
            }
        }
    }

    /// One of them, without a needless level for a single one.
    pub(crate) fn any(mut parts: Vec<Self>) -> Self {
        match (parts.len(), parts.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                parts.extend(last);
                Expression::Any(parts)
            }
        }
    }

    /// Makes one of parts of the same kind that are within one another, so that they can be asked
    /// in any order.
    pub(crate) fn flatten(&mut self) {
        let is_all = matches!(self, Expression::All(_));
        match self {
            Expression::All(parts) | Expression::Any(parts) => {
                for mut part in std::mem::take(parts) {
                    part.flatten();
                    match part {
                        Expression::All(inner) if is_all => parts.extend(inner),
                        Expression::Any(inner) if !is_all => parts.extend(inner),
                        other => parts.push(other),
                    }
                }
            }
            Expression::AtLeast(_, parts) => parts.iter_mut().for_each(Self::flatten),
            Expression::Not(inner) => inner.flatten(),
            Expression::Leaf(_) => {}
        }
    }

    /// How many nodes it has.
    pub(crate) fn size(&self) -> usize {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                parts.iter().map(Self::size).sum::<usize>() + 1
            }
            Expression::Not(inner) => inner.size() + 1,
            Expression::Leaf(_) => 1,
        }
    }

    /// Calls `visit` with each leaf, from left to right.
    pub(crate) fn leaves<'a>(&'a self, visit: &mut impl FnMut(&'a Leaf)) {
        match self {
            Expression::All(parts) | Expression::Any(parts) | Expression::AtLeast(_, parts) => {
                for part in parts {
                    part.leaves(visit);
                }
            }
            Expression::Not(inner) => inner.leaves(visit),
            Expression::Leaf(leaf) => visit(leaf),
        }
    }

    /// The same expression over other leaves.
    pub(crate) fn try_map<Other, Error>(
        &self,
        change: &mut impl FnMut(&Leaf) -> Result<Expression<Other>, Error>,
    ) -> Result<Expression<Other>, Error> {
        let mut each = |parts: &[Self]| -> Result<Vec<Expression<Other>>, Error> {
            parts.iter().map(|part| part.try_map(change)).collect()
        };
        Ok(match self {
            Expression::All(parts) => Expression::All(each(parts)?),
            Expression::Any(parts) => Expression::Any(each(parts)?),
            Expression::AtLeast(count, parts) => Expression::AtLeast(*count, each(parts)?),
            Expression::Not(inner) => Expression::Not(Box::new(inner.try_map(change)?)),
            Expression::Leaf(leaf) => change(leaf)?,
        })
    }

    /// Its verdict, given that of each leaf. Leaves that cannot change it any more are not asked.
    pub(crate) fn evaluate(&self, ask: &mut impl FnMut(&Leaf) -> Verdict) -> Verdict {
        match self {
            Expression::All(parts) => {
                let mut verdict = Verdict::Yes;
                for part in parts {
                    verdict = verdict.and(part.verdict(ask));
                    if verdict == Verdict::No {
                        break;
                    }
                }
                verdict
            }
            Expression::Any(parts) => {
                let mut verdict = Verdict::No;
                for part in parts {
                    verdict = verdict.or(part.verdict(ask));
                    if verdict == Verdict::Yes {
                        break;
                    }
                }
                verdict
            }
            Expression::AtLeast(count, parts) => {
                let (mut yes, mut open) = (0usize, 0usize);
                for part in parts {
                    match part.verdict(ask) {
                        Verdict::Yes => yes += 1,
                        Verdict::Unknown => open += 1,
                        Verdict::No => {}
                    }
                    if yes >= *count {
                        break;
                    }
                }
                if yes >= *count {
                    Verdict::Yes
                } else if yes + open >= *count {
                    Verdict::Unknown
                } else {
                    Verdict::No
                }
            }
            Expression::Not(inner) => inner.verdict(ask).negate(),
            Expression::Leaf(leaf) => ask(leaf),
        }
    }

    /// The same of a part: most are leaves, and are asked without another call.
    #[inline(always)]
    fn verdict(&self, ask: &mut impl FnMut(&Leaf) -> Verdict) -> Verdict {
        match self {
            Expression::Leaf(leaf) => ask(leaf),
            other => other.evaluate(ask),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdict() -> impl Strategy<Value = Verdict> {
        prop_oneof![
            Just(Verdict::No),
            Just(Verdict::Unknown),
            Just(Verdict::Yes)
        ]
    }

    fn not(inner: Expression<Verdict>) -> Expression<Verdict> {
        Expression::Not(Box::new(inner))
    }

    fn value(expression: &Expression<Verdict>) -> Verdict {
        expression.evaluate(&mut |leaf| *leaf)
    }

    fn expression() -> impl Strategy<Value = Expression<Verdict>> {
        verdict()
            .prop_map(Expression::Leaf)
            .prop_recursive(4, 24, 4, |inner| {
                let parts = prop::collection::vec(inner.clone(), 0..4);
                prop_oneof![
                    parts.clone().prop_map(Expression::All),
                    parts.clone().prop_map(Expression::Any),
                    (0..3usize, parts).prop_map(|(least, parts)| Expression::AtLeast(least, parts)),
                    inner.prop_map(not),
                ]
            })
    }

    proptest! {
        #[test]
        fn flattening_changes_no_verdict(whole in expression()) {
            let mut flat = whole.clone();
            flat.flatten();
            prop_assert_eq!(value(&flat), value(&whole));
        }

        #[test]
        fn de_morgan_holds(verdicts in prop::collection::vec(verdict(), 1..6)) {
            let leaves = || verdicts.iter().map(|verdict| Expression::Leaf(*verdict)).collect();
            let negated = || verdicts.iter().map(|verdict| not(Expression::Leaf(*verdict))).collect();
            prop_assert_eq!(value(&not(Expression::All(leaves()))), value(&Expression::Any(negated())));
            prop_assert_eq!(value(&not(Expression::Any(leaves()))), value(&Expression::All(negated())));
        }

        #[test]
        fn counting_agrees_with_all_and_any(verdicts in prop::collection::vec(verdict(), 1..6)) {
            let leaves = || verdicts.iter().map(|verdict| Expression::Leaf(*verdict)).collect();
            let count = verdicts.len();
            prop_assert_eq!(value(&Expression::AtLeast(1, leaves())), value(&Expression::Any(leaves())));
            prop_assert_eq!(value(&Expression::AtLeast(count, leaves())), value(&Expression::All(leaves())));
        }
    }

    #[test]
    fn the_negation_of_unknown_is_unknown() {
        assert_eq!(
            value(&not(Expression::Leaf(Verdict::Unknown))),
            Verdict::Unknown
        );
    }
}
