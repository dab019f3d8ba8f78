//! `portreeve diff` on Terraform plans: each way that a plan opens is named, and none else.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common::{portreeve, portreeve_with_input, report, said};
use serde_json::{Map, Value, json};

const ACCOUNT: &str = "111122223333";
const GITHUB: &str = "token.actions.githubusercontent.com";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const WALLET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hot-wallet-AbCdEf";
const SIGNER: &str = "arn:aws:kms:eu-west-1:111122223333:key/signer";

fn iam(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{kind}/{name}")
}

fn document(statements: Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

fn allow(actions: Value, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

/// A statement that asks for a second factor.
fn with_mfa(mut statement: Value) -> Value {
    statement["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    statement
}

fn trust(principal: Value) -> String {
    document(json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}))
}

fn github(subject: &str) -> String {
    document(
        json!({"Effect": "Allow", "Principal": {"Federated": iam("oidc-provider", GITHUB)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {format!("{GITHUB}:aud"): "sts.amazonaws.com"},
                      "StringLike": {format!("{GITHUB}:sub"): subject}}}),
    )
}

/// A plan, put together resource by resource: what is not touched is left as it is.
struct Plan {
    changes: Vec<Value>,
    configured: Vec<Value>,
}

impl Plan {
    /// One account. A role that publishes the web page, an administrator's role that functions may run
    /// as, a role for a repository's builds, users of whom some reach something, a wallet, a signing key.
    fn new() -> Self {
        let mut plan = Self {
            changes: Vec::new(),
            configured: Vec::new(),
        };
        for user in ["dev", "ops", "mfa", "free", "reader", "bounded", "coder"] {
            plan.keep(
                &format!("aws_iam_user.{user}"),
                json!({"name": user, "arn": iam("user", user), "path": "/"}),
            );
        }
        let assume = || allow(json!("sts:AssumeRole"), &iam("role", "deploy"));
        for (user, statement) in [
            ("dev", allow(json!("s3:GetObject"), "arn:aws:s3:::logs/*")),
            ("mfa", with_mfa(assume())),
            ("free", assume()),
            (
                "reader",
                allow(json!("secretsmanager:GetSecretValue"), WALLET),
            ),
            ("coder", allow(json!("lambda:UpdateFunctionCode"), "*")),
        ] {
            plan.keep(
                &format!("aws_iam_user_policy.{user}"),
                json!({"user": user, "name": "own", "policy": document(statement)}),
            );
        }
        let publish = document(allow(json!("s3:PutObject"), "arn:aws:s3:::web/*"));
        for (role, its_trust) in [
            (
                "deploy",
                trust(json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")})),
            ),
            ("ci", github("repo:org/app:ref:refs/heads/main")),
            ("admin", trust(json!({"Service": "lambda.amazonaws.com"}))),
        ] {
            plan.keep(
                &format!("aws_iam_role.{role}"),
                json!({"name": role, "arn": iam("role", role), "path": "/", "assume_role_policy": its_trust}),
            );
        }
        for role in ["deploy", "ci"] {
            plan.keep(
                &format!("aws_iam_role_policy.{role}"),
                json!({"role": role, "name": "publish", "policy": publish}),
            );
        }
        plan.keep(
            "aws_iam_role_policy_attachment.admin",
            json!({"role": "admin", "policy_arn": ADMINISTRATOR}),
        );
        plan.keep(
            "aws_iam_user_policy_attachment.bounded",
            json!({"user": "bounded", "policy_arn": ADMINISTRATOR}),
        );
        plan.changes[5]["change"]["before"]["permissions_boundary"] =
            iam("policy", "narrow").into();
        plan.changes[5]["change"]["after"]["permissions_boundary"] = iam("policy", "narrow").into();
        plan.keep(
            "aws_iam_policy.narrow",
            json!({"name": "narrow", "arn": iam("policy", "narrow"),
            "policy": document(allow(json!("cloudwatch:*"), "*"))}),
        );
        plan.keep(
            "aws_iam_group.admins",
            json!({"name": "admins", "arn": iam("group", "admins"), "path": "/"}),
        );
        plan.keep(
            "aws_iam_group_policy_attachment.admins",
            json!({"group": "admins", "policy_arn": ADMINISTRATOR}),
        );
        plan.keep(
            "aws_s3_bucket.web",
            json!({"bucket": "web", "arn": "arn:aws:s3:::web", "tags": {"team": "web"}}),
        );
        plan.keep(
            "aws_cloudfront_distribution.web",
            json!({"id": "E1",
            "arn": format!("arn:aws:cloudfront::{ACCOUNT}:distribution/E1"),
            "origin": [{"domain_name": "web.s3.eu-west-1.amazonaws.com", "origin_id": "web"}]}),
        );
        plan.keep(
            "aws_secretsmanager_secret.wallet",
            json!({"name": "hot-wallet", "arn": WALLET}),
        );
        plan.keep("aws_kms_key.signer", json!({"key_id": "signer", "arn": SIGNER, "customer_master_key_spec": "ECC_SECG_P256K1",
            "policy": document(json!({"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"}))}));
        plan
    }

    fn push(&mut self, address: &str, actions: Value, before: Value, after: Value, unknown: Value) {
        let last = address.split(".aws_").last().unwrap();
        let local = format!("aws_{}", last.trim_start_matches("aws_"));
        let kind = local.split('.').next().unwrap().to_owned();
        self.changes.push(json!({"address": address, "mode": "managed", "type": kind, "name": "x",
            "change": {"actions": actions, "before": before, "after": after, "after_unknown": unknown}}));
    }

    fn keep(&mut self, address: &str, values: Value) {
        self.push(address, json!(["no-op"]), values.clone(), values, json!({}));
    }

    fn create(&mut self, address: &str, values: Value) {
        self.push(
            address,
            json!(["create"]),
            Value::Null,
            values,
            json!({"id": true, "arn": true}),
        );
    }

    fn change(&mut self, address: &str) -> &mut Value {
        let found = self
            .changes
            .iter_mut()
            .find(|one| one["address"] == address);
        &mut found.unwrap_or_else(|| panic!("{address} is not in the plan"))["change"]
    }

    fn delete(&mut self, address: &str) {
        let change = self.change(address);
        change["actions"] = json!(["delete"]);
        change["after"] = Value::Null;
    }

    /// Changes attributes; `null` takes one away.
    fn update(&mut self, address: &str, attributes: Value) {
        let change = self.change(address);
        change["actions"] = json!(["update"]);
        for (name, value) in attributes.as_object().unwrap() {
            change["after"][name] = value.clone();
        }
    }

    /// Something that was there before, and is deleted by the plan.
    fn former(&mut self, address: &str, values: Value) {
        self.keep(address, values);
        self.delete(address);
    }

    fn configure(&mut self, address: &str, attribute: &str, references: &[&str]) {
        self.configured
            .push(json!({"address": address, "provider_config_key": "aws",
            "expressions": {attribute: {"references": references}}}));
    }

    fn json(&self) -> Value {
        let identity = json!({"address": "data.aws_caller_identity.current", "mode": "data",
            "type": "aws_caller_identity", "values": {"account_id": ACCOUNT}});
        let mut plan = json!({"format_version": "1.2", "terraform_version": "1.9.5", "planned_values": {},
            "resource_changes": self.changes,
            "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": [identity]}}}});
        plan["configuration"] = json!({
            "provider_config": {"aws": {"name": "aws", "expressions": {"region": {"constant_value": "eu-west-1"}}}},
            "root_module": {"resources": self.configured}});
        plan
    }

    /// The answer to the plan against what Terraform knew.
    fn answer(&self) -> Answer {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.json");
        std::fs::write(&file, self.json().to_string()).unwrap();
        Answer(report(&portreeve(&[
            "diff",
            "--format",
            "json",
            file.to_str().unwrap(),
        ])))
    }
}

struct Answer(Value);

/// The end of an ARN, `account` for one; whole what is none.
fn short(id: &str) -> &str {
    match id {
        _ if id == format!("arn:aws:iam::{ACCOUNT}:root") => "account",
        _ if id.contains(ACCOUNT) => id.rsplit(['/', ':']).next().unwrap(),
        _ => id.strip_prefix("arn:aws:s3:::").unwrap_or(id),
    }
}

impl Answer {
    fn ends(&self, list: &str, from: &str) -> BTreeSet<(String, String)> {
        let ways = self.0[list].as_array().unwrap().iter();
        ways.map(|way| {
            let end = |name: &str| short(way[name].as_str().unwrap()).to_owned();
            (end(from), end("to"))
        })
        .collect()
    }

    fn ways(&self, list: &str) -> BTreeSet<(String, String)> {
        self.ends(list, "from")
    }

    /// Nothing but these ways and doors.
    fn is(&self, expected: &[(&str, &[(&str, &str)])]) {
        for list in [
            "opened",
            "closed",
            "weakened",
            "strengthened",
            "doors_opened",
            "doors_closed",
            "doors_changed",
        ] {
            let from = if list.starts_with("doors") {
                "id"
            } else {
                "from"
            };
            let wanted = expected.iter().find(|(name, _)| *name == list);
            let wanted: BTreeSet<(String, String)> = wanted
                .map_or(&[][..], |(_, ends)| *ends)
                .iter()
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
                .collect();
            assert_eq!(self.ends(list, from), wanted, "{list} of {:#}", self.0);
        }
    }

    /// The changed policies that are named for the way of someone.
    fn causes(&self, list: &str, from: &str) -> Vec<String> {
        let ways = self.0[list].as_array().unwrap().iter();
        let way = ways
            .into_iter()
            .find(|way| short(way["from"].as_str().unwrap()) == from);
        let causes = way.unwrap()["causes"].as_array().unwrap().iter();
        causes
            .map(|one| {
                format!(
                    "{} {}",
                    one["name"].as_str().unwrap(),
                    one["change"].as_str().unwrap()
                )
            })
            .collect()
    }
}

#[test]
fn a_change_of_tags_opens_nothing() {
    let mut plan = Plan::new();
    plan.update(
        "aws_s3_bucket.web",
        json!({"tags": {"team": "web", "cost": "7"}}),
    );
    let answer = plan.answer();
    answer.is(&[]);
    assert_eq!(answer.0["policies"], json!([]));
}

#[test]
fn a_permission_to_assume_a_role() {
    let mut plan = Plan::new();
    let mut statement = allow(json!("sts:AssumeRole"), &iam("role", "deploy"));
    statement["Sid"] = "Assume".into();
    plan.update(
        "aws_iam_user_policy.dev",
        json!({"policy": document(statement)}),
    );
    let answer = plan.answer();
    answer.is(&[("opened", &[("dev", "web")])]);
    // The step that opened it, with its statement and the policy that differs.
    let way = &answer.0["opened"][0];
    assert_eq!(way["step"], 0);
    assert_eq!(way["path"]["steps"][0]["via"], "sts-assume-role");
    assert_eq!(way["causes"][0]["statements"], json!(["Assume"]));
    assert_eq!(answer.causes("opened", "dev"), ["own changed"]);
}

#[test]
fn a_trust_in_a_foreign_account() {
    let mut plan = Plan::new();
    let principals =
        json!({"AWS": [format!("arn:aws:iam::{ACCOUNT}:root"), "arn:aws:iam::999988887777:root"]});
    plan.update(
        "aws_iam_role.deploy",
        json!({"assume_role_policy": trust(principals)}),
    );
    let foreign = "arn:aws:iam::999988887777:root";
    plan.answer().is(&[
        ("opened", &[(foreign, "web")]),
        ("doors_opened", &[(foreign, "deploy")]),
    ]);
}

#[test]
fn a_wider_subject_of_builds_and_a_narrower_one() {
    let wide = format!("{GITHUB}:repo:org/*");
    let narrow = format!("{GITHUB}:repo:org/app:ref:refs/heads/main");
    let mut plan = Plan::new();
    plan.update(
        "aws_iam_role.ci",
        json!({"assume_role_policy": github("repo:org/*")}),
    );
    // The branch that could before still can: nothing is closed.
    plan.answer().is(&[
        ("opened", &[(&wide, "web")]),
        ("doors_opened", &[(&wide, "ci")]),
    ]);
    let change = plan.change("aws_iam_role.ci");
    let (before, after) = (change["before"].clone(), change["after"].clone());
    (change["before"], change["after"]) = (after, before);
    plan.answer().is(&[
        ("closed", &[(&wide, "web")]),
        ("doors_closed", &[(&wide, "ci")]),
    ]);
    assert!(narrow.starts_with(wide.trim_end_matches('*')));
}

#[test]
fn a_second_factor_that_is_no_longer_asked_for() {
    let mut plan = Plan::new();
    let statement = allow(json!("sts:AssumeRole"), &iam("role", "deploy"));
    plan.update(
        "aws_iam_user_policy.mfa",
        json!({"policy": document(statement)}),
    );
    let answer = plan.answer();
    answer.is(&[("weakened", &[("mfa", "web")])]);
    assert_eq!(
        answer.0["weakened"][0]["conditions_before"],
        json!(["aws:MultiFactorAuthPresent"])
    );
    assert_eq!(answer.0["weakened"][0]["path"]["conditions"], json!([]));
}

#[test]
fn a_second_factor_that_is_asked_for_from_now_on() {
    let mut plan = Plan::new();
    let statement = with_mfa(allow(json!("sts:AssumeRole"), &iam("role", "deploy")));
    plan.update(
        "aws_iam_user_policy.free",
        json!({"policy": document(statement)}),
    );
    plan.answer().is(&[("strengthened", &[("free", "web")])]);
}

/// A bucket policy that lets anyone write.
fn public() -> Value {
    json!({"bucket": "web", "policy": document(json!({"Effect": "Allow", "Principal": "*",
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::web/*"}))})
}

#[test]
fn a_bucket_policy_for_anyone() {
    let mut plan = Plan::new();
    plan.create("aws_s3_bucket_policy.web", public());
    let answer = plan.answer();
    assert_eq!(
        answer.ways("opened"),
        BTreeSet::from([("*".to_owned(), "web".to_owned())]),
        "{:#}",
        answer.0
    );
    assert_eq!(
        answer.ends("doors_opened", "id"),
        BTreeSet::from([("*".to_owned(), "web".to_owned())])
    );
    assert_eq!(answer.0["closed"], json!([]));
}

#[test]
fn a_public_access_block_that_goes() {
    let mut plan = Plan::new();
    plan.keep("aws_s3_bucket_policy.web", public());
    plan.former(
        "aws_s3_bucket_public_access_block.web",
        json!({"bucket": "web", "restrict_public_buckets": true,
        "block_public_policy": true, "block_public_acls": true, "ignore_public_acls": true}),
    );
    let answer = plan.answer();
    assert_eq!(
        answer.ways("opened"),
        BTreeSet::from([("*".to_owned(), "web".to_owned())]),
        "{:#}",
        answer.0
    );
}

#[test]
fn a_role_that_may_be_passed_to_a_function() {
    let mut plan = Plan::new();
    let statements = json!([
        allow(
            json!(["lambda:CreateFunction", "lambda:InvokeFunction"]),
            "*"
        ),
        allow(json!("iam:PassRole"), &iam("role", "admin"))
    ]);
    plan.update(
        "aws_iam_user_policy.dev",
        json!({"policy": document(statements)}),
    );
    let answer = plan.answer();
    answer.is(&[("opened", &[("dev", "account")])]);
    // The wallet and what else is in the account comes with it.
    assert!(
        answer.0["opened"][0]["with_it"]
            .to_string()
            .contains("hot-wallet")
    );
}

#[test]
fn a_function_that_runs_as_an_administrator() {
    let mut plan = Plan::new();
    plan.create(
        "aws_lambda_function.job",
        json!({"function_name": "job", "role": iam("role", "admin"), "runtime": "python3.12"}),
    );
    plan.answer().is(&[("opened", &[("coder", "account")])]);
}

#[test]
fn a_permission_for_anyone_to_invoke_a_function() {
    let mut plan = Plan::new();
    plan.keep("aws_lambda_function.page", json!({"function_name": "page", "runtime": "python3.12",
        "arn": format!("arn:aws:lambda:eu-west-1:{ACCOUNT}:function:page"), "role": iam("role", "ci")}));
    plan.create(
        "aws_lambda_permission.anyone",
        json!({"function_name": "page", "action": "lambda:InvokeFunction",
        "principal": "*", "statement_id": "anyone"}),
    );
    plan.answer().is(&[("doors_opened", &[("*", "page")])]);
}

#[test]
fn a_service_control_policy_that_goes() {
    let policy = "arn:aws:organizations::999988887777:policy/o-1/service_control_policy/p-1";
    let mut plan = Plan::new();
    plan.keep(
        "aws_organizations_organization.all",
        json!({"id": "o-1", "master_account_id": "999988887777",
        "roots": [{"id": "r-1"}]}),
    );
    plan.keep(
        "aws_organizations_account.own",
        json!({"id": ACCOUNT, "name": "own", "parent_id": "r-1"}),
    );
    plan.keep(
        "aws_organizations_policy.wallets",
        json!({"id": "p-1", "arn": policy, "type": "SERVICE_CONTROL_POLICY",
        "content": document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}]))}),
    );
    plan.keep(
        "aws_organizations_policy.all",
        json!({"id": "p-2", "arn": policy.replace("p-1", "p-2"), "type": "SERVICE_CONTROL_POLICY",
        "content": document(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}))}),
    );
    plan.keep(
        "aws_organizations_policy_attachment.all",
        json!({"policy_id": "p-2", "target_id": ACCOUNT}),
    );
    plan.keep(
        "aws_organizations_policy_attachment.root",
        json!({"policy_id": "p-2", "target_id": "r-1"}),
    );
    plan.former(
        "aws_organizations_policy_attachment.wallets",
        json!({"policy_id": "p-1", "target_id": ACCOUNT}),
    );
    let answer = plan.answer();
    answer.is(&[("opened", &[("reader", "hot-wallet-AbCdEf")])]);
    assert_eq!(
        answer.causes("opened", "reader"),
        [format!("{policy} removed")]
    );
}

#[test]
fn a_boundary_that_goes() {
    let mut plan = Plan::new();
    plan.update(
        "aws_iam_user.bounded",
        json!({"permissions_boundary": null}),
    );
    let answer = plan.answer();
    answer.is(&[("opened", &[("bounded", "account")])]);
    assert_eq!(
        answer.causes("opened", "bounded"),
        [format!("{} removed", iam("policy", "narrow"))]
    );
}

#[test]
fn a_membership_in_a_group_of_administrators() {
    let mut plan = Plan::new();
    plan.create(
        "aws_iam_user_group_membership.ops",
        json!({"user": "ops", "groups": ["admins"]}),
    );
    let answer = plan.answer();
    answer.is(&[("opened", &[("ops", "account")])]);
    assert_eq!(
        answer.causes("opened", "ops"),
        [format!("{} added", iam("group", "admins"))]
    );
}

#[test]
fn a_policy_of_a_secret_and_one_of_a_key() {
    let mut plan = Plan::new();
    let let_in = |action: &str| {
        document(json!([
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}, "Action": "kms:*", "Resource": "*"},
        {"Sid": "Ops", "Effect": "Allow", "Principal": {"AWS": iam("user", "ops")}, "Action": action, "Resource": "*"}]))
    };
    plan.create(
        "aws_secretsmanager_secret_policy.wallet",
        json!({"secret_arn": WALLET, "policy": let_in("secretsmanager:GetSecretValue")}),
    );
    plan.answer()
        .is(&[("opened", &[("ops", "hot-wallet-AbCdEf")])]);

    let mut plan = Plan::new();
    plan.update("aws_kms_key.signer", json!({"policy": let_in("kms:Sign")}));
    plan.answer().is(&[("opened", &[("ops", "signer")])]);
}

#[test]
fn a_policy_in_a_module() {
    let mut plan = Plan::new();
    plan.create(
        "module.app[\"eu\"].module.access.aws_iam_role_policy.secrets",
        json!({"role": "deploy", "name": "secrets",
        "policy": document(allow(json!("secretsmanager:GetSecretValue"), WALLET))}),
    );
    // Whoever becomes the role gets there too.
    plan.answer().is(&[(
        "opened",
        &[
            ("deploy", "hot-wallet-AbCdEf"),
            ("free", "hot-wallet-AbCdEf"),
            ("mfa", "hot-wallet-AbCdEf"),
        ],
    )]);
}

#[test]
fn one_policy_for_each_of_several() {
    let mut plan = Plan::new();
    for user in ["dev", "ops"] {
        plan.create(
            &format!("aws_iam_user_policy.each[\"{user}\"]"),
            json!({"user": user, "name": "each",
            "policy": document(allow(json!("sts:AssumeRole"), &iam("role", "deploy")))}),
        );
    }
    plan.answer()
        .is(&[("opened", &[("dev", "web"), ("ops", "web")])]);
}

#[test]
fn what_is_created_in_the_same_plan_is_found_by_reference() {
    let mut plan = Plan::new();
    plan.create(
        "aws_iam_policy.secrets",
        json!({"name": "secrets", "path": "/",
        "policy": document(allow(json!("secretsmanager:GetSecretValue"), WALLET))}),
    );
    plan.push(
        "aws_iam_user_policy_attachment.ops",
        json!(["create"]),
        Value::Null,
        json!({"user": "ops"}),
        json!({"id": true, "policy_arn": true}),
    );
    plan.configure(
        "aws_iam_user_policy_attachment.ops",
        "policy_arn",
        &["aws_iam_policy.secrets.arn", "aws_iam_policy.secrets"],
    );
    plan.answer()
        .is(&[("opened", &[("ops", "hot-wallet-AbCdEf")])]);
}

#[test]
fn a_policy_that_is_known_only_after_the_apply_is_said() {
    let mut plan = Plan::new();
    plan.push(
        "aws_iam_user_policy.later",
        json!(["create"]),
        Value::Null,
        json!({"user": "ops", "name": "later"}),
        json!({"id": true, "policy": true}),
    );
    plan.configure(
        "aws_iam_user_policy.later",
        "policy",
        &["aws_iam_role.other.arn"],
    );
    let answer = plan.answer();
    answer.is(&[]);
    let unknown = answer.0["unknown"].as_array().unwrap();
    assert_eq!(unknown.len(), 1, "{unknown:#?}");
    assert!(
        unknown[0]["missing"]
            .as_str()
            .unwrap()
            .contains("aws_iam_user_policy.later")
    );
    let input = plan.json().to_string();
    for (what, code) in [("unknown", 10), ("opened", 0)] {
        let output = portreeve_with_input(&["diff", "-", "--fail-on", what], input.as_bytes());
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    }
}

#[test]
fn what_an_attribute_will_name_is_said_where_nothing_tells() {
    let mut plan = Plan::new();
    let attachment = "aws_iam_user_policy_attachment.ops";
    plan.push(
        attachment,
        json!(["create"]),
        Value::Null,
        json!({"user": "ops"}),
        json!({"id": true, "policy_arn": true}),
    );
    plan.configure(attachment, "policy_arn", &["local.policies"]);
    let answer = plan.answer();
    answer.is(&[]);
    let unknown = answer.0["unknown"].to_string();
    assert!(
        unknown.contains("policy_arn of aws_iam_user_policy_attachment.ops"),
        "{unknown}"
    );
}

#[test]
fn an_account_stays_when_all_that_is_managed_goes() {
    let mut plan = Plan::new();
    let addresses: Vec<String> = plan
        .changes
        .iter()
        .map(|one| one["address"].as_str().unwrap().to_owned())
        .collect();
    for address in addresses {
        plan.delete(&address);
    }
    let answer = plan.answer();
    assert!(!answer.0["closed"].as_array().unwrap().is_empty());
    assert_eq!(answer.0["opened"], json!([]));
}

#[test]
fn a_role_that_is_deleted_and_made_again() {
    let mut plan = Plan::new();
    let change = plan.change("aws_iam_role.deploy");
    change["actions"] = json!(["delete", "create"]);
    change["after_unknown"] = json!({"arn": true, "id": true, "unique_id": true});
    let after = change["after"].as_object_mut().unwrap();
    after.remove("arn");
    plan.answer().is(&[]);
    // Made again with a wider trust.
    let wider = trust(json!({"AWS": "*"}));
    plan.change("aws_iam_role.deploy")["after"]["assume_role_policy"] = wider.into();
    let answer = plan.answer();
    assert!(
        answer
            .ways("opened")
            .contains(&("*".to_owned(), "web".to_owned())),
        "{:#}",
        answer.0
    );
}

#[test]
fn what_is_deleted_closes_its_ways() {
    let mut plan = Plan::new();
    plan.delete("aws_iam_role_policy.deploy");
    plan.answer().is(&[(
        "closed",
        &[("deploy", "web"), ("free", "web"), ("mfa", "web")],
    )]);
    // With the role go its ways; who was in it stays.
    plan.delete("aws_iam_role.deploy");
    plan.answer().is(&[(
        "closed",
        &[("deploy", "web"), ("free", "web"), ("mfa", "web")],
    )]);
}

/// The same account as the command line exports it, with a user that Terraform does not know.
fn inventory(folder: &Path) {
    let policies = |document: Value| json!([{"PolicyName": "own", "PolicyDocument": document}]);
    let user = |name: &str, statement: Value| {
        json!({"UserName": name, "Arn": iam("user", name), "Path": "/",
        "UserPolicyList": policies(json!({"Version": "2012-10-17", "Statement": statement}))})
    };
    let identities = json!({
        "UserDetailList": [
            user("dev", allow(json!("s3:GetObject"), "arn:aws:s3:::logs/*")),
            user("unmanaged", allow(json!("sts:AssumeRole"), &iam("role", "deploy")))],
        "GroupDetailList": [],
        "RoleDetailList": [{"RoleName": "deploy", "Arn": iam("role", "deploy"), "Path": "/",
            "AssumeRolePolicyDocument": serde_json::from_str::<Value>(&trust(json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")}))).unwrap(),
            "RolePolicyList": []}],
        "Policies": []});
    std::fs::write(folder.join("iam.json"), identities.to_string()).unwrap();
}

#[test]
fn a_plan_is_laid_over_the_inventory() {
    let folder = tempfile::tempdir().unwrap();
    let before = folder.path().join("inventory");
    std::fs::create_dir(&before).unwrap();
    inventory(&before);
    let mut plan = Plan {
        changes: Vec::new(),
        configured: Vec::new(),
    };
    plan.keep(
        "aws_iam_role.deploy",
        json!({"name": "deploy", "arn": iam("role", "deploy"), "path": "/"}),
    );
    plan.create(
        "aws_secretsmanager_secret.wallet",
        json!({"name": "hot-wallet"}),
    );
    plan.create(
        "aws_iam_role_policy.secrets",
        json!({"role": "deploy", "name": "secrets",
        "policy": document(allow(json!("secretsmanager:GetSecretValue"), "*"))}),
    );
    let file = folder.path().join("plan.json");
    std::fs::write(&file, plan.json().to_string()).unwrap();
    let arguments = |more: &[&str]| {
        let mut all = vec![
            "diff".to_owned(),
            before.display().to_string(),
            file.display().to_string(),
        ];
        all.extend(more.iter().map(|&word| word.to_owned()));
        portreeve(&all)
    };
    let answer = Answer(report(&arguments(&["--format", "json"])));
    // The user whom only the inventory knows gets there too.
    answer.is(&[(
        "opened",
        &[
            ("deploy", "hot-wallet-000000"),
            ("unmanaged", "hot-wallet-000000"),
        ],
    )]);
    for (what, code) in [
        ("opened", 10),
        ("open-now", 10),
        ("any", 10),
        ("unknown", 0),
    ] {
        assert_eq!(
            arguments(&["--fail-on", what]).status.code(),
            Some(code),
            "{what}"
        );
    }
    assert_eq!(arguments(&[]).status.code(), Some(0));
    let text = String::from_utf8(arguments(&[]).stdout).unwrap();
    assert!(text.starts_with("2 ways opened"), "{text}");
    assert!(
        text.contains("identity policy secrets of deploy added"),
        "{text}"
    );
    let page = String::from_utf8(arguments(&["--format", "html"]).stdout).unwrap();
    assert!(page.contains("<svg") && page.contains("Ways opened") && page.ends_with("</html>"));
}

#[test]
fn two_inventories_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before"), folder.path().join("after"));
    for side in [&before, &after] {
        std::fs::create_dir(side).unwrap();
        inventory(side);
    }
    let file = after.join("iam.json");
    let mut identities: Map<String, Value> =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    identities["RoleDetailList"][0]["RolePolicyList"] = json!([{"PolicyName": "all",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": allow(json!("*"), "*")}}]);
    std::fs::write(&file, Value::from(identities).to_string()).unwrap();
    let run = |more: &[&str]| {
        let mut all = vec!["diff", before.to_str().unwrap(), after.to_str().unwrap()];
        all.extend(more);
        portreeve(&all)
    };
    let answer = Answer(report(&run(&["--format", "json"])));
    answer.is(&[("opened", &[("deploy", "account"), ("unmanaged", "account")])]);
    // The same the other way round.
    let back = [
        "diff",
        "--format",
        "json",
        after.to_str().unwrap(),
        before.to_str().unwrap(),
    ];
    Answer(report(&portreeve(&back)))
        .is(&[("closed", &[("deploy", "account"), ("unmanaged", "account")])]);
}

#[test]
fn what_is_no_inventory_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for arguments in [&["diff", empty][..], &["diff", empty, empty]] {
        let output = portreeve(arguments);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{arguments:?}: {}",
            said(&output)
        );
    }
    assert_eq!(portreeve(&["diff"]).status.code(), Some(2));
}
