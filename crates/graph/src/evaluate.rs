//! Which steps of the catalogue a principal may take, and on what: candidates from the outlines of
//! policies, each then put to authorisation.

use foldhash::HashMap;
use portreeve_authz::aws::{
    Absent, Caller, Context, PrincipalPolicies, Request, ResourcePolicies, Target, evaluate,
};
use portreeve_model::EntityKind;

use crate::ask::Circumstances;
use crate::catalogue::{Catalogue, Need, Origin, Permission, PermissionTarget};
use crate::export::word;
use crate::nodes::{NodeId, Nodes};
use crate::outline::{ActionSet, Actions};
use crate::permit::Permit;
use crate::plan::{Plan, Targets};
use crate::policies::PolicyId;
use crate::wildcard::{literal_prefix, matches};
use crate::world::{Asker, Opening, Taker, TakerKind, World};

/// The actions that a catalogue asks for, and those that make an administrator.
pub(crate) fn actions_of(catalogue: &Catalogue) -> Actions {
    let asked = catalogue
        .iter()
        .flat_map(|escalation| &escalation.needs)
        .flat_map(|need| &need.any_of)
        .map(|permission| permission.action.clone());
    let sentinels = SENTINELS.iter().map(|(action, _)| (*action).to_owned());
    Actions::of(asked.chain(sentinels).collect())
}

/// The actions that make an administrator.
pub(crate) fn sentinel_actions(actions: &Actions) -> ActionSet {
    actions.set(SENTINELS.iter().map(|(action, _)| *action))
}

/// The estate, and the questions that the graph asks of it.
#[derive(Clone, Debug)]
pub(crate) struct Evaluator {
    pub(crate) nodes: Nodes,
    pub(crate) world: World,
    pub(crate) actions: Actions,
    pub(crate) plans: Vec<Plan>,
    /// What the user says of every request.
    pub(crate) circumstances: Circumstances,
    /// What is known of every request.
    pub(crate) base: Context,
}

/// What is known of which services policies let in: policy, account, service.
pub(crate) type TrustedServices<'s> = HashMap<(PolicyId, &'s str, &'s str), bool>;

/// What one must be able to do, each on a resource of no special name, to count as an
/// administrator of the account.
const SENTINELS: [(&str, &str); 7] = [
    (
        "iam:AttachRolePolicy",
        "arn:aws:iam::{account}:role/portreeve-sentinel",
    ),
    (
        "iam:PassRole",
        "arn:aws:iam::{account}:role/portreeve-sentinel",
    ),
    (
        "sts:AssumeRole",
        "arn:aws:iam::{account}:role/portreeve-sentinel",
    ),
    ("s3:GetObject", "arn:aws:s3:::portreeve-sentinel/object"),
    (
        "lambda:UpdateFunctionCode",
        "arn:aws:lambda:us-east-1:{account}:function:portreeve-sentinel",
    ),
    (
        "ec2:RunInstances",
        "arn:aws:ec2:us-east-1:{account}:instance/i-0000000000000000",
    ),
    (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:us-east-1:{account}:secret:portreeve-sentinel-AbCdEf",
    ),
];

impl Evaluator {
    /// Whether a caller with these policies may do everything in its account; if so, under which
    /// conditions.
    pub(crate) fn administrator(
        &self,
        caller: &Caller,
        policies: &PrincipalPolicies,
    ) -> Option<Permit> {
        let mut permit = Permit::default();
        let context = self.base.clone();
        for (action, resource) in SENTINELS {
            let resource = resource.replace("{account}", &caller.account);
            let answer = evaluate(
                &Request {
                    principal: caller,
                    action,
                    target: Target::Exact(&resource),
                    context: &context,
                },
                policies,
                Some(&if action == "sts:AssumeRole" {
                    // Whether the role lets him in is not the question.
                    ResourcePolicies {
                        account: Some(caller.account.clone()),
                        ..ResourcePolicies::default()
                    }
                } else {
                    ResourcePolicies::default()
                }),
            );
            permit.add(Permit::of(answer, None)?);
        }
        permit.permissions = vec!["*".to_owned()];
        Some(permit)
    }

    /// The same for one who is given every permission, under its boundary and the organization's
    /// policies.
    pub(crate) fn administrator_if_granted(&self, asker: &Asker) -> Option<Permit> {
        let mut policies = asker.policies.clone();
        policies.identity.extend(self.world.everything());
        self.administrator(&asker.caller, &policies)
    }

    /// The roles whose trust policies let a service in, in order.
    pub(crate) fn trusting(&self, service: &str) -> Vec<NodeId> {
        let mut known = TrustedServices::default();
        let roles = self.world.places.trusted_services.keys().copied();
        roles
            .filter(|&role| self.trusts_service(role, service, &mut known))
            .collect()
    }

    /// Whether a role's trust policy lets a service in. `known` keeps what is known of policies:
    /// one policy answers alike for all roles of an account that have it.
    pub(crate) fn trusts_service<'s>(
        &'s self,
        role: NodeId,
        service: &'s str,
        known: &mut TrustedServices<'s>,
    ) -> bool {
        let named = self.world.places.trusted_services.get(&role);
        let is_named = named.is_some_and(|services| {
            services
                .iter()
                .any(|named| named.as_str() == service || named.as_str() == "*")
        });
        let Some(&policy) = self.world.own.get(&role).filter(|_| is_named) else {
            return false;
        };
        let looks = |grant: &crate::outline::Grant| grant.looks.at_resource_tags;
        let outline = self.world.policies.outline_of(policy);
        let alike = outline.plain && !outline.denies && !outline.grants.iter().any(looks);
        let account = self.nodes.get(role).account.as_deref().unwrap_or_default();
        let key = (policy, account, service);
        if alike && let Some(&trusts) = known.get(&key) {
            return trusts;
        }
        let caller = Caller::new(portreeve_authz::aws::CallerKind::Service, service);
        let context = base_context();
        let answer = evaluate(
            &Request {
                principal: &caller,
                action: "sts:AssumeRole",
                target: Target::Exact(self.nodes.id(role).as_str()),
                context: &context,
            },
            &PrincipalPolicies::default(),
            Some(&self.world.resource(&self.nodes, role, true)),
        );
        let trusts = answer.is_possible();
        known.insert(key, trusts);
        trusts
    }

    /// The actions of which some statement looks at the resource's tags.
    pub(crate) fn tagged_actions(&self) -> ActionSet {
        let mut found = ActionSet::default();
        let policies = &self.world.policies;
        for policy in 0..policies.len() as PolicyId {
            let outline = policies.outline_of(policy);
            let grants = outline.grants.iter();
            let grants = grants.map(|grant| (&grant.actions, &grant.looks));
            let denials = outline.denials.iter();
            let denials = denials.map(|denial| (&denial.actions, &denial.looks));
            for (actions, looks) in grants.chain(denials) {
                if looks.at_resource_tags {
                    found.extend(actions);
                }
            }
            // Of what is not understood it is taken that it looks at everything.
            if outline.readable && !outline.plain {
                return self.actions.everything();
            }
        }
        found
    }

    /// The needs of a plan that are the same for all targets.
    pub(crate) fn at_large(&self, taker: &Taker, asker: &Asker, plan: &Plan) -> Option<Permit> {
        let mut permit = Permit {
            conditions: plan.escalation.assumes.iter().cloned().collect(),
            ..Permit::default()
        };
        for need in plan.needs_at_large() {
            permit.add(self.need(taker, asker, need, None)?);
        }
        Some(permit)
    }

    /// Whether a taker's own policies may hold all that a plan needs on its target.
    pub(crate) fn may_hold_on_target(&self, taker: &Taker, plan: &Plan) -> bool {
        plan.target_needs()
            .all(|need| self.may_hold_need(taker, need))
    }

    /// Whether a taker may hold at all what a plan needs.
    pub(crate) fn may_hold(&self, taker: &Taker, plan: &Plan) -> bool {
        if plan.escalation.from != Origin::Principal {
            return false;
        }
        if matches!(taker.kind, TakerKind::Account | TakerKind::Outside) {
            return true;
        }
        plan.needs_at_large()
            .all(|need| self.may_hold_need(taker, need))
    }

    /// Whether a taker's own policies may hold anything of what a plan needs on its target.
    pub(crate) fn may_hold_any(&self, taker: &Taker, plan: &Plan) -> bool {
        plan.target_needs()
            .any(|need| self.may_hold_need(taker, need))
    }

    fn may_hold_need(&self, taker: &Taker, need: &Need) -> bool {
        need.any_of.iter().any(|permission| {
            self.actions
                .index(&permission.action)
                .is_some_and(|action| taker.actions.contains(action))
        })
    }

    /// The targets of a plan on which a taker may hold its needs: those that its policies name and
    /// those that name it. `elsewhere` leaves out the taker's own account.
    pub(crate) fn candidates(
        &self,
        taker: &Taker,
        plan: &Plan,
        targets: &Targets,
        openings: &[&Opening],
        elsewhere: bool,
    ) -> Vec<NodeId> {
        if targets.all.is_empty() {
            return Vec::new();
        }
        if plan.escalation.target.member_accounts {
            if !self.world.management.contains(&taker.account) {
                return Vec::new();
            }
            let own = self.nodes.account_node(taker.node);
            let others = targets.all.iter().copied();
            return others.filter(|&account| Some(account) != own).collect();
        }
        let own_account = Some(taker.account.as_str()).filter(|account| !account.is_empty());
        let Some(driver) = plan.target_needs().next() else {
            // Nothing is asked on the target: it is whatever the taker's account has of it.
            let own = own_account.filter(|_| !elsewhere);
            let list = own.and_then(|account| targets.by_account.get(account));
            return list.cloned().unwrap_or_default();
        };
        let mut found = Vec::new();
        let by_policies = matches!(taker.kind, TakerKind::Principal | TakerKind::Group);
        if by_policies && !elsewhere {
            for permission in &driver.any_of {
                let Some(action) = self.actions.index(&permission.action) else {
                    continue;
                };
                if !taker.actions.contains(action) {
                    continue;
                }
                for &policy in &taker.identity {
                    for grant in &self.world.policies.outline_of(policy).grants {
                        if !grant.actions.contains(action) {
                            continue;
                        }
                        for pattern in &grant.resources {
                            let lists = own_account
                                .and_then(|account| targets.by_account.get(account))
                                .into_iter()
                                .chain(std::iter::once(&targets.unplaced));
                            for list in lists {
                                self.matching(list, pattern, &permission.on, &mut found);
                            }
                        }
                    }
                }
            }
        }
        let wanted: Vec<usize> = driver
            .any_of
            .iter()
            .filter_map(|permission| self.actions.index(&permission.action))
            .collect();
        for opening in openings {
            let home = self.nodes.get(opening.resource).account.as_deref() == own_account;
            if elsewhere && home && own_account.is_some() {
                continue;
            }
            let opens = wanted
                .iter()
                .any(|&action| opening.actions.contains(action));
            if opens && targets.contains(opening.resource) {
                found.push(opening.resource);
            }
        }
        found.retain(|&target| target != taker.node);
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The targets of a list, in the order of ids, whose id a pattern may cover.
    pub(crate) fn matching(
        &self,
        list: &[NodeId],
        pattern: &str,
        on: &PermissionTarget,
        found: &mut Vec<NodeId>,
    ) {
        let shortened;
        let pattern = match on {
            // A pattern of objects covers the buckets that could hold them.
            PermissionTarget::InTarget => {
                let literal = literal_prefix(pattern);
                match literal.find('/') {
                    Some(slash) => &pattern[..slash],
                    None => {
                        shortened = format!("{literal}*");
                        &shortened
                    }
                }
            }
            _ => pattern,
        };
        let prefix = literal_prefix(pattern);
        let lenient = list
            .first()
            .is_some_and(|&node| has_generated_suffix(self.nodes.get(node).kind));
        if lenient {
            found.extend(list.iter().copied().filter(|&node| {
                let id = self.nodes.id(node).as_str();
                matches(pattern, id) || matches(pattern.trim_end_matches("/*"), id)
            }));
            return;
        }
        let start = list.partition_point(|&node| self.nodes.id(node).as_str() < prefix);
        for &node in &list[start..] {
            let id = self.nodes.id(node).as_str();
            if !id.starts_with(prefix) {
                break;
            }
            if matches(pattern, id) {
                found.push(node);
            }
        }
    }

    /// Whether a taker may take a step on a target.
    pub(crate) fn step(
        &self,
        taker: &Taker,
        asker: &Asker,
        plan: &Plan,
        target: NodeId,
    ) -> Option<Permit> {
        let mut permit = self.on_target(taker, asker, plan, target)?;
        permit.add(self.at_large(taker, asker, plan)?);
        Some(permit)
    }

    /// Whether a taker may take a step on a target, the needs at large apart.
    pub(crate) fn on_target(
        &self,
        taker: &Taker,
        asker: &Asker,
        plan: &Plan,
        target: NodeId,
    ) -> Option<Permit> {
        let mut permit = Permit::default();
        for need in plan.target_needs() {
            permit.add(self.need(taker, asker, need, Some(target))?);
        }
        let account = self.nodes.get(target).account.as_deref();
        for &kind in &plan.escalation.beside {
            if !self.nodes.has(account, kind) {
                permit
                    .conditions
                    .insert(format!("portreeve:Exists/{}", word(kind)));
            }
        }
        Some(permit)
    }

    /// The permission of a need that asks least, if the taker has any.
    fn need(
        &self,
        taker: &Taker,
        asker: &Asker,
        need: &Need,
        target: Option<NodeId>,
    ) -> Option<Permit> {
        let mut best: Option<Permit> = None;
        for permission in &need.any_of {
            let Some(permit) = self.permission(taker, asker, permission, target) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|best| permit.conditions.len() < best.conditions.len())
            {
                best = Some(permit);
            }
            if best.as_ref().is_some_and(|best| best.conditions.is_empty()) {
                break;
            }
        }
        best
    }

    fn permission(
        &self,
        taker: &Taker,
        asker: &Asker,
        permission: &Permission,
        target: Option<NodeId>,
    ) -> Option<Permit> {
        let service = permission.action.split(':').next().unwrap_or_default();
        let mut context = self.base.clone();
        for (key, value) in &permission.with {
            context.set(key, value.as_str());
        }
        let ask = |target: Target<'_>, context: &Context, resource: Option<&ResourcePolicies>| {
            let answer = evaluate(
                &Request {
                    principal: &asker.caller,
                    action: &permission.action,
                    target,
                    context,
                },
                &asker.policies,
                resource,
            );
            Permit::of(answer, Some(&permission.action))
        };
        if let PermissionTarget::Some(pattern) = &permission.on {
            let pattern = pattern.replace("{account}", &taker.account);
            let target = if pattern == "*" {
                Target::Any
            } else {
                Target::Within(&pattern)
            };
            return ask(target, &context, None);
        }
        let target = target?;
        let node = self.nodes.get(target);
        for (key, value) in &node.tags {
            context.set(&format!("aws:ResourceTag/{key}"), value.as_str());
        }
        let id = node.id.as_str();
        let own = match node.kind {
            EntityKind::Role => service == "sts",
            _ => id.split(':').nth(2) == Some(service),
        };
        let resource = self.world.resource(&self.nodes, target, own);
        if permission.on == PermissionTarget::InTarget {
            let inside = format!("{id}/*");
            return ask(Target::Within(&inside), &context, Some(&resource));
        }
        // Anyone is not a caller that can assume a role: any principal of any account is.
        if taker.kind == TakerKind::Outside && service == "sts" && is_anyone(asker) {
            let mut anyone = asker.clone();
            anyone.caller = Caller::new(
                portreeve_authz::aws::CallerKind::User,
                "arn:aws:iam::000000000000:user/anyone",
            );
            anyone.policies.identity.extend(self.world.everything());
            let answer = evaluate(
                &Request {
                    principal: &anyone.caller,
                    action: &permission.action,
                    target: Target::Exact(id),
                    context: &context,
                },
                &anyone.policies,
                Some(&resource),
            );
            return Permit::of(answer, Some(&permission.action));
        }
        ask(Target::Exact(id), &context, Some(&resource)).or_else(|| {
            // Exports shorten the ARNs of some kinds by the part that AWS generates.
            let generated = has_generated_suffix(node.kind)
                && id
                    .rsplit(':')
                    .next()
                    .is_some_and(|name| name.matches('/').count() < 2);
            if !generated {
                return None;
            }
            let inside = format!("{id}/*");
            ask(Target::Within(&inside), &context, Some(&resource))
        })
    }
}

fn is_anyone(asker: &Asker) -> bool {
    asker.caller.arn == "*"
}

/// Kinds whose ARN ends in an id that the name does not tell.
pub(crate) fn has_generated_suffix(kind: EntityKind) -> bool {
    matches!(kind, EntityKind::Stack | EntityKind::Application)
}

/// What an intruder's own request is like: over TLS, from no service, from anywhere.
pub(crate) fn base_context() -> Context {
    Context::new(Absent::Unknown)
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false")
}
