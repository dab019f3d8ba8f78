use std::sync::LazyLock;

use super::access::ResourceAccess;
use super::arn::ArnParts;
use super::document::lower_case;
use super::grant::CompiledGrant;
use super::keys::{is_federated_user, resource_part};
use super::outcome::{Found, Outcome};
use super::pattern::Tri;
use super::question::Question;
use super::request::{
    AttachedPolicy, Caller, CallerKind, PrincipalPolicies, Request, ResourcePolicies,
    ResourcePolicyKind, Target,
};
use super::statement::{Action, Effect};
use crate::{Answer, Atom, Decision, KeyClass, PolicyLayer};

/// Services whose resources RCPs bound; elsewhere RCPs have no effect. From "Resource control
/// policies" in the AWS Organizations User Guide.
const RCP_SERVICES: &[&str] = &[
    "aoss",
    "cognito-identity",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

/// Answers a question by AWS's published evaluation logic.
///
/// * A statement that denies, in whatever layer, decides.
/// * Within an account the caller's side or the resource's policy must allow; between accounts
///   both must. Trust and key policies must allow always; see
///   [`ResourcePolicyKind`](super::ResourcePolicyKind).
/// * What the caller's own policies allow is bounded by its permissions boundary and its session
///   policies. What a resource's policy allows within the account is bounded by neither where it
///   names the user, the session or everyone, and by both where it names the session's role.
///   Naming the account allows nothing by itself: the caller's policies must allow too.
/// * Each level of SCPs must allow, unless the caller is exempt. Each level of RCPs that has an
///   allow at all must allow (AWS attaches one that cannot be detached, which exports may leave
///   out).
/// * Services, identities of outside providers and anonymous callers have no policies of their
///   own: the resource's policy alone decides. The root user may do everything in its account
///   that no SCP and no resource's deny forbids, except assume roles.
///
/// `resource` is `None` where nothing is known of the resource's side. Within an account that
/// counts as a resource without a policy, roles and keys excepted; between accounts the answer
/// is *depends* unless the caller's side settles it.
///
/// # Questions about some resource
///
/// [`Target::Any`] and [`Target::Within`] ask whether there is *some* resource, among those
/// covered, on which the request is allowed. Layers are asked one by one: each layer that must
/// allow has a statement whose resources meet those asked about. A deny counts where one of its
/// patterns covers all that is asked about, and it takes from an allow each pattern that it
/// covers wholly. So the answer may be *allowed* where two layers allow different resources, or
/// where several denies together, or a deny with `NotResource`, leave nothing; it is never
/// *denied* where a resource exists on which the request is allowed.
///
/// # Undecided answers
///
/// Conditions are tested in three values. An answer is *depends* where it could fall either way
/// as far as each test is seen by itself; tests that exclude or imply each other are not seen
/// together, so *depends* may name atoms that in truth cancel out, and is never wrong otherwise.
///
/// # Beside policies
///
/// What [`ResourcePolicies::access`] holds opens or closes the resource as well:
///
/// * A grant or a list allows in the manner of the resource's policy, under its layer; its name
///   in answers is `grant:ID`, `acl:bucket` or `acl:object`. Denies and bounds stand above it.
/// * Between accounts a grant is enough by itself where the caller's own account made it. Where
///   another made it AWS does not say whether the caller's policies must allow too: the answer is
///   *depends* unless they do.
/// * A public-access block with `RestrictPublicBuckets` keeps callers from outside the account out
///   of a bucket whose policy S3 calls public, AWS services excepted.
pub fn evaluate(
    request: &Request<'_>,
    principal: &PrincipalPolicies,
    resource: Option<&ResourcePolicies>,
) -> Answer {
    let boundary = principal.boundary.as_slice();
    evaluate_bounded(request, principal, boundary, resource)
}

/// What stands beside the policies of a resource of which nothing is known.
static NOTHING_BESIDE: LazyLock<ResourceAccess> = LazyLock::new(ResourceAccess::default);

/// The same with a boundary made of several policies, any of which may allow.
pub(super) fn evaluate_bounded(
    request: &Request<'_>,
    principal: &PrincipalPolicies,
    boundary: &[AttachedPolicy],
    resource: Option<&ResourcePolicies>,
) -> Answer {
    let access = resource.map_or(&*NOTHING_BESIDE, |resource| &resource.access);
    let lower = lower_case(request.action);
    let caller = request.principal;
    let target = match request.target {
        Target::Exact(text) | Target::Within(text) => text,
        Target::Any => "*",
    };
    let owner = resource
        .and_then(|resource| resource.account.as_deref())
        .or(ArnParts::new(target).account());
    let account = owner.or((!caller.account.is_empty()).then_some(caller.account.as_str()));
    if needs_no_permission(&lower, caller) {
        return Answer::decided(Decision::Allowed, Some(PolicyLayer::Identity), None);
    }
    let layers = Layers::new(
        &Action::new(&lower),
        target,
        principal,
        boundary,
        resource,
        caller,
        access,
    );
    let question = Question::new(request, &lower, owner, !boundary.is_empty());
    let answer = layers.answer(question, account);
    if !lower.starts_with("s3:") || answer.decision == Decision::Denied {
        return answer;
    }
    match access.keeps_out(caller, account, resource) {
        Tri::No => answer,
        Tri::Yes => Answer::decided(Decision::Denied, Some(PolicyLayer::Resource), None),
        Tri::Maybe => {
            let mut atoms = answer.depends_on;
            atoms.push(Atom::new(
                PolicyLayer::Resource,
                "Unseen",
                target,
                vec!["whether the bucket's policy is public cannot be told".to_owned()],
                KeyClass::Unseen,
                false,
            ));
            Answer::depends(answer.layer, answer.statement, atoms)
        }
    }
}

/// Actions that need no permission and that no policy can take away: `GetCallerIdentity` for
/// everyone who has credentials, `GetSessionToken` for users ("Permissions" of each in the AWS STS
/// API Reference).
fn needs_no_permission(action: &str, caller: &Caller) -> bool {
    match action {
        "sts:getcalleridentity" => caller.kind != CallerKind::Anonymous,
        "sts:getsessiontoken" => matches!(caller.kind, CallerKind::User | CallerKind::Root),
        _ => false,
    }
}

/// The policies that apply to a request, by layer.
struct Layers<'p> {
    principal: &'p PrincipalPolicies,
    boundary: &'p [AttachedPolicy],
    scps: &'p [Vec<AttachedPolicy>],
    rcps: &'p [Vec<AttachedPolicy>],
    resource: &'p [AttachedPolicy],
    access: &'p ResourceAccess,
    kind: ResourcePolicyKind,
    resource_layer: PolicyLayer,
    /// Whether the resource's policy is not known, and could allow. Holds the resource's name.
    unseen: Option<&'p str>,
    /// Whether nothing at all is known of the resource's side.
    side_unknown: Option<&'p str>,
}

impl<'p> Layers<'p> {
    fn new(
        action: &Action<'_>,
        target: &'p str,
        principal: &'p PrincipalPolicies,
        boundary: &'p [AttachedPolicy],
        resource: Option<&'p ResourcePolicies>,
        caller: &Caller,
        access: &'p ResourceAccess,
    ) -> Self {
        let assumes = action.service == "sts"
            && (action.name.starts_with("assumerole")
                || matches!(
                    action.name,
                    "tagsession" | "setsourceidentity" | "setcontext"
                ));
        let kind = match resource {
            Some(resource) => resource.kind,
            None if assumes => ResourcePolicyKind::RoleTrust,
            None if action.service == "kms" && resource_part(target).starts_with("key/") => {
                ResourcePolicyKind::KmsKey
            }
            None => ResourcePolicyKind::Ordinary,
        };
        // A trust policy speaks of assuming the role only, a key policy of using the key: for
        // `iam:PassRole` on the role it is as if there were none.
        let speaks = match kind {
            ResourcePolicyKind::Ordinary => true,
            ResourcePolicyKind::RoleTrust => assumes,
            ResourcePolicyKind::KmsKey => action.service == "kms",
        };
        let kind = if speaks {
            kind
        } else {
            ResourcePolicyKind::Ordinary
        };
        let policy = resource
            .and_then(|resource| resource.policy.as_ref())
            .filter(|_| speaks);
        let always_has_one = kind != ResourcePolicyKind::Ordinary;
        let linked = is_service_linked(caller);
        let free_of_scps = principal.exempt_from_scp
            || linked
            || matches!(
                caller.kind,
                CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous
            );
        // "The kms:RetireGrant permission is not effective in an RCP" ("Resource control policies
        // in AWS KMS").
        let bounded_by_rcps =
            !linked && RCP_SERVICES.contains(&action.service) && action.whole != "kms:retiregrant";
        let rcps = resource
            .filter(|_| bounded_by_rcps)
            .map_or(&[][..], |side| &side.rcps);
        Self {
            principal,
            boundary,
            scps: if free_of_scps { &[] } else { &principal.scps },
            rcps,
            resource: policy.map_or(&[], std::slice::from_ref),
            access,
            kind,
            resource_layer: match kind {
                ResourcePolicyKind::RoleTrust => PolicyLayer::Trust,
                _ => PolicyLayer::Resource,
            },
            unseen: (always_has_one && policy.is_none()).then_some(target),
            side_unknown: resource.is_none().then_some(target),
        }
    }

    /// Every policy that can deny, in the order in which denies are reported.
    fn all(&self) -> impl Iterator<Item = (PolicyLayer, &'p AttachedPolicy)> + use<'p> {
        let layer = |layer| move |policy| (layer, policy);
        let principal = self.principal;
        let scps = self.scps.iter().flatten().map(layer(PolicyLayer::Scp));
        let rcps = self.rcps.iter().flatten().map(layer(PolicyLayer::Rcp));
        scps.chain(rcps)
            .chain(self.resource.iter().map(layer(self.resource_layer)))
            .chain(principal.endpoint.iter().map(layer(PolicyLayer::Endpoint)))
            .chain(principal.identity.iter().map(layer(PolicyLayer::Identity)))
            .chain(self.boundary.iter().map(layer(PolicyLayer::Boundary)))
            .chain(principal.session.iter().map(layer(PolicyLayer::Session)))
    }

    fn answer<'q>(&self, mut question: Question<'q>, account: Option<&str>) -> Answer
    where
        'p: 'q,
    {
        let mut doubts = Vec::new();
        if let Some(found) = self.denied(&mut question, &mut doubts) {
            return Answer::decided(Decision::Denied, Some(found.layer), Some(found.reference()));
        }
        let allowed = self.allowed(&question, account);
        let statement = allowed.by.map(|found| found.reference());
        let layer = allowed.by.map(|found| found.layer);
        match allowed.tri {
            Tri::No => Answer::decided(Decision::Denied, Some(allowed.layer), None),
            Tri::Yes if doubts.is_empty() => {
                let layer = layer.or(Some(PolicyLayer::Identity));
                Answer::decided(Decision::Allowed, layer, statement)
            }
            Tri::Yes => {
                let first = doubts.first().map(|atom| atom.layer);
                Answer::depends(layer.or(first), statement, doubts)
            }
            Tri::Maybe => {
                doubts.extend(allowed.atoms);
                Answer::depends(layer.or(Some(allowed.layer)), statement, doubts)
            }
        }
    }

    /// The first statement that denies for certain; what others hang on goes to `doubts`.
    fn denied<'q>(&self, question: &mut Question<'q>, doubts: &mut Vec<Atom>) -> Option<Found<'p>>
    where
        'p: 'q,
    {
        for (layer, policy) in self.all().filter(|(_, policy)| policy.document.denies()) {
            for statement in policy.document.candidates(question.action.service) {
                if !statement.may_have(Effect::Deny) {
                    continue;
                }
                let found = Found {
                    layer,
                    policy: &policy.name,
                    statement,
                };
                let Some((rest, naming)) = question.speaks(found, Effect::Deny, doubts) else {
                    question.take_away(found);
                    continue;
                };
                let named = naming.any();
                if named == Tri::Maybe
                    && let Some(doubt) = naming.doubt
                {
                    doubts.push(question.doubt(found, doubt, false));
                }
                if rest.min(named) == Tri::Yes {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Whether all layers that must allow do.
    fn allowed(&self, question: &Question<'_>, account: Option<&str>) -> Outcome<'p> {
        let principal = self.principal;
        let mut outcome = self.either_side(question, account);
        if !principal.endpoint.is_empty() {
            let named = self.grants(question, PolicyLayer::Endpoint, &principal.endpoint);
            outcome = outcome.and(named.any());
        }
        let mut bounds = Outcome::new(Tri::Yes, PolicyLayer::Scp);
        for level in self.scps {
            let mut level = self.grants(question, PolicyLayer::Scp, level).direct;
            level.by = None;
            bounds = bounds.and(level);
        }
        for level in self.rcps.iter().filter(|level| has_allow(level)) {
            let mut level = self.grants(question, PolicyLayer::Rcp, level).any();
            level.by = None;
            bounds = bounds.and(level);
        }
        // The bounds first: where both lack an allow, the organization's is the one reported.
        let by = outcome.by;
        let mut outcome = bounds.and(outcome);
        outcome.by = by;
        outcome
    }

    /// The caller's side and the resource's.
    fn either_side(&self, question: &Question<'_>, account: Option<&str>) -> Outcome<'p> {
        let caller = question.caller;
        if caller.kind == CallerKind::Root && self.kind == ResourcePolicyKind::RoleTrust {
            // The root user cannot assume roles, whatever trust says.
            return Outcome::new(Tri::No, PolicyLayer::Trust);
        }
        let named = self.resource_grants(question);
        if matches!(
            caller.kind,
            CallerKind::Service | CallerKind::Federated | CallerKind::Anonymous
        ) {
            return match self.side_unknown {
                Some(target) => self.unseen_outcome(target),
                None => named.any(),
            };
        }
        let within_account = account.is_none_or(|account| account == caller.account);
        if !within_account {
            let resource = match self.side_unknown {
                Some(target) => self.unseen_outcome(target),
                None => named.any(),
            };
            let both = self.callers_side(question).and(resource);
            return self.by_grant(question, both);
        }
        let bounds = || {
            let boundary = self.bound(question, PolicyLayer::Boundary, self.boundary);
            boundary.and(self.bound(question, PolicyLayer::Session, &self.principal.session))
        };
        let Grants {
            direct,
            role,
            account,
        } = named;
        if direct.tri == Tri::Yes {
            return direct;
        }
        let by_role = if role.tri == Tri::No {
            role
        } else {
            role.and(bounds())
        };
        if self.kind == ResourcePolicyKind::Ordinary {
            return self.callers_side(question).or(by_role).or(direct);
        }
        if account.tri == Tri::No {
            // Neither names the account: nothing that the caller's own policies say counts.
            return direct.or(by_role);
        }
        account
            .and(self.callers_side(question))
            .or(by_role)
            .or(direct)
    }

    /// Between accounts: what a grant adds to what both sides allow together.
    fn by_grant(&self, question: &Question<'_>, both: Outcome<'p>) -> Outcome<'p> {
        if both.tri == Tri::Yes || self.access.grants.is_empty() {
            return both;
        }
        let (own, others): (Vec<&CompiledGrant>, Vec<&CompiledGrant>) =
            self.access.grants.iter().partition(|grant| {
                grant.issuing_account.as_deref() == Some(&question.caller.account)
            });
        let granted = |grants: Vec<&'p CompiledGrant>| {
            let policies = grants.into_iter().map(|grant| &grant.policy);
            let Grants { direct, role, .. } =
                self.grants(question, PolicyLayer::Resource, policies);
            direct.or(role)
        };
        let mut others = granted(others);
        if let Some(found) = others.by {
            let reason = "a grant that another account made: AWS does not say whether the \
                          caller's policies must allow too";
            others.tri = Tri::Maybe;
            others.atoms.push(Atom::new(
                found.layer,
                "Unseen",
                format!("{}#{}", found.policy, found.statement.index),
                vec![reason.to_owned()],
                KeyClass::Unseen,
                true,
            ));
        }
        granted(own).or(others).or(both)
    }

    /// Identity policies within boundary and session policies.
    fn callers_side(&self, question: &Question<'_>) -> Outcome<'p> {
        let caller = question.caller;
        if caller.kind == CallerKind::Session
            && is_federated_user(caller)
            && self.principal.session.is_empty()
        {
            // Without a session policy a federated user has what policies of resources give it
            // ("Permissions for GetFederationToken", IAM User Guide).
            return Outcome::new(Tri::No, PolicyLayer::Session);
        }
        let identity = if caller.kind == CallerKind::Root {
            Outcome::new(Tri::Yes, PolicyLayer::Identity)
        } else {
            self.grants(question, PolicyLayer::Identity, &self.principal.identity)
                .direct
        };
        identity
            .and(self.bound(question, PolicyLayer::Boundary, self.boundary))
            .and(self.bound(question, PolicyLayer::Session, &self.principal.session))
    }

    /// A layer that bounds where it is there.
    fn bound(
        &self,
        question: &Question<'_>,
        layer: PolicyLayer,
        policies: &'p [AttachedPolicy],
    ) -> Outcome<'p> {
        if policies.is_empty() {
            return Outcome::new(Tri::Yes, layer);
        }
        let mut outcome = self.grants(question, layer, policies).direct;
        outcome.by = None;
        outcome
    }

    fn resource_grants(&self, question: &Question<'_>) -> Grants<'p> {
        let policies = self.resource.iter().chain(self.access.policies());
        let mut grants = self.grants(question, self.resource_layer, policies);
        if let Some(target) = self.unseen {
            grants.account = grants.account.or(self.unseen_outcome(target));
        }
        grants
    }

    fn unseen_outcome(&self, target: &str) -> Outcome<'p> {
        let layer = self.resource_layer;
        let reason = vec!["the resource's policy was not seen".to_owned()];
        let mut outcome = Outcome::new(Tri::Maybe, layer);
        outcome.atoms.push(Atom::new(
            layer,
            "Unseen",
            target,
            reason,
            KeyClass::Unseen,
            true,
        ));
        outcome
    }

    /// What policies of one layer allow, by how they name the caller.
    fn grants(
        &self,
        question: &Question<'_>,
        layer: PolicyLayer,
        policies: impl IntoIterator<Item = &'p AttachedPolicy>,
    ) -> Grants<'p> {
        let mut grants = Grants::none(layer);
        let mut atoms = Vec::new();
        for policy in policies {
            for statement in policy.document.candidates(question.action.service) {
                if !statement.may_have(Effect::Allow) {
                    continue;
                }
                let found = Found {
                    layer,
                    policy: &policy.name,
                    statement,
                };
                atoms.clear();
                let Some((rest, naming)) = question.speaks(found, Effect::Allow, &mut atoms) else {
                    continue;
                };
                let named = [
                    (naming.direct, &mut grants.direct),
                    (naming.role, &mut grants.role),
                    (naming.account, &mut grants.account),
                ];
                for (named, grant) in named {
                    add(grant, rest, named, found, &atoms, || {
                        Some(question.doubt(found, naming.doubt?, true))
                    });
                }
                if grants.direct.tri == Tri::Yes {
                    return grants;
                }
            }
        }
        grants
    }
}

/// Adds what one statement allows to what others do.
fn add<'p>(
    grant: &mut Outcome<'p>,
    rest: Tri,
    named: Tri,
    found: Found<'p>,
    atoms: &[Atom],
    doubt: impl FnOnce() -> Option<Atom>,
) {
    let tri = rest.min(named);
    if tri == Tri::No || grant.tri == Tri::Yes {
        return;
    }
    if tri > grant.tri {
        grant.tri = tri;
        grant.by = Some(found);
        grant.atoms.clear();
    }
    if tri == Tri::Maybe {
        grant.atoms.extend_from_slice(atoms);
        if named == Tri::Maybe {
            grant.atoms.extend(doubt());
        }
    }
}

/// What a layer allows, by how its statements name the caller.
struct Grants<'p> {
    direct: Outcome<'p>,
    role: Outcome<'p>,
    account: Outcome<'p>,
}

impl<'p> Grants<'p> {
    fn none(layer: PolicyLayer) -> Self {
        let none = || Outcome::new(Tri::No, layer);
        Self {
            direct: none(),
            role: none(),
            account: none(),
        }
    }

    fn any(self) -> Outcome<'p> {
        self.direct.or(self.role).or(self.account)
    }
}

pub(super) fn has_allow(level: &[AttachedPolicy]) -> bool {
    level.iter().any(|policy| {
        policy
            .document
            .statements()
            .iter()
            .any(|statement| statement.may_have(Effect::Allow))
    })
}

/// Service-linked roles are told by their path.
pub(super) fn is_service_linked(caller: &Caller) -> bool {
    let role = match caller.kind {
        CallerKind::Role => Some(&caller.arn),
        CallerKind::Session => caller.issuer.as_ref(),
        _ => None,
    };
    role.is_some_and(|arn| resource_part(arn).starts_with("role/aws-service-role/"))
}
