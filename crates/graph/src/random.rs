//! Small random estates, for the laws that hold for every estate.

use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, Relation};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::catalogue::Catalogue;
use crate::nodes::account_id;

pub(crate) const HOME: &str = "111122223333";
pub(crate) const AWAY: &str = "444455556666";
pub(crate) const USERS: usize = 4;
pub(crate) const ROLES: usize = 5;
pub(crate) const GROUPS: usize = 2;
/// A Safe that the estate's keys own.
pub(crate) const SAFE: &str = "eip155:0:0x0000000000000000000000000000000000000009";
pub(crate) const PRINCIPALS: usize = USERS + ROLES;

pub(crate) fn catalogue() -> Catalogue {
    macro_rules! files {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../../escalations/aws/", $name)))),*]
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
pub(crate) fn id(principal: usize) -> String {
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

const RESOURCES: [&str; 19] = [
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
    "arn:aws:iam::111122223333:user/u?",
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
pub(crate) struct Seed {
    rows: Vec<Row>,
    trusts: Vec<usize>,
    buckets: Vec<Option<usize>>,
    /// To whom two keys are opened by a grant, and by which account.
    grants: Vec<Option<(usize, bool)>>,
    /// Which principals have which tags, and which boundary.
    tags: Vec<usize>,
    boundaries: Vec<usize>,
    members: Vec<bool>,
}

pub(crate) fn seed() -> impl Strategy<Value = Seed> {
    (
        prop::collection::vec(row(), 0..14),
        prop::collection::vec(0..7 + PRINCIPALS, ROLES),
        prop::collection::vec(prop::option::of(0..7 + PRINCIPALS), 3),
        prop::collection::vec(
            prop::option::weighted(0.4, (0..PRINCIPALS + 2, any::<bool>())),
            2,
        ),
        prop::collection::vec(0..3usize, PRINCIPALS),
        prop::collection::vec(0..6usize, PRINCIPALS),
        prop::collection::vec(prop::bool::weighted(0.3), USERS),
    )
        .prop_map(
            |(rows, trusts, buckets, grants, tags, boundaries, members)| Seed {
                rows,
                trusts,
                buckets,
                grants,
                tags,
                boundaries,
                members,
            },
        )
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

/// A grant of the key's use to a principal, or to another account of the estate or outside.
fn given(key: &str, whom: usize, by_home: bool) -> Relation {
    let grantee = match whom {
        0 => format!("arn:aws:iam::{AWAY}:root"),
        1 => "arn:aws:iam::999988887777:root".to_owned(),
        whom => id(whom - 2),
    };
    let by = if by_home { HOME } else { AWAY };
    Relation::Policy {
        subject: key.into(),
        layer: PolicyLayer::Grant,
        name: "grant:g".to_owned(),
        document: json!({
            "GrantId": "g", "GranteePrincipal": grantee, "Operations": ["Sign", "GetPublicKey"],
            "IssuingAccount": format!("arn:aws:iam::{by}:root"),
        })
        .to_string()
        .into(),
    }
}

pub(crate) fn estate(seed: &Seed) -> Estate {
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
    let spare = format!("arn:aws:kms:us-east-1:{HOME}:key/spare");
    estate.add(Entity::new(spare.as_str(), EntityKind::Key));
    for (key, grant) in [&key, &spare].into_iter().zip(&seed.grants) {
        if let Some((whom, by_home)) = grant {
            estate.relate(given(key, *whom, *by_home));
        }
    }
    // Two keys and a secret own a Safe, of whom two must sign; the first key has a wallet of its own.
    let wallet = |number: usize| format!("eip155:0:0x{number:040}");
    let signers = [&key, &spare, &secret];
    for (number, signer) in signers.into_iter().enumerate() {
        estate.relate(Relation::SignsFor {
            signer: signer.as_str().into(),
            wallet: wallet(number).into(),
        });
        estate.relate(Relation::OwnerOf {
            owner: wallet(number).into(),
            wallet: SAFE.into(),
            threshold: Some(2),
            owners: 3,
        });
    }
    let mut safe = Entity::new(SAFE, EntityKind::Wallet);
    safe.attributes.insert("Role".to_owned(), "cold".to_owned());
    estate.add(safe);
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
