//! Small random worlds: a caller, its policies, a resource with its policy.

use std::sync::Arc;

use portreeve_authz::Answer;
use portreeve_authz::aws::{
    self, AttachedPolicy, Context, Document, PrincipalPolicies, Request, ResourcePolicies,
    ResourcePolicyKind, Target,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

pub(crate) const OWN: &str = "111122223333";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/deploy";
pub(crate) const RESOURCES: &[&str] = &[
    "arn:aws:s3:::b/x",
    "arn:aws:s3:::b/anna",
    "arn:aws:s3:::b/y/x",
    "arn:aws:s3:::c/x",
    "arn:aws:s3:::c",
];
pub(crate) const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObject",
    "s3:GetObject",
    "s3:PutObject",
    "ec2:RunInstances",
    "sts:AssumeRole",
    "kms:Sign",
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Caller {
    User,
    Session,
    Foreign,
}

impl Caller {
    pub(crate) fn arn(&self) -> &'static str {
        match self {
            Caller::User => "arn:aws:iam::111122223333:user/anna",
            Caller::Session => "arn:aws:sts::111122223333:assumed-role/deploy/build",
            Caller::Foreign => "arn:aws:iam::444455556666:user/eve",
        }
    }

    pub(crate) fn account(&self) -> &'static str {
        self.arn().split(':').nth(4).unwrap()
    }

    pub(crate) fn root(&self) -> String {
        format!("arn:aws:iam::{}:root", self.account())
    }

    pub(crate) fn role(&self) -> Option<&'static str> {
        (*self == Caller::Session).then_some(ROLE)
    }

    pub(crate) fn user_name(&self) -> Option<&'static str> {
        (*self != Caller::Session).then(|| self.arn().rsplit('/').next().unwrap())
    }
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) caller: Caller,
    pub(crate) owner: String,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Option<Value>,
    pub(crate) scps: Vec<Vec<Value>>,
    pub(crate) resource: Option<Value>,
}

fn attach(name: &str, policy: &Value) -> AttachedPolicy {
    let document = Document::parse(&policy.to_string()).unwrap();
    AttachedPolicy::new(name, Arc::new(document))
}

impl World {
    pub(crate) fn ask(&self, action: &str, target: Target<'_>, context: &Context) -> Answer {
        let all = |policies: &[Value]| policies.iter().map(|policy| attach("p", policy)).collect();
        let principal = PrincipalPolicies {
            identity: all(&self.identity),
            boundary: self
                .boundary
                .as_ref()
                .map(|policy| attach("boundary", policy)),
            session: self
                .session
                .iter()
                .map(|policy| attach("session", policy))
                .collect(),
            scps: self.scps.iter().map(|level| all(level)).collect(),
            ..PrincipalPolicies::default()
        };
        let kind = match action.split(':').next() {
            Some("sts") => ResourcePolicyKind::RoleTrust,
            Some("kms") => ResourcePolicyKind::KmsKey,
            _ => ResourcePolicyKind::Ordinary,
        };
        // Trust and key policies exist always.
        let none = || (kind != ResourcePolicyKind::Ordinary).then(|| json!({"Statement": []}));
        let policy = self.resource.clone().or_else(none);
        let resource = ResourcePolicies {
            policy: policy.map(|policy| attach("resource", &policy)),
            kind,
            account: Some(self.owner.clone()),
            rcps: vec![],
        };
        let mut caller = aws::Caller::from_arn(self.caller.arn()).unwrap();
        caller.all_tags_known = true;
        let request = Request {
            principal: &caller,
            action,
            target,
            context,
        };
        aws::evaluate(&request, &principal, Some(&resource))
    }

    /// Every statement of every policy.
    pub(crate) fn each_statement(&mut self, mut change: impl FnMut(&mut Value)) {
        let policies = self
            .identity
            .iter_mut()
            .chain(&mut self.boundary)
            .chain(&mut self.session)
            .chain(self.scps.iter_mut().flatten())
            .chain(&mut self.resource);
        for policy in policies {
            policy["Statement"]
                .as_array_mut()
                .unwrap()
                .iter_mut()
                .for_each(&mut change);
        }
    }
}

fn some_of(items: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(select(items), 1..3).prop_map(|texts| json!(texts))
}

fn condition() -> impl Strategy<Value = (String, Value)> {
    let texts = || some_of(&["a", "b", "a*", "${aws:username}"]);
    prop_oneof![
        (
            select(
                &[
                    "StringEquals",
                    "StringNotEquals",
                    "StringLike",
                    "StringNotLike"
                ][..]
            ),
            select(&["", "IfExists"][..]),
            select(&["k:a", "K:B"][..]),
            texts()
        )
            .prop_map(|(operator, exists, key, texts)| (
                format!("{operator}{exists}"),
                json!({key: texts})
            )),
        (
            select(&["ForAllValues:", "ForAnyValue:"][..]),
            select(&["StringEquals", "StringNotLike", "StringLikeIfExists"][..]),
            texts()
        )
            .prop_map(|(set, operator, texts)| (format!("{set}{operator}"), json!({"k:m": texts}))),
        (select(&["k:a", "k:m"][..]), any::<bool>())
            .prop_map(|(key, absent)| ("Null".to_owned(), json!({key: absent.to_string()}))),
        (select(&["Bool", "BoolIfExists"][..]), any::<bool>())
            .prop_map(|(operator, value)| (operator.to_owned(), json!({"k:t": value.to_string()}))),
        (1..4u8).prop_map(|limit| ("NumericLessThan".to_owned(), json!({"k:n": limit}))),
    ]
}

fn principal() -> impl Strategy<Value = Value> {
    const NAMED: &[&str] = &[
        "arn:aws:iam::111122223333:user/anna",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::444455556666:user/eve",
        ROLE,
        "arn:aws:sts::111122223333:assumed-role/deploy/build",
    ];
    prop_oneof![
        1 => Just(json!("*")),
        4 => some_of(NAMED).prop_map(|names| json!({"AWS": names})),
    ]
}

pub(crate) fn statement(with_principal: bool) -> impl Strategy<Value = Value> {
    let actions = some_of(&[
        "*",
        "*",
        "*",
        "s3:*",
        "s3:*",
        "s3:Get*",
        "S3:getobject",
        "s3:?utObject",
        "ec2:*",
        "sts:*",
        "kms:Sign",
        "*:*n*",
    ]);
    let resources = some_of(&[
        "*",
        "*",
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/x",
        "arn:aws:s3:::?/x",
        "arn:aws:s3:::*/x",
        "arn:aws:s3:::b/${aws:username}",
        "arn:aws:s3:*:*:c*",
        "arn:aws:s3:*:?/x",
        "arn:aws:s3",
    ]);
    let names = if with_principal {
        principal().prop_map(Some).boxed()
    } else {
        Just(None).boxed()
    };
    (
        prop::bool::weighted(0.85),
        prop::bool::weighted(0.9),
        actions,
        prop::bool::weighted(0.9),
        resources,
        prop_oneof![
            1 => Just(vec![]),
            1 => prop::collection::vec(condition(), 1..3),
        ],
        names,
    )
        .prop_map(
            |(allow, action, actions, resource, resources, conditions, principal)| {
                let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
                statement[if action { "Action" } else { "NotAction" }] = actions;
                statement[if resource { "Resource" } else { "NotResource" }] = resources;
                if !conditions.is_empty() {
                    let mut block = json!({});
                    for (operator, test) in conditions {
                        block[operator] = test;
                    }
                    statement["Condition"] = block;
                }
                if let Some(principal) = principal {
                    statement["Principal"] = principal;
                }
                statement
            },
        )
}

fn policy(with_principal: bool, most: usize) -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(with_principal), 1..=most)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let rarely = |policy| prop::option::weighted(0.2, policy);
    (
        select(&[Caller::User, Caller::Session, Caller::Foreign][..]),
        prop::bool::weighted(0.8),
        prop::collection::vec(policy(false, 3), 0..4),
        rarely(policy(false, 3)),
        rarely(policy(false, 3)),
        prop_oneof![
            2 => Just(vec![]),
            1 => prop::collection::vec(prop::collection::vec(policy(false, 3), 1..3), 1..3),
        ],
        prop::option::weighted(0.6, policy(true, 3)),
    )
        .prop_map(
            |(caller, own, identity, boundary, session, scps, resource)| World {
                caller,
                owner: if own { OWN } else { "444455556666" }.to_owned(),
                identity,
                boundary,
                session,
                scps,
                resource,
            },
        )
}
