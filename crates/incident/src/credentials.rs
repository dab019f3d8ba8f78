//! Where and when each held credential was used.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use portreeve_detect::{Certainty, Link, Symbol, described_client};
use portreeve_model::OriginKind;

use crate::case::Case;
use crate::lifetime;
use crate::report::{CredentialStory, NetworkUse};

/// The stories of all held credentials, in the order in which the incident met them.
pub(crate) fn stories(case: &Case<'_>) -> Vec<CredentialStory> {
    case.held
        .iter()
        .map(|credential| story(case, *credential))
        .collect()
}

fn story(case: &Case<'_>, credential: Symbol) -> CredentialStory {
    let lineage = &case.folded.lineage;
    let link = lineage.mint(credential);
    let minted = link
        .and_then(|link| link.row)
        .map(|row| case.folded.activities.get(row));
    let actor = match (case.survey.actors.of_credential(credential).first(), link) {
        (Some(persona), _) => {
            let who = case.survey.actors.persona(*persona);
            joined(case.text(who.principal), case.text(who.session))
        }
        (None, Some(link)) => joined(case.text(link.principal), case.text(link.session)),
        (None, None) => String::new(),
    };
    CredentialStory {
        credential: case.text(credential).to_owned(),
        actor,
        parent: lineage
            .parent(credential)
            .map(|parent| case.text(parent).to_owned()),
        minted_by: link
            .map_or("unknown", |link| link.method.as_str())
            .to_owned(),
        certainty: link.map(Link::certainty),
        reason: link
            .filter(|link| link.certainty() != Certainty::Certain)
            .map(|link| link.reason.to_string()),
        created: lifetime::created(case.folded, credential).or(minted.and_then(|row| row.time())),
        expires: link.and_then(|link| link.expires),
        networks: networks(case, credential),
    }
}

fn joined(principal: &str, session: &str) -> String {
    if session.is_empty() {
        principal.to_owned()
    } else {
        format!("{principal}/{session}")
    }
}

fn networks(case: &Case<'_>, credential: Symbol) -> Vec<NetworkUse> {
    let mut uses = HashMap::<(Symbol, &str), NetworkUse, FixedState>::default();
    for row in case.rows_of_credential(credential) {
        let family = case.survey.family_name(row);
        let address = row.address().unwrap_or_default();
        let used = uses
            .entry((row.address_symbol(), family))
            .or_insert_with(|| NetworkUse {
                address: address.to_owned(),
                class: case.class(address).to_owned(),
                client: (!family.is_empty()).then(|| family.to_owned()),
                first: row.time(),
                last: row.time(),
                calls: 0,
                suspect: false,
            });
        used.first = earliest(used.first, row.time());
        used.last = used.last.max(row.time());
        used.calls += 1;
        used.suspect |= case.is_deed(row.id());
    }
    let mut uses: Vec<NetworkUse> = uses.into_values().collect();
    uses.sort_by(|a, b| {
        let key = |used: &NetworkUse| (used.first.is_none(), used.first);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.address, &a.client).cmp(&(&b.address, &b.client)))
    });
    uses
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The owner's use of a credential and the intruder's, where they lie closest in time.
#[derive(Clone, Debug)]
pub(crate) struct Overlap {
    pub(crate) seconds: i64,
    pub(crate) owner_address: String,
    pub(crate) owner_client: String,
    pub(crate) strange_client: String,
}

/// Finds in a credential's use by others than the intruder, from a public address, the one that
/// is closest to the intruder's.
pub(crate) fn overlap(case: &Case<'_>, credential: Symbol) -> Option<Overlap> {
    let mut rows: Vec<_> = case
        .rows_of_credential(credential)
        .filter(|row| row.origin() == OriginKind::Public)
        .filter_map(|row| Some((row.time()?.as_second(), row)))
        .collect();
    rows.sort_by_key(|(time, row)| (*time, row.id()));
    let mut best: Option<Overlap> = None;
    for pair in rows.windows(2) {
        let [(before, a), (after, b)] = pair else {
            continue;
        };
        if case.is_deed(a.id()) == case.is_deed(b.id()) || a.address_symbol() == b.address_symbol()
        {
            continue;
        }
        let (strange, owner) = if case.is_deed(a.id()) { (a, b) } else { (b, a) };
        let found = Overlap {
            seconds: after - before,
            owner_address: owner.address().unwrap_or_default().to_owned(),
            owner_client: owner.client().map(described_client).unwrap_or_default(),
            strange_client: strange.client().map(described_client).unwrap_or_default(),
        };
        let rank = |it: &Overlap| {
            (
                it.seconds,
                it.owner_address.clone(),
                it.owner_client.clone(),
                it.strange_client.clone(),
            )
        };
        if best.as_ref().is_none_or(|known| rank(&found) < rank(known)) {
            best = Some(found);
        }
    }
    best
}
