//! The same worlds, put to the evaluator that is tested.

use std::collections::BTreeMap;
use std::sync::Arc;

use portreeve_authz::aws::{
    AclGrant, AclGrantee, AclPermission, AttachedPolicy, Caller, Context, ContextValue, Document,
    GrantConstraint, KmsGrant, PrincipalPolicies, PublicAccessBlock, Request, ResourceAccess,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use portreeve_authz::{Answer, aws::Absent};
use serde_json::{Value, json};

use crate::naive::Keys;
use crate::world::{CHOICES, Constraint, World};

/// A world in the evaluator's own words.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) principal: PrincipalPolicies,
    resource: ResourcePolicies,
    key: ResourceAccess,
    bucket: ResourceAccess,
}

fn attach(name: &str, policy: &Value) -> AttachedPolicy {
    let text = policy.to_string();
    let document = Document::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    AttachedPolicy::new(name, Arc::new(document))
}

impl Asked {
    pub(crate) fn new(world: &World) -> Self {
        let all = |name: &str, policies: &[Value]| {
            policies.iter().map(|policy| attach(name, policy)).collect()
        };
        let one =
            |name: &str, policy: &Option<Value>| policy.as_ref().map(|policy| attach(name, policy));
        let mut caller = Caller::from_arn(world.who.arn()).unwrap();
        caller.all_tags_known = true;
        caller.issuer = world.who.issuer().map(str::to_owned);
        let levels = |name: &str, levels: &[Vec<Value>]| {
            levels.iter().map(|level| all(name, level)).collect()
        };
        let list = |entries: &[(&str, &str)]| -> Vec<AclGrant> {
            entries
                .iter()
                .map(|(grantee, permission)| AclGrant {
                    grantee: match *grantee {
                        "everyone" => AclGrantee::Everyone,
                        "authenticated" => AclGrantee::Authenticated,
                        "log-delivery" => AclGrantee::LogDelivery,
                        account => AclGrantee::Account(account.to_owned()),
                    },
                    permission: AclPermission::from_name(permission).unwrap(),
                })
                .collect()
        };
        let block = PublicAccessBlock {
            ignore_public_acls: world.ignore_public_acls,
            restrict_public_buckets: world.restrict_public_buckets,
            ..PublicAccessBlock::default()
        };
        let pairs = || BTreeMap::from([("app".to_owned(), "web".to_owned())]);
        let grants: Vec<KmsGrant> = world
            .grants
            .iter()
            .enumerate()
            .map(|(index, grant)| KmsGrant {
                id: index.to_string(),
                grantee: grant.grantee.to_owned(),
                operations: grant.operations.iter().map(ToString::to_string).collect(),
                constraint: match grant.constraint {
                    Constraint::None => GrantConstraint::None,
                    Constraint::Subset => GrantConstraint::Subset(pairs()),
                    Constraint::Equals => GrantConstraint::Equals(pairs()),
                },
                source_arn: None,
                retiring: grant.retiring.map(str::to_owned),
                issuing_account: Some(grant.issuer.to_owned()),
            })
            .collect();
        Self {
            caller,
            principal: PrincipalPolicies {
                identity: all("identity", &world.identity),
                boundary: one("boundary", &world.boundary),
                session: one("session", &world.session).into_iter().collect(),
                scps: levels("scp", &world.scps),
                endpoint: all("endpoint", &world.endpoint),
                exempt_from_scp: world.exempt_from_scp,
            },
            resource: ResourcePolicies {
                policy: one("resource", &world.resource),
                kind: ResourcePolicyKind::Ordinary,
                account: Some(world.owner.clone()),
                rcps: levels("rcp", &world.rcps),
                access: ResourceAccess::default(),
            },
            key: ResourceAccess::of_key(&grants).unwrap(),
            bucket: ResourceAccess::of_bucket(
                &list(&world.bucket_acl),
                &list(&world.object_acl),
                block,
            ),
        }
    }

    /// The resource's side, as it is for an action: what lies under a name may be a bucket, a
    /// role or a key here.
    pub(crate) fn resource(&self, action: &str) -> ResourcePolicies {
        let mut resource = self.resource.clone();
        resource.kind = match action.split(':').next() {
            Some("sts") => ResourcePolicyKind::RoleTrust,
            Some("kms") => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        };
        // Trust and key policies exist always.
        if resource.kind != ResourcePolicyKind::Ordinary && resource.policy.is_none() {
            resource.policy = Some(attach("resource", &json!({"Statement": []})));
        }
        let access = if resource.kind == ResourcePolicyKind::KmsKey {
            &self.key
        } else {
            &self.bucket
        };
        resource.access = access.clone();
        resource
    }

    pub(crate) fn ask(&self, action: &str, target: Target<'_>, context: &Context) -> Answer {
        let resource = self.resource(action);
        let request = Request {
            principal: &self.caller,
            action,
            target,
            context,
        };
        evaluate(&request, &self.principal, Some(&resource))
    }
}

/// The context that says what was chosen, and the keys that it says nothing of.
pub(crate) fn context(choices: &[Option<usize>]) -> (Context, Vec<&'static str>) {
    let mut context = Context::new(Absent::Absent);
    let mut open = Vec::new();
    for ((key, values), choice) in CHOICES.iter().zip(choices) {
        let Some(choice) = choice else {
            context.set(key, ContextValue::Unknown);
            open.push(*key);
            continue;
        };
        let texts: Vec<String> = values[*choice].iter().map(ToString::to_string).collect();
        match texts.as_slice() {
            [] => context.set(key, ContextValue::Absent),
            [one] => context.set(key, one.clone()),
            _ => context.set(key, texts.clone()),
        };
    }
    (context, open)
}

/// The keys of a request of which everything was chosen.
pub(crate) fn keys(choices: &[Option<usize>]) -> Keys {
    let mut keys = Keys::new();
    for ((key, values), choice) in CHOICES.iter().zip(choices) {
        let texts = values[choice.unwrap_or(0)];
        if !texts.is_empty() {
            let texts = texts.iter().map(ToString::to_string).collect();
            keys.insert(key.to_lowercase(), texts);
        }
    }
    keys
}
