//! Doors: where someone from outside the estate can come in.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_authz::KeyClass;
use portreeve_authz::aws::{
    Absent, AclGrantee, AclPermission, Caller, CallerKind, Context, PrincipalPolicies, Request,
    Target, evaluate,
};
use portreeve_model::{EntityId, EntityKind, Estate, Relation};
use serde::{Deserialize, Serialize};

use crate::catalogue::Origin;
use crate::evaluate::Evaluator;
use crate::lists;
use crate::nodes::{Node, NodeId, account_id};
use crate::outline::Grant;
use crate::permit::Permit;
use crate::ports::{ALL, Ports, open_to_anyone};

/// A way into the estate for someone from outside it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Door {
    /// Who comes in: a foreign account or principal, a web identity, `*`.
    pub id: EntityId,
    /// What it leads to first.
    pub to: EntityId,
    /// Why it is a door.
    pub reason: String,
    /// The conditions that must hold, as in [`PathStep`](crate::PathStep::conditions).
    pub conditions: Vec<String>,
}

/// An identity of an identity provider that a role's trust policy lets in.
#[derive(Clone, Debug)]
pub(crate) struct Federation {
    pub(crate) identity: String,
    pub(crate) role: NodeId,
    pub(crate) permit: Permit,
    pub(crate) reason: String,
    /// Whether it lets someone in from outside. A named service account of a cluster is inside.
    pub(crate) is_door: bool,
}

/// The host name of an OIDC provider, from its ARN or as it is.
fn provider_host(provider: &str) -> &str {
    match provider.split_once(":oidc-provider/") {
        Some((_, host)) => host,
        None => provider,
    }
}

fn is_saml(provider: &str) -> bool {
    provider.contains(":saml-provider/")
}

/// The identities that a statement of a trust policy lets in from identity providers: provider
/// and subject pattern. SAML providers that Identity Center made are left out: people come
/// through them as people.
pub(crate) fn subjects(grant: &Grant) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for provider in &grant.federated {
        if is_saml(provider) {
            if !provider.contains(":saml-provider/AWSSSO_") {
                found.push((provider.clone(), "*".to_owned()));
            }
            continue;
        }
        let wanted = format!("{}:sub", provider_host(provider)).to_ascii_lowercase();
        let mut patterns: Vec<String> = grant
            .conditions
            .iter()
            .filter(|(operator, key, _)| {
                let operator = operator.to_ascii_lowercase();
                !operator.contains("not")
                    && operator.contains("string")
                    && key.to_ascii_lowercase() == wanted
            })
            .flat_map(|(_, _, values)| values.iter().cloned())
            .collect();
        if patterns.is_empty() {
            patterns.push("*".to_owned());
        }
        found.extend(
            patterns
                .into_iter()
                .map(|pattern| (provider.clone(), pattern)),
        );
    }
    found
}

/// The id of an identity of a provider.
pub(crate) fn identity(provider: &str, subject: &str) -> String {
    format!("{}:{subject}", provider_host(provider))
}

/// Whether and how identities of a provider get into a role.
pub(crate) fn federations(evaluator: &Evaluator, origin: Origin) -> Vec<Federation> {
    let mut found = Vec::new();
    for (&role, &policy) in &evaluator.world.own {
        if evaluator.nodes.get(role).kind != EntityKind::Role {
            continue;
        }
        for grant in &evaluator.world.policies.outline_of(policy).grants {
            for (provider, subject) in subjects(grant) {
                if is_saml(&provider) != (origin == Origin::Saml) {
                    continue;
                }
                found.extend(federation(evaluator, role, grant, &provider, &subject));
            }
        }
    }
    found
}

fn federation(
    evaluator: &Evaluator,
    role: NodeId,
    grant: &Grant,
    provider: &str,
    subject: &str,
) -> Option<Federation> {
    let saml = is_saml(provider);
    let action = if saml {
        "sts:AssumeRoleWithSAML"
    } else {
        "sts:AssumeRoleWithWebIdentity"
    };
    let host = provider_host(provider);
    let mut context = Context::new(Absent::Unknown).with("aws:SecureTransport", "true");
    if saml {
        context.set("SAML:aud", "https://signin.aws.amazon.com/saml");
    } else {
        context.set(&format!("{host}:sub"), subject);
        // Who asks for a token names its audience.
        let audience = format!("{host}:aud");
        for (_, key, values) in &grant.conditions {
            if key.eq_ignore_ascii_case(&audience)
                && let Some(value) = values.first()
            {
                context.set(key, value.as_str());
            }
        }
    }
    let caller = Caller::new(CallerKind::Federated, provider);
    let answer = evaluate(
        &Request {
            principal: &caller,
            action,
            target: Target::Exact(evaluator.nodes.id(role).as_str()),
            context: &context,
        },
        &PrincipalPolicies::default(),
        Some(&evaluator.world.resource(&evaluator.nodes, role, true)),
    );
    let permit = Permit::of(answer, Some(action))?;
    Some(Federation {
        identity: identity(provider, subject),
        role,
        is_door: !host.starts_with("oidc.eks.") || subject.contains('*'),
        reason: reason(provider, subject),
        permit,
    })
}

fn reason(provider: &str, subject: &str) -> String {
    let host = provider_host(provider);
    if is_saml(provider) {
        return format!("people of the SAML provider {host} can assume the role");
    }
    let github = host == "token.actions.githubusercontent.com";
    let repository = subject.strip_prefix("repo:");
    match repository {
        _ if subject == "*" => format!("any identity of {host} can assume the role"),
        Some(name) if github => {
            let (owner, rest) = name.split_once('/').unwrap_or((name, "*"));
            let (repository, claim) = rest.split_once(':').unwrap_or((rest, "*"));
            if owner.contains('*') {
                format!("repositories of any owner matching {owner} can assume the role")
            } else if repository == "*" {
                format!("any repository of {owner} can assume the role")
            } else if repository.contains('*') {
                format!("any repository of {owner} that matches {repository} can assume the role")
            } else if claim == "*" {
                format!("any branch or pull request of {owner}/{repository} can assume the role")
            } else {
                format!("{owner}/{repository} can assume the role from {claim}")
            }
        }
        _ => format!("the identity {subject} of {host} can assume the role"),
    }
}

/// What anyone may do on resources of some kinds that is no step of the catalogue.
const CALLS: [(EntityKind, &str, &str); 9] = [
    (
        EntityKind::Function,
        "lambda:InvokeFunctionUrl",
        "call the function by its address",
    ),
    (
        EntityKind::Function,
        "lambda:InvokeFunction",
        "invoke the function",
    ),
    (
        EntityKind::Queue,
        "sqs:SendMessage",
        "send messages to the queue",
    ),
    (
        EntityKind::Queue,
        "sqs:ReceiveMessage",
        "receive the queue's messages",
    ),
    (EntityKind::Topic, "sns:Publish", "publish to the topic"),
    (EntityKind::Topic, "sns:Subscribe", "subscribe to the topic"),
    (
        EntityKind::Bucket,
        "s3:ListBucket",
        "list the bucket's objects",
    ),
    (EntityKind::Key, "kms:Decrypt", "decrypt with the key"),
    (
        EntityKind::ImageRepository,
        "ecr:BatchGetImage",
        "pull the repository's images",
    ),
];

/// The condition of a door that hangs on a policy which is not in the inventory.
const POLICY_UNSEEN: &str = "portreeve:ResourcePolicy";

/// Whether S3 lets nobody but the owner's account in by a policy that is open to all, as
/// `RestrictPublicBuckets` of the bucket's public access block does.
pub(crate) fn is_shut_to_public(node: &Node) -> bool {
    let restricted = node.attributes.get("RestrictPublicBuckets");
    node.kind == EntityKind::Bucket
        && restricted.is_some_and(|flag| flag.eq_ignore_ascii_case("true"))
}

/// Functions whose address asks for no signature, and whose policy is not in the inventory: the
/// policy decides whether anyone may call them, and that of such an address mostly says so.
pub(crate) fn open_addresses(evaluator: &Evaluator) -> Vec<Door> {
    let mut found = Vec::new();
    for (place, node) in evaluator.nodes.iter() {
        let open = node.attributes.get("FunctionUrlAuthType");
        let seen = evaluator.world.own.contains_key(&place)
            || node
                .attributes
                .get("Policy")
                .is_some_and(|policy| policy == "none");
        if node.kind == EntityKind::Function && open.is_some_and(|kind| kind == "NONE") && !seen {
            found.push(Door {
                id: "*".into(),
                to: node.id.clone(),
                reason: "anyone may call the function by its address".to_owned(),
                conditions: vec![POLICY_UNSEEN.to_owned()],
            });
        }
    }
    found
}

/// Machines with a role and a public address, of which a security group opens a port to anyone. One
/// who may reach a machine does not control it: these are doors, and no edges.
pub(crate) fn open_machines(estate: &Estate) -> Vec<Door> {
    let mut groups: BTreeMap<(&str, &str), Vec<Ports>> = BTreeMap::new();
    for entity in estate.entities() {
        let open = entity.attributes.get("IpPermissions");
        let open = open.and_then(|rules| open_to_anyone(rules));
        let open = open.unwrap_or_default();
        if let Some(place) = place_of(&entity.id).filter(|_| !open.is_empty()) {
            groups.insert((place, entity.id.short_name()), open);
        }
    }
    if groups.is_empty() {
        return Vec::new();
    }
    let with_role: BTreeSet<&EntityId> = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::RunsAs { workload, .. } => Some(workload),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for node in estate.entities() {
        let of = |name: &str| node.attributes.get(name).map(String::as_str);
        let public = of("PublicIpAddress").is_some_and(|address| !address.is_empty());
        if node.kind != EntityKind::Instance || !public || !with_role.contains(&node.id) {
            continue;
        }
        let own = of("SecurityGroups").unwrap_or_default().split(", ");
        let place = place_of(&node.id).unwrap_or_default();
        let mut open: Vec<Ports> = own
            .filter_map(|group| groups.get(&(place, group)))
            .flatten()
            .copied()
            .collect();
        open.sort_unstable();
        open.dedup();
        if open.is_empty() {
            continue;
        }
        let words = open.iter().map(|ports| match *ports {
            ALL => "every port".to_owned(),
            (from, to) if from == to => format!("port {from}"),
            (from, to) => format!("ports {from} to {to}"),
        });
        let words: Vec<String> = words.collect();
        found.push(Door {
            id: "*".into(),
            to: node.id.clone(),
            reason: format!("anyone may reach {} of the machine", words.join(", ")),
            conditions: Vec::new(),
        });
    }
    found
}

/// Account and region of an ARN, within which the names of security groups are told apart.
fn place_of(id: &EntityId) -> Option<&str> {
    let id = id.as_str();
    let end = id.match_indices(':').nth(4)?.0;
    let start = id.match_indices(':').nth(2)?.0;
    id.get(start + 1..end)
}

/// Buckets that their access control lists open to the public.
pub(crate) fn open_by_list(evaluator: &Evaluator) -> Vec<Door> {
    let nodes = &evaluator.nodes;
    let mut found = Vec::new();
    for (_, node) in nodes
        .iter()
        .filter(|(_, node)| node.kind == EntityKind::Bucket)
    {
        let list = lists::public_list(&node.attributes);
        if list.is_empty() {
            continue;
        }
        let account = node.account.as_deref().map(account_id);
        let account = account.and_then(|account| nodes.find(account.as_str()));
        let above = account.map(|account| &nodes.get(account).attributes);
        if lists::block(&node.attributes, above).ignore_public_acls {
            continue;
        }
        for given in list {
            let who = match given.grantee {
                AclGrantee::Everyone => "anyone",
                _ => "anyone with an AWS account",
            };
            let may = match given.permission {
                AclPermission::Read => "list the bucket's objects",
                AclPermission::Write => "write objects into the bucket",
                AclPermission::ReadAcp => "read who may use the bucket",
                AclPermission::WriteAcp => "open the bucket to anyone",
                AclPermission::FullControl => "list, write and open the bucket",
            };
            found.push(Door {
                id: "*".into(),
                to: node.id.clone(),
                reason: format!("{who} may {may}, by its access control list"),
                conditions: Vec::new(),
            });
        }
    }
    found
}

/// Functions, queues, topics and more that their own policies open to anyone. One who may call a
/// function does not control it: these are doors, and no edges.
pub(crate) fn callable(evaluator: &Evaluator) -> Vec<Door> {
    let caller = Caller::new(CallerKind::Anonymous, "*");
    let mut found = Vec::new();
    for opening in evaluator.world.open_to_anyone() {
        let node = evaluator.nodes.get(opening.resource);
        for (kind, action, what) in CALLS {
            if kind != node.kind || is_shut_to_public(node) {
                continue;
            }
            let signed = node.attributes.get("FunctionUrlAuthType");
            if action == "lambda:InvokeFunctionUrl" && signed.is_some_and(|kind| kind != "NONE") {
                continue;
            }
            let mut context = Context::new(Absent::Unknown).with("aws:SecureTransport", "true");
            if action == "lambda:InvokeFunctionUrl" {
                context.set("lambda:FunctionUrlAuthType", "NONE");
            }
            let request = Request {
                principal: &caller,
                action,
                target: Target::Exact(node.id.as_str()),
                context: &context,
            };
            let own = evaluator
                .world
                .resource(&evaluator.nodes, opening.resource, true);
            let answer = evaluate(&request, &PrincipalPolicies::default(), Some(&own));
            if !answer.is_possible() {
                continue;
            }
            let mut conditions: Vec<String> = answer
                .depends_on
                .into_iter()
                .filter(|atom| atom.class != KeyClass::Settable)
                .map(|atom| atom.key)
                .collect();
            conditions.dedup();
            found.push(Door {
                id: "*".into(),
                to: node.id.clone(),
                reason: format!("anyone may {what}"),
                conditions,
            });
        }
    }
    found
}
