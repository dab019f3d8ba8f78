//! The resource's side of a question: classes of resources, and how each names a caller.

use super::super::arn::ArnPattern;
use super::super::keys::Keys;
use super::super::request::{Caller, ResourcePolicyKind};
use super::super::statement::{Effect, Part, Statement};
use super::builder::{Index, Resource};
use super::column::{Column, Speeches, put_counted, put_policy, put_text, put_value};
use super::policies::PolicyId;
use super::{ResourceId, id};

/// Resources about which an action has the same answers, but for which patterns of the caller's
/// policies cover them.
pub(super) struct Side {
    /// The statements that name principals: policy and place.
    naming: Vec<(u32, u32)>,
    /// The keys of a caller that its statements refer to.
    caller_keys: Vec<u32>,
}

impl Side {
    /// Whether answers hang on who asks.
    pub(super) fn asks_who(&self) -> bool {
        !self.naming.is_empty() || !self.caller_keys.is_empty()
    }

    /// How it names a caller, and the values of the caller's keys that it refers to.
    pub(super) fn signature(
        &self,
        out: &mut Vec<u8>,
        index: &Index,
        resource: &Resource,
        caller: &Caller,
        has_boundary: bool,
    ) {
        for (document, place) in &self.naming {
            let statement = index
                .table
                .document_of(*document)
                .and_then(|document| document.statements().get(*place as usize));
            if let Some(statement) = statement {
                put_naming(out, statement, caller, has_boundary);
            }
        }
        let context = resource.context.as_ref().unwrap_or(&index.context);
        let keys = Keys::new(context, caller, resource.owner.as_deref());
        for key in &self.caller_keys {
            put_value(out, &keys.get(index.table.key(*key)));
        }
    }
}

fn put_naming(out: &mut Vec<u8>, statement: &Statement, caller: &Caller, has_boundary: bool) {
    let Part::Read(element) = &statement.principal else {
        return;
    };
    for (effect, denies) in [(Effect::Allow, false), (Effect::Deny, true)] {
        if !statement.may_have(effect) {
            continue;
        }
        let naming = element.naming(caller, denies, has_boundary);
        out.extend([
            naming.direct as u8,
            naming.role as u8,
            naming.account as u8,
            naming.doubt.map_or(0, |doubt| doubt as u8 + 1),
        ]);
    }
}

impl Column {
    /// The class of a resource, worked out where it is not known.
    pub(super) fn side(&mut self, id_of: ResourceId, resource: &Resource) -> u32 {
        let mut key = Vec::new();
        let mut side = Side {
            naming: Vec::new(),
            caller_keys: Vec::new(),
        };
        key.push(match resource.policies.kind {
            ResourcePolicyKind::Ordinary => 0,
            ResourcePolicyKind::RoleTrust => 1,
            ResourcePolicyKind::KmsKey => 2,
        });
        key.push(u8::from(resource.owner.is_some()));
        put_text(&mut key, resource.owner.as_deref().unwrap_or_default());
        key.extend(resource.context_id.to_le_bytes());
        // Answers name a resource whose policy was not seen, what opens it beside policies is its
        // own, and how patterns meet a pattern is not worked out before.
        if resource.broad || resource.is_unseen() || !resource.policies.access.is_empty() {
            key.push(1);
            key.extend(id_of.0.to_le_bytes());
        } else {
            key.push(0);
        }
        let speeches = &self.speeches;
        let mut layer = |key: &mut Vec<u8>, policies: &[PolicyId]| {
            put_counted(key, |key| {
                put_layer(key, &mut side, resource, policies, speeches)
            });
        };
        layer(&mut key, &resource.own);
        for (has_allow, level) in &resource.rcps {
            key.push(u8::from(*has_allow));
            layer(&mut key, level);
        }
        side.caller_keys.sort_unstable();
        side.caller_keys.dedup();
        let next = id(self.sides.len());
        let known = *self.side_ids.entry(key.into()).or_insert(next);
        if known == next {
            self.sides.push(side);
        }
        if let Some(place) = self.side_of.get_mut(id_of.index()) {
            *place = known;
        }
        known
    }
}

/// Writes what the policies of one layer hang on, and how many speak.
fn put_layer(
    key: &mut Vec<u8>,
    side: &mut Side,
    resource: &Resource,
    policies: &[PolicyId],
    speeches: &Speeches,
) -> u32 {
    let mut count = 0;
    for policy in policies {
        let Some(speech) = speeches.get(&policy.document) else {
            continue;
        };
        count += 1;
        put_policy(key, *policy);
        for pattern in &speech.patterns {
            key.push(u8::from(resource.covering.binary_search(pattern).is_ok()));
        }
        let naming = speech.naming.iter().map(|place| (policy.document, *place));
        side.naming.extend(naming);
        side.caller_keys.extend_from_slice(&speech.caller_keys);
        if !speech.open_patterns.is_empty() {
            // Whether they cover it hangs on its name too.
            put_text(key, &resource.arn);
        }
    }
    count
}

/// Whether a pattern with variables covers a resource, for a caller: 0 no, 1 perhaps, 2 yes.
pub(super) fn covers(
    pattern: &ArnPattern,
    index: &Index,
    resource: &Resource,
    caller: &Caller,
) -> u8 {
    let context = resource.context.as_ref().unwrap_or(&index.context);
    let keys = Keys::new(context, caller, resource.owner.as_deref());
    let arn = super::super::arn::ArnParts::new(&resource.arn);
    pattern.covers(&arn, &keys, &mut |_| {}) as u8
}
