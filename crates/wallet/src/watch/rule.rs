//! Rules: what is worth a look on a chain, one file each in `src/rules/`.

use alloy_primitives::{Address, B256};
use portreeve_model::Severity;

use super::{Changes, Divergence, Received, Remedy, State, WalletFinding};
use crate::chain::Block;
use crate::policy::Policy;

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// A rule. Its file holds all of it: what it asks, why, how it is kept quiet, how it judges, tests.
#[derive(Debug)]
pub struct Rule {
    /// Its id: `wallet.` and a name.
    pub id: &'static str,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// How much a match matters, unless the rule says otherwise for one.
    pub severity: Severity,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
    /// What it asks, and why that is bad.
    pub about: &'static str,
    /// How it is kept quiet.
    pub quieten: &'static str,
    pub(crate) judge: fn(&Scene<'_>, &mut Hits<'_>),
}

/// All rules, by file.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}

/// What a rule looks at: one block, after it was folded into the state.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) block: &'a Block,
    pub(crate) changes: &'a Changes,
    pub(crate) state: &'a State,
    /// Where providers disagree about this block.
    pub(crate) divergences: &'a [Divergence],
    /// What bridges gave out and no end sent, known with this block.
    pub(crate) unsent: &'a [Received],
}

/// What a rule found.
#[derive(Debug)]
pub(crate) struct Hits<'a> {
    rule: &'static Rule,
    policy: &'a Policy,
    block: &'a Block,
    found: &'a mut Vec<WalletFinding>,
}

impl<'a> Hits<'a> {
    pub(super) fn new(
        rule: &'static Rule,
        policy: &'a Policy,
        block: &'a Block,
        found: &'a mut Vec<WalletFinding>,
    ) -> Self {
        Self {
            rule,
            policy,
            block,
            found,
        }
    }

    /// Adds a match about a wallet. `subject` tells matches of one transaction apart.
    pub(crate) fn add(
        &mut self,
        wallet: Address,
        transaction: Option<B256>,
        subject: &str,
        announced: bool,
        reason: String,
    ) {
        self.add_as(
            self.rule.severity,
            wallet,
            transaction,
            subject,
            announced,
            reason,
        );
    }

    /// The same with a severity of its own.
    pub(crate) fn add_as(
        &mut self,
        severity: Severity,
        wallet: Address,
        transaction: Option<B256>,
        subject: &str,
        announced: bool,
        reason: String,
    ) {
        let place = match transaction {
            Some(hash) => hash.to_string(),
            None => format!("{}:{}", self.block.chain, self.block.number),
        };
        let chain = self.block.chain;
        let same = transaction.map_or_else(|| chain.to_string(), |hash| hash.to_string());
        let name = self
            .policy
            .wallet(wallet)
            .map_or_else(|| wallet.to_string(), |wallet| wallet.name.clone());
        self.found.push(WalletFinding {
            id: format!("{}:{wallet}:{place}:{subject}", self.rule.id),
            same: format!("{}:{wallet}:{same}:{subject}", self.rule.id),
            rule: self.rule.id,
            title: self.rule.title,
            severity: if announced {
                Severity::Informational
            } else {
                severity
            },
            time: self.block.time,
            chain: self.block.chain,
            block: self.block.number,
            transaction,
            wallet,
            wallet_name: name,
            reason: if announced {
                format!("{reason}, as announced")
            } else {
                reason
            },
            announced,
            remedy: None,
            techniques: self.rule.techniques,
        });
    }

    /// Says what would take the last match back.
    pub(crate) fn remedy(&mut self, remedy: Remedy) {
        if let Some(last) = self.found.last_mut() {
            last.remedy = Some(remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use portreeve_model::Technique;

    use super::*;

    #[test]
    fn rules_are_documented_and_told_apart() {
        let ids: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), rules().len());
        let guide = include_str!("../../../../docs/wallet.md");
        for rule in rules() {
            assert!(rule.id.starts_with("wallet."), "{}", rule.id);
            assert!(
                rule.about.len() > 40 && rule.quieten.len() > 20,
                "{}",
                rule.id
            );
            assert!(
                guide.contains(&format!("`{}`", rule.id)),
                "docs/wallet.md does not name {}",
                rule.id
            );
            for technique in rule.techniques {
                assert!(Technique::new(technique).is_some(), "{technique}");
            }
        }
    }
}
