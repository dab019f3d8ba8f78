//! The index answers as the evaluator does, on random estates.

// What was covered is for people to read.
#![allow(clippy::print_stdout)]

#[path = "laws/ask.rs"]
#[allow(dead_code)]
mod ask;
#[path = "laws/naive.rs"]
#[allow(dead_code)]
mod naive;
#[path = "laws/source.rs"]
mod source;
#[path = "laws/world.rs"]
#[allow(dead_code)]
mod world;

use ask::{Asked, context};
use portreeve_authz::Decision;
use portreeve_authz::aws::index::IndexBuilder;
use portreeve_authz::aws::{
    Absent, AttachedPolicy, Caller, Context, Document, PrincipalPolicies, Request,
    ResourcePolicies, ResourcePolicyKind, Target, evaluate,
};
use source::{Source, random_bytes};
use world::{ACTIONS, RESOURCES, ROLE, WHO, World, choices};

/// Principals and resources of one random estate: each caller meets each world's policies.
const WORLDS: usize = 5;

/// More of a kind, so that classes have members of different names.
const MORE: &[(&str, Option<&str>)] = &[
    (
        "arn:aws:sts::111122223333:assumed-role/deploy/other",
        Some(ROLE),
    ),
    (
        "arn:aws:sts::111122223333:assumed-role/deploy/other",
        Some("arn:aws:iam::111122223333:role/deploy"),
    ),
    ("arn:aws:sts::111122223333:assumed-role/deploy/build", None),
    (
        "arn:aws:sts::111122223333:assumed-role/review/build",
        Some("arn:aws:iam::111122223333:role/review"),
    ),
    ("arn:aws:iam::111122223333:role/deploy", None),
    (ROLE, None),
    ("arn:aws:iam::111122223333:user/ben", None),
    ("arn:aws:iam::444455556666:user/mallory", None),
    ("ec2.amazonaws.com", None),
];

#[test]
fn answers_as_the_evaluator_does() {
    let estates = std::env::var("PORTREEVE_INDEX_ESTATES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(25_u64);
    let (mut asked, mut evaluated, mut counts) = (0_usize, 0_usize, [0_usize; 3]);
    for seed in 0..estates {
        let bytes = random_bytes(seed ^ 0x1dea, 4000);
        let mut source = Source::new(&bytes);
        let (shared, _) = context(&choices(&mut source, 35));
        let worlds: Vec<World> = (0..WORLDS).map(|_| World::build(&mut source)).collect();
        let sides: Vec<Asked> = worlds.iter().map(Asked::new).collect();
        let mut builder = IndexBuilder::new(shared.clone());
        let mut principals = Vec::new();
        let of_worlds = WHO.iter().map(|who| (who.arn(), who.issuer()));
        for (arn, issuer) in of_worlds.chain(MORE.iter().copied()) {
            let side = &sides[source.below(2)];
            let mut caller = Caller::from_arn(arn).unwrap();
            caller.issuer = issuer.map(str::to_owned);
            caller.all_tags_known = source.chance(50);
            let id = builder.principal(caller.clone(), side.principal.clone());
            principals.push((id, caller, side.principal.clone()));
        }
        let mut resources = Vec::new();
        for side in &sides {
            for arn in RESOURCES {
                // One resource may be asked about in the manner of its kind only.
                let action = source.pick(&["s3:GetObject", "sts:AssumeRole", "kms:Decrypt"]);
                let mut policies = side.resource(action);
                if source.chance(10) {
                    policies.policy = None;
                }
                if source.chance(20) {
                    policies.account = None;
                }
                let own = source
                    .chance(30)
                    .then(|| Context::new(Absent::Absent).with("k:a", source.pick(&["a", "ab"])));
                let id = builder.resource_in(arn, policies.clone(), own.as_ref());
                let mut merged = shared.clone();
                if let Some(own) = &own {
                    merged.extend(own);
                }
                let target = Target::Exact(arn);
                resources.push((id, target, policies, merged));
            }
            for pattern in ["arn:aws:s3:::b/*", "*"] {
                let policies = side.resource("s3:GetObject");
                let id = builder.some_within(pattern, policies.clone());
                let target = Target::Within(pattern);
                resources.push((id, target, policies, shared.clone()));
            }
        }
        let actions: Vec<_> = ACTIONS
            .iter()
            .map(|action| (builder.action(action), *action))
            .collect();
        let index = builder.build();
        let mut asker = index.asker();
        let mut possible = Vec::new();
        for (principal, caller, own) in &principals {
            for (action, name) in &actions {
                for (resource, target, policies, context) in &resources {
                    let request = Request {
                        principal: caller,
                        action: name,
                        target: *target,
                        context,
                    };
                    let expected = evaluate(&request, own, Some(policies));
                    let answer = asker.may(*principal, *action, *resource);
                    assert_eq!(
                        *answer, expected,
                        "estate {seed}: {caller:?} {name} {target:?}"
                    );
                    if answer.is_possible() {
                        possible.push((*principal, *action, *resource));
                    }
                    asked += 1;
                    counts[answer.decision as usize] += 1;
                }
            }
        }
        evaluated += asker.evaluated();
        possible.sort_unstable();
        possible.dedup();
        // One who never asked before finds the same.
        let mut asker = index.asker();
        for (principal, _, _) in &principals {
            let expected: Vec<_> = possible
                .iter()
                .filter(|(who, _, _)| who == principal)
                .map(|(_, action, resource)| (*action, *resource))
                .collect();
            assert_eq!(asker.what_can(*principal), expected, "estate {seed}");
        }
        let mut asker = index.asker();
        for (action, _) in &actions {
            for (resource, ..) in &resources {
                let expected: Vec<_> = possible
                    .iter()
                    .filter(|(_, what, on)| what == action && on == resource)
                    .map(|(principal, _, _)| *principal)
                    .collect();
                assert_eq!(asker.who_can(*action, *resource), expected, "estate {seed}");
            }
        }
    }
    println!("{asked} questions, {evaluated} evaluated: {counts:?}");
    assert!(evaluated < asked);
    assert!(counts.iter().all(|count| count * 100 > asked), "{counts:?}");
}

fn policy(text: &str) -> Document {
    Document::parse(text).unwrap()
}

#[test]
fn principals_fold_into_classes() {
    let own = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*",
        "Resource":"arn:aws:s3:::home/${aws:username}/*"}}"#;
    let all = r#"{"Statement":{"Effect":"Allow","Action":["ec2:*","s3:List*"],"Resource":"*"}}"#;
    let mut builder = IndexBuilder::new(Context::new(Absent::Unknown));
    let users: Vec<_> = (0..100)
        .map(|index| {
            let caller = Caller::from_arn(&format!("arn:aws:iam::111122223333:user/u{index}"));
            let policies = PrincipalPolicies {
                identity: vec![
                    // Read anew for each: the content is what counts.
                    AttachedPolicy::new("own", policy(own)),
                    AttachedPolicy::new("all", policy(all)),
                ],
                ..PrincipalPolicies::default()
            };
            builder.principal(caller.unwrap(), policies)
        })
        .collect();
    let mut resource = |arn: &str| builder.resource(arn, ResourcePolicies::default());
    let (instance, home) = (
        resource("arn:aws:ec2:eu-west-1:111122223333:instance/i-1"),
        resource("arn:aws:s3:::home/u7/x"),
    );
    let start = builder.action("ec2:StartInstances");
    assert_eq!(start, builder.action("EC2:startinstances"));
    let get = builder.action("s3:GetObject");
    let index = builder.build();
    assert_eq!((index.class_count(), index.document_count()), (1, 2));
    let mut asker = index.asker();
    assert_eq!(asker.who_can(start, instance), users);
    assert_eq!(asker.evaluated(), 1);
    assert_eq!(asker.class_count(start), 1);
    assert_eq!(asker.who_can(get, home), [users[7]]);
    // Who it is counts where the policy asks for the name.
    assert_eq!(asker.class_count(get), 100);
    // Whether an action is one that the resource knows is not asked.
    let found = asker.what_can(users[7]);
    assert_eq!(found, [(start, instance), (start, home), (get, home)]);
}

#[test]
fn roles_of_one_trust_are_one_class() {
    let trust = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"111122223333"},
        "Action":"sts:AssumeRole"}}"#;
    let may = r#"{"Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
        "Resource":"arn:aws:iam::111122223333:role/app-*"}}"#;
    let mut builder = IndexBuilder::new(Context::new(Absent::Unknown));
    let principals: Vec<_> = (0..50)
        .map(|index| {
            let caller = Caller::from_arn(&format!("arn:aws:iam::111122223333:user/u{index}"));
            let identity = if index % 2 == 0 {
                vec![AttachedPolicy::new("may", policy(may))]
            } else {
                vec![]
            };
            let policies = PrincipalPolicies {
                identity,
                ..PrincipalPolicies::default()
            };
            builder.principal(caller.unwrap(), policies)
        })
        .collect();
    let roles: Vec<_> = (0..50)
        .map(|index| {
            let name = if index % 5 == 0 { "adm" } else { "app" };
            let arn = format!("arn:aws:iam::111122223333:role/{name}-{index}");
            let side = ResourcePolicies {
                policy: Some(AttachedPolicy::new("trust", policy(trust))),
                kind: ResourcePolicyKind::RoleTrust,
                ..ResourcePolicies::default()
            };
            builder.resource(&arn, side)
        })
        .collect();
    let assume = builder.action("sts:AssumeRole");
    let index = builder.build();
    let mut asker = index.asker();
    let mut allowed = 0;
    for principal in &principals {
        for role in &roles {
            let answer = asker.may(*principal, assume, *role);
            allowed += usize::from(answer.decision == Decision::Allowed);
        }
    }
    assert_eq!(allowed, 25 * 40);
    // With or without the permission, covered or not.
    assert_eq!(asker.evaluated(), 3);
}

#[test]
fn an_id_of_another_index_is_neither_yes_nor_no() {
    let mut one = IndexBuilder::new(Context::new(Absent::Unknown));
    let caller = Caller::from_arn("arn:aws:iam::111122223333:user/u").unwrap();
    let principal = one.principal(caller, PrincipalPolicies::default());
    let action = one.action("s3:GetObject");
    let resource = one.resource("*", ResourcePolicies::default());
    let empty = IndexBuilder::new(Context::new(Absent::Unknown)).build();
    let mut asker = empty.asker();
    let answer = asker.may(principal, action, resource);
    assert_eq!(answer.decision, Decision::Depends);
    assert_eq!(asker.who_can(action, resource), []);
    assert_eq!(asker.what_can(principal), []);
    assert_eq!((empty.principal_count(), empty.arn(resource)), (0, None));
}

#[test]
fn principals_without_policies_of_their_own_differ_by_their_bounds() {
    let full = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let none = r#"{"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}"#;
    let mut builder = IndexBuilder::new(Context::new(Absent::Unknown));
    let mut add = |name: &str, scp: Option<&str>, exempt: bool| {
        let caller = Caller::from_arn(&format!("arn:aws:iam::111122223333:user/{name}"));
        let level = |text: &str| vec![AttachedPolicy::new("scp", policy(text))];
        let policies = PrincipalPolicies {
            scps: scp.into_iter().map(level).collect(),
            exempt_from_scp: exempt,
            ..PrincipalPolicies::default()
        };
        builder.principal(caller.unwrap(), policies)
    };
    let bounded = add("bounded", Some(none), false);
    let open = add("open", Some(full), false);
    let free = add("free", None, false);
    let exempt = add("exempt", Some(none), true);
    let get = builder.action("s3:GetObject");
    let object = builder.resource("arn:aws:s3:::ledger/a", ResourcePolicies::default());
    let index = builder.build();
    let mut asker = index.asker();
    let mut layer = |principal| asker.may(principal, get, object).layer.unwrap().as_str();
    assert_eq!(layer(bounded), "scp");
    assert_eq!(layer(open), "identity");
    assert_eq!(layer(free), "identity");
    assert_eq!(layer(exempt), "identity");
}
