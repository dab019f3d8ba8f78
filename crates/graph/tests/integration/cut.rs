//! What a cut proposes, and what it never does.

use crate::common::town::Town;
use portreeve_graph::Circumstances;
use portreeve_graph::cut::{ChangeKind, Costs, Cut, EXACT_UP_TO, Edit, Question};
use portreeve_model::{EntityKind, Estate, PolicyLayer, Relation};
use serde_json::json;

const ADA: &str = "arn:aws:iam::111122223333:user/ada";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hot-wallet-AbCdEf";
const ACCOUNT: &str = "arn:aws:iam::111122223333:root";
const READ: &str = "secretsmanager:GetSecretValue";

fn cut_with(
    town: Town,
    from: &str,
    to: &str,
    costs: &[(ChangeKind, u32)],
    given: &Circumstances,
) -> (Cut, Estate) {
    let mut estate = town.0;
    estate.finish();
    let costs = Costs::from(
        costs
            .iter()
            .copied()
            .collect::<std::collections::BTreeMap<_, _>>(),
    );
    let cut = Question {
        estate: &estate,
        catalogue: &crate::common::catalogue(),
        declared: &[],
        circumstances: given,
        from: vec![from.into()],
        to: vec![to.into()],
        costs: &costs,
        exact_up_to: EXACT_UP_TO,
    }
    .cut();
    (cut, estate)
}

fn cut(town: Town, from: &str, to: &str) -> Cut {
    cut_with(town, from, to, &[], &Circumstances::default()).0
}

fn kinds(cut: &Cut) -> Vec<ChangeKind> {
    let changes = cut.plan.changes.iter();
    changes.flat_map(|change| change.kinds.clone()).collect()
}

fn reader() -> Town {
    Town::default()
        .entity(ADA, EntityKind::User)
        .entity(SECRET, EntityKind::Secret)
}

#[test]
fn where_many_statements_allow_one_denial_is_cheaper_than_taking_out_each() {
    let town = reader().allow(ADA, READ, SECRET).allow(ADA, READ, "*");
    assert_eq!(kinds(&cut(town, ADA, SECRET)), [ChangeKind::Deny]);
    let town = reader().allow(ADA, READ, SECRET);
    assert_eq!(kinds(&cut(town, ADA, SECRET)), [ChangeKind::NarrowInline]);
}

/// What stands behind the best path is seen too: without any policy of his own the user still gets
/// in by a trust policy that lets everyone in.
#[test]
fn a_path_behind_the_best_one_is_cut_as_well() {
    let everyone = json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"});
    let all_but = json!({"Effect": "Allow", "NotAction": "sts:AssumeRole", "Resource": "*"});
    let town = Town::default()
        .entity(ADA, EntityKind::User)
        .entity(DEPLOY, EntityKind::Role)
        .policy(DEPLOY, PolicyLayer::Trust, everyone)
        .policy(ADA, PolicyLayer::Identity, all_but);
    let found = cut(town, ADA, DEPLOY);
    assert!(found.proven, "{:#?}", found.left);
    assert_eq!(found.plan.changes.len(), 2);
}

#[test]
fn nothing_is_proposed_where_there_is_no_path() {
    let cut = cut(reader(), ADA, SECRET);
    assert!(cut.before.is_empty() && cut.plan.changes.is_empty());
    assert!(cut.proven && cut.minimal && cut.cost == 0);
}

#[test]
fn a_group_that_denies_is_not_left() {
    let group = "arn:aws:iam::111122223333:group/ops";
    let town = || {
        reader()
            .entity(group, EntityKind::Group)
            .allow(group, READ, "*")
            .relate(Relation::MemberOf {
                member: ADA.into(),
                group: group.into(),
            })
    };
    let leaving = [(ChangeKind::LeaveGroup, 1)];
    let given = Circumstances::default();
    let (found, _) = cut_with(town(), ADA, SECRET, &leaving, &given);
    assert_eq!(kinds(&found), [ChangeKind::LeaveGroup]);
    let denies = json!({"Effect": "Deny", "Action": "kms:*", "Resource": "*"});
    let denying = town().policy(group, PolicyLayer::Identity, denies);
    let (found, _) = cut_with(denying, ADA, SECRET, &leaving, &given);
    assert_ne!(kinds(&found), [ChangeKind::LeaveGroup]);
}

#[test]
fn a_permission_set_is_edited_as_one_for_all_its_roles() {
    let role = |account: &str| {
        format!(
            "arn:aws:iam::{account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0123456789abcdef"
        )
    };
    let (home, away) = (role("111122223333"), role("444455556666"));
    let mut town = reader();
    let allows = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": [READ, "s3:ListAllMyBuckets"], "Resource": "*"}]});
    for id in [&home, &away] {
        town = town.entity(id, EntityKind::Role).relate(Relation::Policy {
            subject: id.as_str().into(),
            layer: PolicyLayer::Identity,
            name: "AwsSSOInlinePolicy".to_owned(),
            document: allows.to_string().into(),
        });
    }
    let (cut, estate) = cut_with(town, &home, SECRET, &[], &Circumstances::default());
    assert_eq!(kinds(&cut), [ChangeKind::NarrowPermissionSet]);
    let after = estate.revised(&cut.plan.revision(&estate));
    let texts: Vec<&str> = after
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::Policy { document, .. } => Some(&**document),
            _ => None,
        })
        .collect();
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().all(|text| !text.contains(READ)), "{texts:?}");
    let Edit::Document { copies, .. } = &cut.plan.changes[0].edit else {
        panic!("{:?}", cut.plan);
    };
    assert_eq!(copies.len(), 2);
}

#[test]
fn a_service_control_policy_is_proposed_in_member_accounts_alone() {
    let organization = "arn:aws:organizations::999988887777:root/o-1/r-1";
    let town = |managing: bool| {
        let town = reader()
            .allow(ADA, READ, SECRET)
            .entity(organization, EntityKind::Organization)
            .entity(ACCOUNT, EntityKind::Account)
            .relate(Relation::Contains {
                parent: organization.into(),
                child: ACCOUNT.into(),
            });
        match managing {
            true => town.relate(Relation::ManagementAccount {
                account: ACCOUNT.into(),
            }),
            false => town,
        }
    };
    let cheap = [
        (ChangeKind::DenyByOrganization, 1),
        (ChangeKind::NarrowInline, 2),
    ];
    let given = Circumstances::default();
    let (member, estate) = cut_with(town(false), ADA, SECRET, &cheap, &given);
    assert_eq!(kinds(&member), [ChangeKind::DenyByOrganization]);
    // Nothing else is lost by a policy that the account has beside none.
    let after = estate.revised(&member.plan.revision(&estate));
    let verdict = portreeve_graph::Access::of(&after)
        .can(
            ADA,
            READ,
            "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
            &given,
        )
        .expect("an answer");
    assert_eq!(verdict.answer.decision.as_str(), "denied");
    let (managing, _) = cut_with(town(true), ADA, SECRET, &cheap, &given);
    assert_eq!(kinds(&managing), [ChangeKind::NarrowInline]);
}

#[test]
fn a_second_factor_is_asked_for_where_the_intruder_has_none() {
    let town = || {
        reader()
            .role(DEPLOY, json!({"AWS": ADA}))
            .allow(DEPLOY, READ, SECRET)
    };
    let (found, _) = cut_with(town(), ADA, SECRET, &[], &Circumstances::without_mfa());
    assert_eq!(kinds(&found), [ChangeKind::RequireCondition]);
    assert!(found.proven);
    let found = cut(town(), ADA, SECRET);
    assert_ne!(kinds(&found), [ChangeKind::RequireCondition]);
}

#[test]
fn the_account_stays_in_the_policy_of_its_key() {
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let delegates = json!({"Effect": "Allow", "Principal": {"AWS": ACCOUNT},
        "Action": "kms:*", "Resource": "*"});
    let town = Town::default()
        .entity(ADA, EntityKind::User)
        .entity(key, EntityKind::Key)
        .policy(key, PolicyLayer::Resource, delegates)
        .allow(ADA, "kms:Sign", key);
    let cheap = [(ChangeKind::NarrowResource, 1)];
    let (found, _) = cut_with(town, ADA, key, &cheap, &Circumstances::default());
    assert!(found.proven);
    assert_eq!(kinds(&found), [ChangeKind::NarrowInline]);
}

#[test]
fn what_no_change_cuts_is_told_and_the_rest_is_cut() {
    let key = "AKIAIOSFODNN7EXAMPLE";
    let town = reader()
        .entity(key, EntityKind::AccessKey)
        .relate(Relation::Proves {
            credential: key.into(),
            principal: ADA.into(),
        })
        .allow(ADA, READ, SECRET);
    let found = cut(town, key, ADA);
    assert_eq!(kinds(&found), [ChangeKind::DeactivateKey]);

    let password = "password:arn:aws:iam::111122223333:user/ada";
    let town = reader()
        .entity(password, EntityKind::Password)
        .relate(Relation::Proves {
            credential: password.into(),
            principal: ADA.into(),
        });
    let found = cut(town, password, ADA);
    assert!(!found.proven);
    assert_eq!(found.left.len(), 1);
    assert!(found.plan.changes.is_empty());
}

#[test]
fn a_policy_of_the_providers_own_is_detached_and_never_edited() {
    let managed = "arn:aws:iam::aws:policy/SecretsManagerReadWrite";
    let own = "arn:aws:iam::111122223333:policy/secrets";
    let town = |policy: &str| {
        reader().relate(Relation::Policy {
            subject: ADA.into(),
            layer: PolicyLayer::Identity,
            name: policy.to_owned(),
            document: json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["secretsmanager:*", READ], "Resource": "*"}]})
            .to_string()
            .into(),
        })
    };
    let dear = [(ChangeKind::Deny, 90), (ChangeKind::DenyEverywhere, 90)];
    let given = Circumstances::default();
    let (of_provider, _) = cut_with(town(managed), ADA, SECRET, &dear, &given);
    assert_eq!(kinds(&of_provider), [ChangeKind::Detach]);
    let (of_account, estate) = cut_with(
        town(own),
        ADA,
        SECRET,
        &[dear[0], dear[1], (ChangeKind::Detach, 90)],
        &given,
    );
    // Both patterns cover the action: to take out the statement costs no more.
    assert_eq!(of_account.cost, 6);
    assert_eq!(of_account.plan.changes.len(), 1);
    assert_eq!(of_account.plan.changes[0].edit.target().as_str(), own);
    let back = estate.revised(&of_account.plan.revision(&estate));
    let back = back.revised(&of_account.plan.inverse().revision(&back));
    assert_eq!(back.relations().len(), estate.relations().len());
}
