//! Nodes that tell different things of one block.

use portreeve_model::Severity;

use crate::watch::Rule;

pub(super) const RULE: Rule = Rule {
    id: "wallet.provider-divergence",
    title: "Providers of the chain disagree",
    severity: Severity::High,
    techniques: &["T1565.002"],
    about: "Two providers answered differently for the same block: another hash, other receipts, another \
            value in storage. One of them errs, lags or lies; a system that believes the wrong one releases \
            money for what never happened. Where no majority decides it is critical.",
    quieten: "Lagging is no divergence: a provider that does not know a block yet is left out. Remove a \
              provider that errs.",
    judge: |scene, hits| {
        for divergence in scene.divergences {
            let answers: Vec<String> = divergence
                .answers
                .iter()
                .map(|(who, answer)| format!("{who} says {answer}"))
                .collect();
            let (severity, taken) = match &divergence.taken {
                Some(taken) => (RULE.severity, format!("; gone by: {taken}")),
                None => (Severity::Critical, "; no majority decides".to_owned()),
            };
            let reason = format!("{}: {}{taken}", divergence.what, answers.join(", "));
            // It is about every wallet; it hangs on the first.
            if let Some(wallet) = scene.policy.wallets().next() {
                hits.add_as(
                    severity,
                    wallet.address,
                    None,
                    &divergence.what,
                    false,
                    reason,
                );
            }
        }
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Divergence;
    use crate::watch::stage::{Stage, severities};

    fn divergence(taken: Option<&str>) -> Divergence {
        Divergence {
            what: "receipts".to_owned(),
            answers: vec![
                ("one".to_owned(), "a".to_owned()),
                ("two".to_owned(), "b".to_owned()),
            ],
            taken: taken.map(str::to_owned),
        }
    }

    #[test]
    fn a_divergence_is_found_and_graver_where_nothing_decides() {
        let found = Stage::new().block(|script| script.divergences.push(divergence(Some("a"))));
        assert_eq!(severities(&found, RULE.id), [Severity::High]);
        assert!(
            found[0]
                .reason
                .contains("one says a, two says b; gone by: a")
        );
        let found = Stage::new().block(|script| script.divergences.push(divergence(None)));
        assert_eq!(severities(&found, RULE.id), [Severity::Critical]);
    }

    #[test]
    fn providers_that_agree_are_quiet() {
        assert_eq!(severities(&Stage::new().block(|_| ()), RULE.id), []);
    }
}
