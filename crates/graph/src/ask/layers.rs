//! What each layer says by itself.

use portreeve_authz::aws::{
    AttachedPolicy, CallerKind, Context, PrincipalPolicies, Request, ResourcePolicies,
    ResourcePolicyKind, evaluate,
};
use portreeve_authz::{Answer, Decision, PolicyLayer};
use portreeve_model::EntityId;

use super::sides::{Asked, Asker};
use super::{Access, LayerResult, LayerVerdict, target};

impl Access<'_> {
    /// What each layer says by itself.
    pub(super) fn layers(
        &self,
        asker: &Asker,
        action: &str,
        asked: &Asked,
        context: &Context,
    ) -> Vec<LayerVerdict> {
        let caller = &asker.caller;
        let ask = |policies: PrincipalPolicies, side: ResourcePolicies| {
            let request = Request {
                principal: caller,
                action,
                target: target(asked),
                context,
            };
            evaluate(&request, &policies, Some(&side))
        };
        let everything = || PrincipalPolicies {
            identity: vec![self.everything.clone()],
            ..PrincipalPolicies::default()
        };
        let at_home = || ResourcePolicies {
            account: Some(caller.account.clone()),
            ..ResourcePolicies::default()
        };
        // A layer of the principal's side is asked as if it were the only one.
        let alone = |policies: &[AttachedPolicy]| {
            let mut own = PrincipalPolicies {
                identity: policies.to_vec(),
                ..PrincipalPolicies::default()
            };
            let allowed = ask(own.clone(), at_home());
            own.identity.push(self.everything.clone());
            either(allowed, || ask(own, at_home()))
        };
        let mut layers = Vec::new();
        let mut add = |layer, at: &EntityId, answer: Answer| layers.push(said(layer, at, answer));

        let policies = &asker.policies;
        let without_account = matches!(
            caller.kind,
            CallerKind::Anonymous | CallerKind::Service | CallerKind::Federated
        );
        if !policies.exempt_from_scp && !without_account {
            for (at, level) in asker.levels.iter().zip(&policies.scps) {
                add(PolicyLayer::Scp, at, alone(level));
            }
        }
        if let Some(side) = &asked.side {
            for (at, level) in asked.levels.iter().zip(&side.rcps) {
                let mut bounds = at_home();
                bounds.rcps = vec![level.clone()];
                add(PolicyLayer::Rcp, at, ask(everything(), bounds));
            }
            let service = action.split(':').next().unwrap_or_default();
            let layer = match side.kind {
                ResourcePolicyKind::RoleTrust if service.eq_ignore_ascii_case("sts") => {
                    Some(PolicyLayer::Trust)
                }
                ResourcePolicyKind::KmsKey if service.eq_ignore_ascii_case("kms") => {
                    Some(PolicyLayer::Resource)
                }
                ResourcePolicyKind::Ordinary if side.policy.is_some() => {
                    Some(PolicyLayer::Resource)
                }
                _ => None,
            };
            if let Some(layer) = layer {
                // Where both sides must allow, the other is taken to, so that this one decides.
                let own = side.account.as_deref();
                let home = own.is_none_or(|owner| owner == caller.account);
                let both = !home || side.kind != ResourcePolicyKind::Ordinary;
                let mut alone = side.clone();
                alone.rcps.clear();
                let answer = if both || without_account {
                    ask(everything(), alone)
                } else {
                    let allowed = ask(PrincipalPolicies::default(), alone.clone());
                    either(allowed, || ask(everything(), alone))
                };
                add(layer, &asked.holder, answer);
            }
        }
        if !without_account {
            add(PolicyLayer::Identity, &asker.id, alone(&policies.identity));
            if let Some(boundary) = &policies.boundary {
                let at = EntityId::from(boundary.name.as_str());
                add(
                    PolicyLayer::Boundary,
                    &at,
                    alone(std::slice::from_ref(boundary)),
                );
            }
        }
        layers
    }
}

/// What a layer says of which it is known what it allows, by what it says where all else allows:
/// it may deny, or hang on something, without allowing anything.
fn either(alone: Answer, beside_everything: impl FnOnce() -> Answer) -> Answer {
    if alone.decision != Decision::Denied || alone.statement.is_some() {
        return alone;
    }
    match beside_everything() {
        Answer {
            decision: Decision::Allowed,
            ..
        } => alone,
        other => other,
    }
}

fn said(layer: PolicyLayer, at: &EntityId, answer: Answer) -> LayerVerdict {
    let result = match (answer.decision, &answer.statement) {
        (Decision::Allowed, _) => LayerResult::Allow,
        (Decision::Depends, _) => LayerResult::Depends,
        (Decision::Denied, Some(_)) => LayerResult::Deny,
        (Decision::Denied, None) => LayerResult::None,
    };
    let mut depends_on = answer.depends_on;
    for atom in &mut depends_on {
        atom.layer = layer;
    }
    // What stands in for the side that is not asked about is no policy of the estate.
    let statement = answer
        .statement
        .filter(|statement| statement.policy != "every permission");
    LayerVerdict {
        layer,
        at: at.clone(),
        result,
        statement,
        depends_on,
    }
}
