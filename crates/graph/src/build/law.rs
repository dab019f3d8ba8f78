//! The law of folding: a graph of classes, clusters and hubs says what a graph says for which each
//! principal was asked about each target by itself.

use std::collections::BTreeSet;

use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::export::{GraphEdge, NodeKind};
use crate::nodes::account_id;
use crate::world::principal_id;

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const USERS: usize = 4;
const ROLES: usize = 5;
const GROUPS: usize = 2;
const PRINCIPALS: usize = USERS + ROLES;

fn catalogue() -> Catalogue {
    macro_rules! files {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../../../escalations/aws/", $name)))),*]
        };
    }
    let files = files![
        "cloudformation-update-stack.yml",
        "ec2-run-instances.yml",
        "iam-add-user-to-group.yml",
        "iam-attach-role-policy.yml",
        "iam-create-access-key.yml",
        "iam-create-policy-version.yml",
        "iam-delete-user-permissions-boundary.yml",
        "iam-put-user-policy.yml",
        "iam-update-assume-role-policy.yml",
        "kms-sign.yml",
        "lambda-create-function.yml",
        "lambda-update-code.yml",
        "s3-read-object.yml",
        "s3-write-object.yml",
        "secretsmanager-get-secret-value.yml",
        "sts-assume-role.yml",
    ];
    let (catalogue, errors) = Catalogue::parse(files.into_iter());
    assert!(errors.is_empty(), "{errors:?}");
    catalogue
}

/// Users at home, roles in both accounts.
fn id(principal: usize) -> String {
    if principal < USERS {
        format!("arn:aws:iam::{HOME}:user/u{principal}")
    } else {
        let account = if principal.is_multiple_of(2) {
            HOME
        } else {
            AWAY
        };
        format!("arn:aws:iam::{account}:role/r{}", principal - USERS)
    }
}

const ACTIONS: [&str; 16] = [
    "sts:AssumeRole",
    "iam:PassRole",
    "lambda:*",
    "iam:CreateAccessKey",
    "iam:PutUserPolicy",
    "iam:AttachRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:AddUserToGroup",
    "iam:DeleteUserPermissionsBoundary",
    "iam:UpdateAssumeRolePolicy",
    "s3:PutObject",
    "s3:Get*",
    "secretsmanager:GetSecretValue",
    "kms:Sign",
    "iam:*",
    "*",
];

const RESOURCES: [&str; 18] = [
    "*",
    "*",
    "arn:aws:iam::111122223333:role/*",
    "arn:aws:iam::*:role/*",
    "arn:aws:iam::444455556666:role/r1",
    "arn:aws:iam::111122223333:role/r0",
    "arn:aws:iam::111122223333:role/r?",
    "arn:aws:iam::*:role/*2",
    "arn:aws:iam::111122223333:user/*",
    "arn:aws:iam::111122223333:user/u1",
    "arn:aws:iam::111122223333:user/${aws:username}",
    "arn:aws:iam::111122223333:*",
    "arn:aws:iam::111122223333:policy/p",
    "arn:aws:s3:::web*",
    "arn:aws:s3:::web-0/*",
    "arn:aws:s3:::*/*",
    "arn:aws:s3:::*",
    "arn:aws:iam",
];

const CONDITIONS: [&str; 9] = [
    "{}",
    "{}",
    "{}",
    r#"{"Bool":{"aws:MultiFactorAuthPresent":"true"}}"#,
    r#"{"StringEquals":{"aws:PrincipalTag/team":"web"}}"#,
    r#"{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#,
    r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/u*"}}"#,
    r#"{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#,
    r#"{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}"#,
];

/// What a statement is made of: where it holds, whether it denies, action, whether that is all but
/// it, resource, whether that is all but it, condition.
type Row = (usize, bool, usize, bool, usize, bool, usize);

/// Where statements hold: principals, groups, the managed policy, two boundaries, an organization's
/// policy.
const PLACES: usize = PRINCIPALS + GROUPS + 4;

fn statement(&(_, denies, action, other, resource, apart, condition): &Row) -> Value {
    let mut statement = json!({"Effect": if denies { "Deny" } else { "Allow" }});
    statement[if other { "NotAction" } else { "Action" }] = json!(ACTIONS[action]);
    statement[if apart { "NotResource" } else { "Resource" }] = json!(RESOURCES[resource]);
    let condition: Value = serde_json::from_str(CONDITIONS[condition]).unwrap();
    if condition.as_object().is_some_and(|keys| !keys.is_empty()) {
        statement["Condition"] = condition;
    }
    statement
}

fn row() -> impl Strategy<Value = Row> {
    (
        0..PLACES,
        prop::bool::weighted(0.2),
        0..ACTIONS.len(),
        prop::bool::weighted(0.08),
        0..RESOURCES.len(),
        prop::bool::weighted(0.08),
        0..CONDITIONS.len(),
    )
}

/// Whom a role trusts, or a resource lets in: an account, a service, a principal, anyone.
fn trusted(whom: usize) -> Value {
    match whom {
        0 => json!({"AWS": format!("arn:aws:iam::{HOME}:root")}),
        1 => json!({"Service": "lambda.amazonaws.com"}),
        2 => json!({"AWS": AWAY}),
        3 => json!({"AWS": "arn:aws:iam::999988887777:root"}),
        4 => json!("*"),
        5 => json!({"AWS": [id(USERS), id(USERS + 1)]}),
        6 => json!({"AWS": format!("arn:aws:sts::{HOME}:assumed-role/r0/s")}),
        whom => json!({"AWS": id(whom % PRINCIPALS)}),
    }
}

#[derive(Clone, Debug)]
struct Seed {
    rows: Vec<Row>,
    trusts: Vec<usize>,
    buckets: Vec<Option<usize>>,
    /// Which principals have which tags, and which boundary.
    tags: Vec<usize>,
    boundaries: Vec<usize>,
    members: Vec<bool>,
}

fn seed() -> impl Strategy<Value = Seed> {
    (
        prop::collection::vec(row(), 0..14),
        prop::collection::vec(0..7 + PRINCIPALS, ROLES),
        prop::collection::vec(prop::option::of(0..7 + PRINCIPALS), 3),
        prop::collection::vec(0..3usize, PRINCIPALS),
        prop::collection::vec(0..6usize, PRINCIPALS),
        prop::collection::vec(prop::bool::weighted(0.3), USERS),
    )
        .prop_map(|(rows, trusts, buckets, tags, boundaries, members)| Seed {
            rows,
            trusts,
            buckets,
            tags,
            boundaries,
            members,
        })
}

fn policy(subject: &str, layer: PolicyLayer, name: &str, statements: &[Value]) -> Relation {
    Relation::Policy {
        subject: subject.into(),
        layer,
        name: name.to_owned(),
        document: json!({"Version": "2012-10-17", "Statement": statements})
            .to_string()
            .into(),
    }
}

fn estate(seed: &Seed) -> Estate {
    let mut estate = Estate::default();
    let tagged = |entity: &mut Entity, tag: usize| {
        if tag > 0 {
            let value = if tag == 1 { "web" } else { "ops" };
            entity.tags.insert("team".into(), value.into());
        }
    };
    for principal in 0..PRINCIPALS {
        let kind = if principal < USERS {
            EntityKind::User
        } else {
            EntityKind::Role
        };
        let mut entity = Entity::new(id(principal), kind);
        tagged(&mut entity, seed.tags[principal]);
        estate.add(entity);
    }
    for (role, &whom) in seed.trusts.iter().enumerate() {
        let statement = json!({
            "Effect": "Allow", "Principal": trusted(whom), "Action": "sts:AssumeRole"
        });
        // One trust policy is not in the inventory.
        if whom != 7 {
            estate.relate(policy(
                &id(USERS + role),
                PolicyLayer::Trust,
                "trust",
                &[statement],
            ));
        }
    }
    let group = |group: usize| format!("arn:aws:iam::{HOME}:group/g{group}");
    for place in 0..GROUPS {
        estate.add(Entity::new(group(place), EntityKind::Group));
    }
    for (user, _) in seed
        .members
        .iter()
        .enumerate()
        .filter(|(_, member)| **member)
    {
        estate.relate(Relation::MemberOf {
            member: id(user).into(),
            group: group(user % GROUPS).into(),
        });
    }
    let managed = format!("arn:aws:iam::{HOME}:policy/p");
    estate.add(Entity::new(managed.as_str(), EntityKind::Policy));
    for (bucket, whom) in seed.buckets.iter().enumerate() {
        let id = format!("arn:aws:s3:::web-{bucket}");
        let mut entity = Entity::new(id.as_str(), EntityKind::Bucket);
        entity.account = Some(if bucket == 2 { AWAY } else { HOME }.to_owned());
        tagged(&mut entity, bucket);
        estate.add(entity);
        estate.relate(Relation::Serves {
            distribution: format!("arn:aws:cloudfront::{HOME}:distribution/E{bucket}").into(),
            origin: id.as_str().into(),
        });
        if let Some(whom) = whom {
            let statement = json!({
                "Effect": if *whom == 9 { "Deny" } else { "Allow" },
                "Principal": trusted(*whom), "Action": ["s3:PutObject", "s3:GetObject"],
                "Resource": format!("{id}/*"),
            });
            estate.relate(policy(
                &id,
                PolicyLayer::Resource,
                "bucket policy",
                &[statement],
            ));
        }
    }
    let function = format!("arn:aws:lambda:us-east-1:{HOME}:function:f");
    estate.add(Entity::new(function.as_str(), EntityKind::Function));
    estate.relate(Relation::RunsAs {
        workload: function.as_str().into(),
        principal: id(USERS).into(),
    });
    let stack = format!("arn:aws:cloudformation:us-east-1:{HOME}:stack/s");
    estate.add(Entity::new(stack.as_str(), EntityKind::Stack));
    estate.relate(Relation::RunsAs {
        workload: stack.as_str().into(),
        principal: id(USERS + 2).into(),
    });
    let secret = format!("arn:aws:secretsmanager:us-east-1:{HOME}:secret:hot-wallet-AbCdEf");
    estate.add(Entity::new(secret.as_str(), EntityKind::Secret));
    let key = format!("arn:aws:kms:us-east-1:{HOME}:key/k");
    let mut entity = Entity::new(key.as_str(), EntityKind::Key);
    let spec = "ECC_SECG_P256K1".to_owned();
    entity.attributes.insert("KeySpec".to_owned(), spec);
    estate.add(entity);
    let delegates = json!({
        "Effect": "Allow", "Principal": trusted(0), "Action": "kms:*", "Resource": "*"
    });
    estate.relate(policy(
        &key,
        PolicyLayer::Resource,
        "key policy",
        &[delegates],
    ));

    let of = |place: usize| -> Vec<Value> {
        let rows = seed.rows.iter().filter(|row| row.0 == place);
        rows.map(statement).collect()
    };
    for place in 0..PRINCIPALS + GROUPS {
        let subject = match place.checked_sub(PRINCIPALS) {
            None => id(place),
            Some(place) => group(place),
        };
        for (at, statement) in of(place).into_iter().enumerate() {
            let name = format!("p{at}");
            estate.relate(policy(&subject, PolicyLayer::Identity, &name, &[statement]));
        }
    }
    let shared = of(PRINCIPALS + GROUPS);
    for (principal, &kind) in seed.boundaries.iter().enumerate() {
        if principal.is_multiple_of(3) && !shared.is_empty() {
            estate.relate(policy(
                &id(principal),
                PolicyLayer::Identity,
                &managed,
                &shared,
            ));
        }
        if let Some(place) = kind.checked_sub(4) {
            let mut bounds = of(PRINCIPALS + GROUPS + 1 + place);
            bounds.push(json!({"Effect": "Allow", "Action": ["iam:*", "s3:*"], "Resource": "*"}));
            let name = format!("boundary-{place}");
            estate.relate(policy(
                &id(principal),
                PolicyLayer::Boundary,
                &name,
                &bounds,
            ));
        }
    }
    let mut bounds = of(PLACES - 1);
    if !bounds.is_empty() {
        bounds.push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
        let root = account_id(HOME);
        estate.relate(policy(
            root.as_str(),
            PolicyLayer::ServiceControl,
            "scp",
            &bounds,
        ));
    }
    estate.finish();
    estate
}

impl Builder {
    /// The steps of all takers, each asked about each target.
    fn plain_steps(&mut self, if_granted: &BTreeMap<NodeId, Permit>) {
        let mut lists = HolderLists::default();
        for place in 0..self.evaluator.world.takers.len() {
            let taker = self.evaluator.world.takers[place].clone();
            for decision in self.plain_decisions(&taker) {
                self.gain(taker.node, &decision, if_granted, &mut lists);
            }
        }
    }

    fn plain_decisions(&self, taker: &Taker) -> Vec<Decision> {
        let evaluator = &self.evaluator;
        let nodes = &evaluator.nodes;
        let asker = evaluator.world.asker(nodes, taker);
        let mut found = Vec::new();
        for (place, plan) in evaluator.plans.iter().enumerate() {
            if plan.escalation.from != Origin::Principal {
                continue;
            }
            for &target in &plan.core.all {
                let home = nodes.get(target).account.as_deref() == Some(taker.account.as_str());
                let names = |id: &str| {
                    let own = evaluator.world.own.get(&target);
                    own.is_some_and(|&own| {
                        let grants = &evaluator.world.policies.outline_of(own).grants;
                        let mut names = grants.iter().flat_map(|grant| &grant.principals);
                        names.any(|name| principal_id(name) == id)
                    })
                };
                // What lets nobody in by a policy that is seen opens nothing between accounts.
                let unseen = !home
                    && nodes.get(target).account.is_some()
                    && !plan.escalation.target.member_accounts
                    && !evaluator.world.own.contains_key(&target);
                let left_out = unseen
                    || match taker.kind {
                        TakerKind::Account => home,
                        // An identity outside stands for those who are named so, no others.
                        TakerKind::Outside => !names(nodes.id(taker.node).as_str()),
                        _ => false,
                    };
                if left_out || (target == taker.node && !grants_power(plan)) {
                    continue;
                }
                if let Some(permit) = evaluator.step(taker, &asker, plan, target) {
                    found.push(Decision {
                        plan: place,
                        onto: Onto::One(target),
                        permit,
                    });
                }
            }
        }
        found
    }
}

fn plain(estate: &Estate, catalogue: &Catalogue) -> Graph {
    let actions = actions_of(catalogue);
    let (policies, held) = Policies::read(estate.relations(), &actions);
    let outside = outside_identities(estate, &policies, &held);
    let nodes = Nodes::of(estate, outside);
    let world = World::of(estate, &nodes, policies, &held);
    let plans = catalogue.iter().map(Plan::of).collect();
    let builder = Builder::new(Evaluator {
        nodes,
        world,
        actions,
        plans,
        circumstances: Circumstances::default(),
        base: base_context(),
    });
    builder.build_with(estate, &[], |builder, _, if_granted| {
        builder.plain_steps(if_granted);
    })
}

/// From where, onto what, and all that an edge says; hubs as their targets.
type Said = (
    String,
    String,
    String,
    Vec<String>,
    Vec<String>,
    Vec<String>,
    Option<String>,
);

fn said(graph: &Graph) -> BTreeSet<Said> {
    let hubs: BTreeSet<&str> = graph
        .nodes()
        .filter(|node| node.kind == NodeKind::Hub)
        .map(|node| node.id)
        .collect();
    let covered = |edge: &GraphEdge<'_>| -> Vec<String> {
        if !hubs.contains(edge.to) {
            return vec![edge.to.to_owned()];
        }
        let of_hub = graph.edges().filter(|of| of.from == edge.to);
        of_hub.map(|of| of.to.to_owned()).collect()
    };
    let owned = |list: &[&str]| -> Vec<String> { list.iter().map(|t| (*t).to_owned()).collect() };
    let mut said = BTreeSet::new();
    for edge in graph.edges().filter(|edge| !hubs.contains(edge.from)) {
        for to in covered(&edge).into_iter().filter(|to| to != edge.from) {
            let mut besides: Vec<Option<String>> =
                owned(&edge.besides).into_iter().map(Some).collect();
            if besides.is_empty() {
                besides.push(None);
            }
            // What a giver can use alone is an edge of its own.
            besides.retain(|besides| besides.as_deref() != Some(edge.from));
            for besides in besides {
                said.insert((
                    edge.from.to_owned(),
                    to.clone(),
                    edge.via.to_owned(),
                    owned(&edge.permissions),
                    owned(&edge.conditions),
                    owned(&edge.statements),
                    besides,
                ));
            }
        }
    }
    said
}

/// How many estates are tried; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(64)
}

fn is_open(graph: &Graph, from: &str, to: &str) -> bool {
    from == to
        || graph
            .path(from, to)
            .is_some_and(|path| path.conditions.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn folding_changes_nothing(seed in seed()) {
        let catalogue = catalogue();
        let estate = estate(&seed);
        let folded = Graph::build(&estate, &catalogue, &[]);
        let plain = plain(&estate, &catalogue);
        for from in plain.entities() {
            for to in plain.entities() {
                let (from, to) = (from.as_str(), to.as_str());
                let (one, other) = (folded.path(from, to), plain.path(from, to));
                prop_assert_eq!(one.is_some(), other.is_some(), "{} to {}: {:?} {:?}", from, to, one, other);
                let open = |path: &Option<crate::path::AttackPath>| {
                    path.as_ref().is_some_and(|path| path.conditions.is_empty())
                };
                prop_assert_eq!(open(&one), open(&other), "{} to {}: {:?} {:?}", from, to, one, other);
            }
        }
        let (one, other) = (said(&folded), said(&plain));
        for edge in one.difference(&other) {
            prop_assert!(false, "only the folded graph has {edge:?}");
        }
        for edge in other.difference(&one) {
            // Who controls the account has all that is in it without an edge to each.
            let mut nodes = plain.nodes();
            let account = nodes.find(|node| node.id == edge.1).and_then(|node| node.account);
            let account = account.unwrap_or(HOME);
            prop_assert!(
                is_open(&folded, &edge.0, account_id(account).as_str()),
                "the folded graph lacks {edge:?}"
            );
        }
    }

    #[test]
    fn a_graph_is_the_same_when_it_is_loaded(seed in seed()) {
        let catalogue = catalogue();
        let graph = Graph::build(&estate(&seed), &catalogue, &[]);
        let inputs = crate::saved::Inputs::of(&catalogue, &[], std::iter::empty());
        let mut bytes = Vec::new();
        graph.save(&inputs, &mut bytes).unwrap();
        let loaded = Graph::load(&inputs, bytes.as_slice()).unwrap();
        prop_assert_eq!(said(&graph), said(&loaded));
        prop_assert_eq!(graph.jewels(), loaded.jewels());
        prop_assert_eq!(graph.doors(), loaded.doors());
        for from in graph.entities() {
            prop_assert_eq!(graph.reached_from(from.as_str()), loaded.reached_from(from.as_str()));
            prop_assert_eq!(graph.reachers(from.as_str()), loaded.reachers(from.as_str()));
        }
        let mut again = Vec::new();
        loaded.save(&inputs, &mut again).unwrap();
        prop_assert_eq!(bytes, again);
    }

    #[test]
    fn all_that_is_reached_is_listed(seed in seed()) {
        let graph = Graph::build(&estate(&seed), &catalogue(), &[]);
        for from in graph.entities() {
            let listed = graph.reached_from(from.as_str());
            let ids: BTreeSet<&EntityId> = listed.iter().map(|reached| &reached.id).collect();
            prop_assert_eq!(ids.len(), listed.len());
            for to in graph.entities().filter(|to| *to != from) {
                let path = graph.path(from.as_str(), to.as_str());
                prop_assert_eq!(ids.contains(to), path.is_some(), "{} to {}: {:?}", from, to, path);
            }
        }
    }

    #[test]
    fn the_walk_backwards_finds_who_walks_there(seed in seed()) {
        let graph = Graph::build(&estate(&seed), &catalogue(), &[]);
        for to in graph.entities() {
            let found = graph.reachers(to.as_str());
            let by: BTreeSet<&str> = found.iter().map(|path| path.from.as_str()).collect();
            prop_assert_eq!(by.len(), found.len());
            for node in graph.nodes() {
                let is_principal = matches!(node.kind, NodeKind::Entity(kind) if kind.is_principal());
                if !is_principal || node.id == to.as_str() {
                    continue;
                }
                let forwards = graph.path(node.id, to.as_str());
                prop_assert_eq!(
                    by.contains(node.id), forwards.is_some(),
                    "{} to {}: {:?}", node.id, to, forwards
                );
                let open = forwards.as_ref().is_some_and(|path| path.conditions.is_empty());
                let backwards = found.iter().find(|path| path.from.as_str() == node.id);
                prop_assert_eq!(
                    open, backwards.is_some_and(|path| path.conditions.is_empty()),
                    "{:?} {:?}", forwards, backwards
                );
            }
            for path in &found {
                let mut at = path.from.clone();
                for step in &path.steps {
                    prop_assert_eq!(&step.from, &at);
                    at = step.to.clone();
                }
                prop_assert_eq!(&at, &path.to);
            }
        }
    }
}
