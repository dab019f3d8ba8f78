//! What checks write their judgements to.

use std::collections::BTreeSet;

use portreeve_model::{Entity, EntityId, Severity};

use crate::check::{Check, Verdict};
use crate::scene::{Holders, Scene};

/// What is missing where it is not known whether a user is a person.
pub(crate) const A_PERSON: &str =
    "whether users are people: aws iam generate-credential-report; aws iam get-credential-report";

/// What a check says of one entity, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    /// Of a failure what is wrong, of an unknown what is missing.
    pub(crate) reason: String,
    /// How grave it is, where that is not what the check says.
    pub(crate) severity: Option<Severity>,
    /// What else it bears on: attack paths through these are paths of the failure.
    pub(crate) related: Vec<EntityId>,
}

impl Judged {
    fn new(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            reason,
            severity: None,
            related: Vec::new(),
        }
    }

    pub(crate) fn pass() -> Self {
        Self::new(Verdict::Pass, String::new())
    }

    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, reason.into())
    }

    pub(crate) fn unknown(missing: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, missing.into())
    }

    /// Passes where a thing is known to hold, fails where it is known not to.
    pub(crate) fn holds(known: Option<bool>, otherwise: &str, missing: &str) -> Self {
        match known {
            Some(true) => Self::pass(),
            Some(false) => Self::fail(otherwise),
            None => Self::unknown(missing),
        }
    }

    /// Passes where nobody may do something; unknown where for some it hangs on what is not known.
    pub(crate) fn nobody(holders: Holders, what: &str) -> Self {
        let first = |ids: &[EntityId]| {
            let names: Vec<&str> = ids.iter().take(3).map(EntityId::short_name).collect();
            match ids.len() - names.len() {
                0 => names.join(", "),
                more => format!("{} and {more} more", names.join(", ")),
            }
        };
        let Holders {
            allowed,
            depends,
            unclear,
            unseen,
        } = &holders;
        match (allowed.as_slice(), depends.as_slice()) {
            ([], _) if *unseen => Self::unknown("aws iam get-account-authorization-details"),
            ([], []) if unclear.is_empty() => Self::pass(),
            ([], []) => Self::unknown(format!("{A_PERSON} ({} {what})", first(unclear))),
            ([], some) => Self::unknown(format!(
                "what is known of requests: whether {} {what} hangs on conditions",
                first(some)
            )),
            (some, _) => {
                let reason = format!("{} {what}", first(some));
                Self::fail(reason).on(holders.allowed)
            }
        }
    }

    pub(crate) fn graver(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    pub(crate) fn on(mut self, related: impl IntoIterator<Item = EntityId>) -> Self {
        self.related.extend(related);
        self
    }
}

/// One judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) check: &'static Check,
    pub(crate) entity: EntityId,
    pub(crate) account: Option<String>,
    pub(crate) judged: Judged,
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Check {}

/// Collects what one check says.
pub(crate) struct Verdicts<'v> {
    pub(crate) check: &'static Check,
    pub(crate) list: &'v mut Vec<Judgement>,
    /// Accounts of which something was judged.
    pub(crate) accounts: BTreeSet<String>,
}

impl Verdicts<'_> {
    /// Notes what is said of an entity.
    pub(crate) fn of(&mut self, entity: &Entity, judged: Judged) {
        self.at(&entity.id, entity.account.clone(), judged);
    }

    /// Notes what is said of something that may be no entity: the state of a region.
    pub(crate) fn at(&mut self, id: &EntityId, account: Option<String>, judged: Judged) {
        if let Some(account) = &account
            && !self.accounts.contains(account)
        {
            self.accounts.insert(account.clone());
        }
        self.list.push(Judgement {
            check: self.check,
            entity: id.clone(),
            account,
            judged,
        });
    }

    /// Judges each of some entities.
    pub(crate) fn each<'e>(
        &mut self,
        entities: impl IntoIterator<Item = &'e Entity>,
        judge: impl Fn(&Entity) -> Judged,
    ) {
        for entity in entities {
            let judged = judge(entity);
            self.of(entity, judged);
        }
    }

    /// Judges each region of each account, by a format that is read region by region. A region in
    /// which the account has something, and of which the format was not read, is unknown; where it
    /// was read of no region, the account is.
    pub(crate) fn each_region(
        &mut self,
        scene: &Scene<'_>,
        format: &str,
        judge: impl Fn(&Entity, &str) -> Judged,
    ) {
        for account in scene.accounts() {
            let mark = format!("Inventory:{format}:");
            let read: BTreeSet<&str> = account
                .attributes
                .keys()
                .filter_map(|name| name.strip_prefix(&mark))
                .collect();
            if read.is_empty() {
                continue;
            }
            let mut regions = scene.regions(account);
            regions.extend(read.iter().copied());
            for region in regions {
                let judged = match read.contains(region) {
                    true => judge(account, region),
                    false => Judged::unknown(format!("{format} of region {region}")),
                };
                let number = account.account.as_deref().unwrap_or_default();
                let id = EntityId::from(format!("{number}/{region}"));
                self.at(&id, account.account.clone(), judged);
            }
        }
    }
}
