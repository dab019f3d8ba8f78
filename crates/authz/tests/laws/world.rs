//! Small random worlds: a caller, the policies of every layer, a resource with what opens it. As
//! JSON, which both evaluators read each in its own way.

use serde_json::{Value, json};

use crate::source::Source;

pub(crate) const OWN: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/ci/deploy";
pub(crate) const PROVIDER: &str = "arn:aws:iam::111122223333:oidc-provider/ci.example";
pub(crate) const RESOURCES: &[&str] = &[
    "arn:aws:s3:::b/x",
    "arn:aws:s3:::b/anna",
    "arn:aws:s3:::b/y/x",
    "arn:aws:s3:::c/x",
    "arn:aws:s3:::c",
    "arn:aws:s3:::b/x",
    "*",
];
pub(crate) const ACTIONS: &[&str] = &[
    "s3:GetObject",
    "s3:GetObject",
    "s3:GetObject",
    "s3:PutObject",
    "s3:ListBucket",
    "ec2:RunInstances",
    "sqs:SendMessage",
    "sts:AssumeRole",
    "sts:AssumeRole",
    "kms:Decrypt",
    "kms:Decrypt",
    "kms:RetireGrant",
];

/// The keys that conditions and variables name, with the values that a request may give them; an
/// empty list is an absent key.
pub(crate) const CHOICES: &[(&str, &[&[&str]])] = &[
    ("k:a", &[&[], &["a"], &["ab"], &[""]]),
    ("k:b", &[&[], &["b"], &["anna"], &["B"]]),
    ("k:m", &[&[], &["a", "b"], &["b"], &["a", "ab"]]),
    ("k:t", &[&[], &["true"], &["false"]]),
    ("k:n", &[&[], &["1"], &["2"], &["30"]]),
    (
        "aws:CurrentTime",
        &[&["2026-01-01T00:00:00Z"], &["2026-06-01T00:00:00Z"], &[]],
    ),
    (
        "aws:SourceIp",
        &[&["10.1.2.3"], &["203.0.113.9"], &["2001:db8::1"], &[]],
    ),
    (
        "aws:SourceArn",
        &[
            &[],
            &["arn:aws:sns:eu-west-1:111122223333:t"],
            &["arn:aws:sns:eu-west-1:444455556666:u:v"],
        ],
    ),
    ("k:y", &[&[], &["QUJD"], &["REVG"]]),
    ("aws:PrincipalTag/team", &[&["b"], &[], &["x"]]),
    ("kms:EncryptionContext:app", &[&[], &["web"], &["db"]]),
    (
        "kms:EncryptionContextKeys",
        &[&[], &["app"], &["app", "more"]],
    ),
];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    User,
    Session,
    Federated,
    Root,
    ForeignUser,
    ForeignSession,
    Service,
    Provider,
    Anonymous,
    Linked,
}

pub(crate) const WHO: &[Who] = &[
    Who::User,
    Who::User,
    Who::User,
    Who::Session,
    Who::Session,
    Who::Session,
    Who::Federated,
    Who::Root,
    Who::ForeignUser,
    Who::ForeignUser,
    Who::ForeignSession,
    Who::Service,
    Who::Provider,
    Who::Anonymous,
    Who::Linked,
];

impl Who {
    pub(crate) fn arn(self) -> &'static str {
        match self {
            Who::User => "arn:aws:iam::111122223333:user/people/anna",
            Who::Session => "arn:aws:sts::111122223333:assumed-role/deploy/build",
            Who::Federated => "arn:aws:sts::111122223333:federated-user/kiosk",
            Who::Root => "arn:aws:iam::111122223333:root",
            Who::ForeignUser => "arn:aws:iam::444455556666:user/eve",
            Who::ForeignSession => "arn:aws:sts::444455556666:assumed-role/audit/q3",
            Who::Service => "lambda.amazonaws.com",
            Who::Provider => PROVIDER,
            Who::Anonymous => "*",
            Who::Linked => {
                "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/ForEcs"
            }
        }
    }

    /// Whose session it is, where that is told.
    pub(crate) fn issuer(self) -> Option<&'static str> {
        match self {
            Who::Session => Some(ROLE),
            Who::Federated => Some("arn:aws:iam::111122223333:user/people/anna"),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) who: Who,
    pub(crate) owner: String,
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Option<Value>,
    pub(crate) scps: Vec<Vec<Value>>,
    pub(crate) exempt_from_scp: bool,
    pub(crate) rcps: Vec<Vec<Value>>,
    pub(crate) endpoint: Vec<Value>,
    pub(crate) resource: Option<Value>,
    /// Grants on the key: grantee, operations, constraint, who made it.
    pub(crate) grants: Vec<Grant>,
    /// Entries of the object's and the bucket's list: grantee, permission.
    pub(crate) object_acl: Vec<(&'static str, &'static str)>,
    pub(crate) bucket_acl: Vec<(&'static str, &'static str)>,
    pub(crate) ignore_public_acls: bool,
    pub(crate) restrict_public_buckets: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) grantee: &'static str,
    pub(crate) operations: Vec<&'static str>,
    pub(crate) constraint: Constraint,
    pub(crate) retiring: Option<&'static str>,
    pub(crate) issuer: &'static str,
}

/// What a grant asks of the encryption context's `app`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Constraint {
    None,
    Subset,
    Equals,
}

impl World {
    pub(crate) fn build(source: &mut Source<'_>) -> Self {
        let who = source.pick(WHO);
        let owner = if source.chance(20) { OTHER } else { OWN };
        let policies = |source: &mut Source<'_>, most: usize, kind: Kind| {
            let count = if source.chance(10) {
                0
            } else {
                1 + source.below(most)
            };
            (0..count).map(|_| policy(source, kind)).collect()
        };
        let rarely =
            |source: &mut Source<'_>| source.chance(20).then(|| policy(source, Kind::OfPrincipal));
        let levels = |source: &mut Source<'_>, kind: Kind| -> Vec<Vec<Value>> {
            if !source.chance(25) {
                return Vec::new();
            }
            let count = 1 + source.below(2);
            (0..count).map(|_| policies(source, 2, kind)).collect()
        };
        Self {
            who,
            owner: owner.to_owned(),
            identity: policies(source, 3, Kind::OfPrincipal),
            boundary: rarely(source),
            session: rarely(source),
            scps: levels(source, Kind::OfPrincipal),
            exempt_from_scp: source.chance(10),
            rcps: levels(source, Kind::ForEveryone),
            endpoint: if source.chance(10) {
                policies(source, 2, Kind::OfResource)
            } else {
                Vec::new()
            },
            resource: source.chance(60).then(|| policy(source, Kind::OfResource)),
            grants: if source.chance(30) {
                source.some(&[0, 1]).iter().map(|_| grant(source)).collect()
            } else {
                Vec::new()
            },
            object_acl: list(source),
            bucket_acl: list(source),
            ignore_public_acls: source.chance(20),
            restrict_public_buckets: source.chance(20),
        }
    }

    /// Every statement of every policy.
    #[allow(dead_code)]
    pub(crate) fn each_statement(&mut self, mut change: impl FnMut(&mut Value)) {
        let policies = self
            .identity
            .iter_mut()
            .chain(&mut self.boundary)
            .chain(&mut self.session)
            .chain(self.scps.iter_mut().flatten())
            .chain(self.rcps.iter_mut().flatten())
            .chain(&mut self.endpoint)
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

/// What a request says of each key: an index of [`CHOICES`]' values, or none where it is not
/// known.
pub(crate) fn choices(source: &mut Source<'_>, unknown: usize) -> Vec<Option<usize>> {
    CHOICES
        .iter()
        .map(|(_, values)| {
            let chosen = source.below(values.len());
            (!source.chance(unknown)).then_some(chosen)
        })
        .collect()
}

const GRANTEES: &[&str] = &[
    "arn:aws:iam::111122223333:user/people/anna",
    ROLE,
    "arn:aws:sts::111122223333:assumed-role/deploy/build",
    "arn:aws:iam::444455556666:user/eve",
    "arn:aws:iam::444455556666:role/audit",
    "arn:aws:iam::111122223333:root",
    "lambda.amazonaws.com",
];

fn grant(source: &mut Source<'_>) -> Grant {
    Grant {
        grantee: source.pick(GRANTEES),
        operations: source.some(&["Decrypt", "Decrypt", "Encrypt", "RetireGrant"]),
        constraint: source.pick(&[Constraint::None, Constraint::Subset, Constraint::Equals]),
        retiring: source.chance(30).then(|| source.pick(GRANTEES)),
        issuer: source.pick(&[OWN, OTHER]),
    }
}

fn list(source: &mut Source<'_>) -> Vec<(&'static str, &'static str)> {
    if !source.chance(15) {
        return Vec::new();
    }
    let grantees = source.some(&["everyone", "authenticated", OWN, OTHER, "log-delivery"]);
    grantees
        .into_iter()
        .map(|grantee| {
            let permission = source.pick(&["READ", "WRITE", "READ_ACP", "FULL_CONTROL"]);
            (grantee, permission)
        })
        .collect()
}

/// What kind of policy a statement is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It names no principal.
    OfPrincipal,
    /// It names principals.
    OfResource,
    /// It is for everyone.
    ForEveryone,
}

fn policy(source: &mut Source<'_>, kind: Kind) -> Value {
    let count = 1 + source.below(3);
    let statements: Vec<Value> = (0..count).map(|_| statement(source, kind)).collect();
    match source.below(8) {
        0 => json!({"Version": "2008-10-17", "Statement": statements}),
        1 => json!({"Statement": statements}),
        _ => json!({"Version": "2012-10-17", "Statement": statements}),
    }
}

pub(crate) fn statement(source: &mut Source<'_>, kind: Kind) -> Value {
    const ACTION_PATTERNS: &[&str] = &[
        "*",
        "*",
        "*",
        "*",
        "*",
        "*",
        "*:*",
        "s3:*",
        "s3:*",
        "s3:Get*",
        "S3:getobject",
        "s3:?utObject",
        "ec2:*",
        "sqs:Send*",
        "sts:*",
        "kms:Decrypt",
        "kms:*Grant",
        "*:*n*",
        "s?:*",
    ];
    const RESOURCE_PATTERNS: &[&str] = &[
        "*",
        "*",
        "*",
        "*",
        "*",
        "*",
        "*",
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/x",
        "arn:aws:s3:::?/x",
        "arn:aws:s3:::*/x",
        "arn:aws:s3:::b/${aws:username}",
        "arn:aws:s3:::${aws:PrincipalTag/team}/*",
        "arn:aws:s3:::${k:b, 'b'}/x",
        "arn:aws:s3:::b/${*}",
        "arn:aws:s3:*:*:c*",
        "arn:aws:s3:*:?/x",
        "arn:aws:s3",
        "arn:*:s3:::c",
    ];
    let allow = !source.chance(8);
    let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
    let action = if source.chance(10) {
        "NotAction"
    } else {
        "Action"
    };
    statement[action] = json!(source.some(ACTION_PATTERNS));
    let resource = if source.chance(10) {
        "NotResource"
    } else {
        "Resource"
    };
    statement[resource] = json!(source.some(RESOURCE_PATTERNS));
    if source.chance(45) {
        let mut block = json!({});
        for _ in 0..1 + source.below(2) {
            let (operator, key, values) = condition(source);
            block[operator] = json!({key: values});
        }
        statement["Condition"] = block;
    }
    match kind {
        Kind::OfPrincipal => {}
        Kind::ForEveryone => statement["Principal"] = json!("*"),
        Kind::OfResource => {
            let field = if source.chance(8) {
                "NotPrincipal"
            } else {
                "Principal"
            };
            statement[field] = principal(source);
        }
    }
    statement
}

fn principal(source: &mut Source<'_>) -> Value {
    const NAMED: &[&str] = &[
        "arn:aws:iam::111122223333:user/people/anna",
        "arn:aws:iam::111122223333:root",
        "111122223333",
        "arn:aws:iam::444455556666:root",
        "444455556666",
        "arn:aws:iam::444455556666:user/eve",
        "arn:aws:iam::444455556666:role/audit",
        ROLE,
        "arn:aws:iam::111122223333:role/deploy",
        "arn:aws:sts::111122223333:assumed-role/deploy/build",
        "arn:aws:sts::111122223333:assumed-role/deploy/other",
        "arn:aws:sts::111122223333:federated-user/kiosk",
        "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/ForEcs",
        "*",
    ];
    match source.below(10) {
        0 | 1 => json!("*"),
        2 => json!({"Service": source.some(&["lambda.amazonaws.com", "ec2.amazonaws.com", "*"])}),
        3 => json!({"Federated": source.some(&[PROVIDER, "ci.example", "other.example"])}),
        4 => json!({"AWS": source.some(NAMED), "Service": "lambda.amazonaws.com"}),
        5 => {
            let mut names = source.some(NAMED);
            names.extend(source.some(NAMED));
            json!({"AWS": names})
        }
        _ => json!({"AWS": source.some(NAMED)}),
    }
}

fn condition(source: &mut Source<'_>) -> (String, &'static str, Value) {
    let exists = if source.chance(25) { "IfExists" } else { "" };
    let set = match source.below(8) {
        0 => "ForAllValues:",
        1 => "ForAnyValue:",
        _ => "",
    };
    let (base, key, values): (&str, &str, Value) = match source.below(11) {
        0..=2 => (
            source.pick(&[
                "StringEquals",
                "StringNotEquals",
                "StringLike",
                "StringNotLike",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
            ]),
            source.pick(&["k:a", "K:B", "k:m", "k:m"]),
            json!(source.some(&[
                "a",
                "b",
                "a*",
                "a?",
                "*",
                "",
                "${aws:username}",
                "${k:b}",
                "${k:b, 'a'}",
                "${*}",
            ])),
        ),
        3 => (
            source.pick(&["StringEquals", "StringNotLike", "StringLike"]),
            source.pick(&[
                "aws:PrincipalAccount",
                "aws:ResourceAccount",
                "aws:PrincipalTag/team",
                "aws:PrincipalType",
                "aws:PrincipalIsAWSService",
            ]),
            json!(source.some(&[OWN, OTHER, "b", "User", "true", "${aws:ResourceAccount}"])),
        ),
        4 => (
            source.pick(&[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ]),
            "k:n",
            json!(source.some(&["1", "2", "10.5"])),
        ),
        5 => (
            source.pick(&[
                "DateEquals",
                "DateNotEquals",
                "DateLessThan",
                "DateLessThanEquals",
                "DateGreaterThan",
                "DateGreaterThanEquals",
            ]),
            "aws:CurrentTime",
            json!(source.some(&["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "1780272000"])),
        ),
        6 => (
            "Bool",
            source.pick(&["k:t", "aws:PrincipalIsAWSService"]),
            json!(source.some(&["true", "false"])),
        ),
        7 => ("BinaryEquals", "k:y", json!(source.some(&["QUJD", "R0hJ"]))),
        8 => (
            source.pick(&["IpAddress", "NotIpAddress"]),
            "aws:SourceIp",
            json!(source.some(&["10.0.0.0/8", "203.0.113.9", "0.0.0.0/0", "2001:db8::/32"])),
        ),
        9 => (
            source.pick(&["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]),
            source.pick(&["aws:SourceArn", "aws:PrincipalArn"]),
            json!(source.some(&[
                "arn:aws:sns:*:111122223333:*",
                "arn:aws:sns:eu-west-1:444455556666:u:v",
                "arn:aws:iam::*:user/*",
                ROLE,
                "arn:aws:*:t:*:*",
                "*",
            ])),
        ),
        _ => {
            let key = source.pick(&["k:a", "k:m", "aws:PrincipalTag/team", "aws:username"]);
            let values = json!(source.some(&["true", "false"]));
            return ("Null".to_owned(), key, values);
        }
    };
    (format!("{set}{base}{exists}"), key, values)
}
