//! Credentials of an estate, as reports show them.

use std::collections::BTreeMap;

use portreeve_graph::{Key, KeyKind, Power};
use portreeve_incident::{KeyRing, OverPermissive};
use portreeve_model::{BlindSpot, EntityKind, PrincipalKind, Timestamp};
use serde::Serialize;

use crate::{name, text};

/// What `keys` writes.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// The credentials.
    pub ring: &'a KeyRing,
    /// How many master keys are shown.
    pub top: usize,
    /// What could not be seen.
    pub blind_spots: &'a [BlindSpot],
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct KeyCounts {
    pub(crate) keys: usize,
    /// Those that work, and open an account or a crown jewel.
    pub(crate) masters: usize,
    /// Those that work, and were not used for as long as was asked.
    pub(crate) unused: usize,
    /// Those of whose use nothing is known.
    pub(crate) use_unknown: usize,
    pub(crate) over_permissive: usize,
}

impl<'a> Keys<'a> {
    pub(crate) fn counts(&self) -> KeyCounts {
        let ring = self.ring;
        let mut counts = KeyCounts {
            keys: ring.keys.len(),
            masters: ring.masters,
            over_permissive: ring.over_permissive.len(),
            ..KeyCounts::default()
        };
        for key in ring.keys.iter().filter(|key| key.is_kept()) {
            match ring.is_unused(key) {
                Some(true) => counts.unused += 1,
                Some(false) => {}
                None => counts.use_unknown += 1,
            }
        }
        counts
    }

    /// The master keys that are shown.
    pub(crate) fn masters(&self) -> &'a [Key] {
        let count = self.ring.masters.min(self.top);
        self.ring.keys.get(..count).unwrap_or_default()
    }

    /// Those that work and are not used, the ones that open most first.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &'a Key> {
        let ring = self.ring;
        ring.keys
            .iter()
            .filter(|key| ring.is_unused(key) == Some(true))
    }

    /// How many there are of each kind.
    pub(crate) fn kinds(&self) -> Vec<(KeyKind, usize)> {
        let mut kinds = BTreeMap::new();
        for key in &self.ring.keys {
            *kinds.entry(key.kind).or_default() += 1;
        }
        kinds.into_iter().collect()
    }

    /// How long ago, in words.
    pub(crate) fn ago(&self, time: Timestamp) -> String {
        match self.ring.days_since(time) {
            Some(0) => "today".to_owned(),
            Some(days) => format!("{} ago", text::counted(u64::from(days), "day", "days")),
            None => text::day(time),
        }
    }

    /// Age, last use and second factor, in words.
    pub(crate) fn life(&self, key: &Key) -> String {
        let mut words = Vec::new();
        words.extend(key.created.map(|time| format!("made {}", self.ago(time))));
        words.push(match key.last_used {
            Some(time) => format!("last used {}", self.ago(time)),
            None if key.use_is_told => "never used".to_owned(),
            None => "use not known".to_owned(),
        });
        if key.kind.is_long_lived() {
            words.extend(key.second_factor.map(|has| match has {
                true => "with a second factor".to_owned(),
                false => "no second factor".to_owned(),
            }));
        }
        if !key.active {
            words.push("deactivated".to_owned());
        }
        words.join(", ")
    }
}

/// What something opens, in words: what is open now, and what hangs on conditions besides.
pub(crate) fn opens(power: Power) -> String {
    let one = |accounts: u32, jewels: u32| {
        let mut words = Vec::new();
        if accounts > 0 {
            let accounts = text::counted(u64::from(accounts), "account", "accounts");
            words.push(format!("administrator of {accounts}"));
        }
        if jewels > 0 {
            words.push(text::counted(
                u64::from(jewels),
                "crown jewel",
                "crown jewels",
            ));
        }
        words.join(", ")
    };
    let open = one(power.open_accounts, power.open_jewels);
    let all = one(power.accounts, power.jewels);
    match (open.is_empty(), all.is_empty()) {
        (_, true) => "no account and no crown jewel".to_owned(),
        (true, _) => format!("{all}, all under conditions"),
        _ if open == all => open,
        _ => format!("{open}; under conditions {all}"),
    }
}

/// What a key is called.
pub(crate) fn called(key: &Key) -> &str {
    match &key.owner_name {
        Some(name) if key.id == key.owner => name,
        _ if key.owner_kind == EntityKind::Account => "root",
        _ => name::short(key.id.as_str()),
    }
}

/// Whose a key is, in words.
pub(crate) fn owner(key: &Key) -> String {
    let name = name::short(key.owner.as_str());
    let name = key.owner_name.as_deref().unwrap_or(name);
    let name = match key.owner_kind {
        EntityKind::Account => format!("the root user of {name}"),
        _ => name.to_owned(),
    };
    match key.owner_is {
        PrincipalKind::Unknown => name,
        kind => format!("{name} ({})", kind.as_str()),
    }
}

/// What a key is and whose, in words; of what goes by its owner's name not whose.
pub(crate) fn described(key: &Key) -> String {
    match (key.id == key.owner, key.owner_is) {
        (false, _) => format!("{} of {}", key.kind.title(), owner(key)),
        (true, PrincipalKind::Unknown) => key.kind.title().to_owned(),
        (true, kind) => format!("{} ({})", key.kind.title(), kind.as_str()),
    }
}

/// What was kept unseen, by the reason.
pub(crate) fn kept(one: &OverPermissive) -> Vec<(&str, String)> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kept in &one.least.kept {
        reasons.entry(&kept.reason).or_default().push(&kept.action);
    }
    let reasons = reasons.into_iter();
    reasons
        .map(|(reason, actions)| (reason, actions.join(", ")))
        .collect()
}

impl Serialize for Keys<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            key: &'a Key,
            master: bool,
            age_days: Option<u32>,
            unused: Option<bool>,
        }
        struct Rows<'a>(&'a KeyRing);
        impl Serialize for Rows<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let ring = self.0;
                serializer.collect_seq(ring.keys.iter().enumerate().map(|(place, key)| Row {
                    key,
                    master: place < ring.masters,
                    age_days: key.created.and_then(|time| ring.days_since(time)),
                    unused: ring.is_unused(key),
                }))
            }
        }
        #[derive(Serialize)]
        struct Document<'a> {
            as_of: Option<Timestamp>,
            unused_days: u32,
            counts: KeyCounts,
            master_keys: Vec<&'a str>,
            keys: Rows<'a>,
            over_permissive: &'a [OverPermissive],
            has_history: bool,
            blind_spots: &'a [BlindSpot],
        }
        Document {
            as_of: self.ring.as_of,
            unused_days: self.ring.unused_days,
            counts: self.counts(),
            master_keys: self.masters().iter().map(|key| key.id.as_str()).collect(),
            keys: Rows(self.ring),
            over_permissive: &self.ring.over_permissive,
            has_history: self.ring.has_history,
            blind_spots: self.blind_spots,
        }
        .serialize(serializer)
    }
}
