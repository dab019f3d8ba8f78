use serde_json::{Value, json};

use crate::background::long_lived_key;
use crate::dice::Seeds;
use crate::organisation::{Account, Role};
use crate::time::{DAY, FIRST_MONDAY};

/// An account's identities, as `get-account-authorization-details` prints them.
pub(super) struct Identities {
    account: Account,
    seeds: Seeds,
    users: Vec<Value>,
    /// The rows of the credential report.
    report: Vec<String>,
    keys: Vec<Value>,
    factors: Vec<Value>,
    groups: Vec<Value>,
    roles: Vec<Value>,
    policies: Vec<Value>,
}

/// A policy document of these statements.
pub(crate) fn document(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A statement that allows actions on resources.
pub(crate) fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!({"Effect": "Allow", "Action": one_or_many(actions), "Resource": one_or_many(resources)})
}

fn one_or_many(items: &[&str]) -> Value {
    match items {
        [one] => (*one).into(),
        many => many.into(),
    }
}

/// A trust in services.
pub(super) fn trust_service(services: &[&str]) -> Value {
    document(vec![
        json!({"Effect": "Allow", "Principal": {"Service": one_or_many(services)}, "Action": "sts:AssumeRole"}),
    ])
}

/// The provider's own policies that are attached somewhere, in short.
const PROVIDER_POLICIES: &[(&str, &str, &[&str])] = &[
    ("", "AdministratorAccess", &["*"]),
    (
        "",
        "SecurityAudit",
        &[
            "iam:Get*",
            "iam:List*",
            "iam:GenerateCredentialReport",
            "ec2:Describe*",
            "s3:GetBucket*",
            "s3:ListAllMyBuckets",
            "kms:List*",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "lambda:List*",
            "lambda:GetPolicy",
            "cloudtrail:Describe*",
            "cloudtrail:LookupEvents",
            "cloudfront:List*",
            "cloudfront:GetDistributionConfig",
            "rds:Describe*",
            "ecr:Describe*",
            "secretsmanager:ListSecrets",
            "guardduty:List*",
            "guardduty:Get*",
            "config:Describe*",
            "access-analyzer:List*",
            "securityhub:Get*",
        ],
    ),
    (
        "job-function/",
        "Billing",
        &[
            "ce:*",
            "budgets:*",
            "cur:*",
            "account:GetAccountInformation",
        ],
    ),
    (
        "",
        "AmazonSSMManagedInstanceCore",
        &[
            "ssm:UpdateInstanceInformation",
            "ssm:GetDeployablePatchSnapshotForInstance",
            "ssmmessages:*",
            "ec2messages:*",
        ],
    ),
    (
        "",
        "AmazonEKSWorkerNodePolicy",
        &[
            "ec2:DescribeInstances",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "eks:DescribeCluster",
        ],
    ),
    (
        "",
        "AmazonEC2ContainerRegistryReadOnly",
        &[
            "ecr:GetAuthorizationToken",
            "ecr:BatchCheckLayerAvailability",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchGetImage",
            "ecr:Describe*",
            "ecr:List*",
        ],
    ),
    (
        "service-role/",
        "AWSLambdaBasicExecutionRole",
        &[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ],
    ),
];

impl Identities {
    pub(super) fn new(account: Account, seeds: Seeds) -> Self {
        Self {
            account,
            seeds,
            users: Vec::new(),
            report: Vec::new(),
            keys: Vec::new(),
            factors: Vec::new(),
            groups: Vec::new(),
            roles: Vec::new(),
            policies: Vec::new(),
        }
    }

    fn id(&self, prefix: &str, kind: &str, name: &str) -> String {
        let body = self
            .seeds
            .stream(&format!("{kind} {} {name}", self.account.id), 0)
            .base32(17);
        format!("{prefix}{body}")
    }

    /// When something was created: long before the logs begin.
    fn created(&self, name: &str) -> String {
        let back = self
            .seeds
            .stream(&format!("created {} {name}", self.account.id), 0)
            .between(90 * DAY, 900 * DAY);
        crate::time::format(FIRST_MONDAY - back, "%Y-%m-%dT%H:%M:%S+00:00")
    }

    /// One of the provider's own policies.
    pub(super) fn provided(&mut self, name: &str) -> Value {
        let known = PROVIDER_POLICIES
            .iter()
            .find(|(_, known, _)| *known == name);
        let (path, actions) =
            known.map_or(("", &["*"][..]), |(path, _, actions)| (*path, *actions));
        let arn = format!("arn:aws:iam::aws:policy/{path}{name}");
        if !self
            .policies
            .iter()
            .any(|policy| policy["Arn"] == arn.as_str())
        {
            self.define(
                name,
                &format!("/{path}"),
                &arn,
                document(vec![allow(actions, &["*"])]),
            );
        }
        json!({"PolicyName": name, "PolicyArn": arn})
    }

    fn define(&mut self, name: &str, path: &str, arn: &str, body: Value) {
        let created = self.created(name);
        self.policies.push(json!({
            "PolicyName": name, "PolicyId": self.id("ANPA", "policy", name), "Arn": arn, "Path": path,
            "DefaultVersionId": "v1", "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": true, "CreateDate": created, "UpdateDate": created,
            "PolicyVersionList": [{"Document": body, "VersionId": "v1", "IsDefaultVersion": true, "CreateDate": created}],
        }));
    }

    pub(super) fn group(&mut self, name: &str, inline: Vec<(&str, Value)>) {
        self.groups.push(json!({
            "Path": "/", "GroupName": name, "GroupId": self.id("AGPA", "group", name),
            "Arn": format!("arn:aws:iam::{}:group/{name}", self.account.id), "CreateDate": self.created(name),
            "GroupPolicyList": inline_policies(inline), "AttachedManagedPolicies": [],
        }));
    }

    pub(super) fn user(
        &mut self,
        name: &str,
        login: Login,
        groups: &[&str],
        inline: Vec<(&str, Value)>,
        attached: Vec<Value>,
    ) {
        self.sign_in_data(name, login);
        self.users.push(json!({
            "Path": "/", "UserName": name, "UserId": self.id("AIDA", "user", name),
            "Arn": format!("arn:aws:iam::{}:user/{name}", self.account.id), "CreateDate": self.created(name),
            "UserPolicyList": inline_policies(inline), "GroupList": groups,
            "AttachedManagedPolicies": attached, "Tags": [],
        }));
    }

    /// What the credential report and the listings of keys and factors say of a user.
    fn sign_in_data(&mut self, name: &str, login: Login) {
        let arn = format!("arn:aws:iam::{}:user/{name}", self.account.id);
        let created = self.created(name);
        let (password, key) = (login != Login::Key, login != Login::Password);
        let flag = |yes: bool, text: &str| {
            if yes {
                text.to_owned()
            } else {
                "N/A".to_owned()
            }
        };
        self.report.push(format!(
            "{name},{arn},{created},{password},{},{},N/A,{password},{key},{},{},{},{},false,N/A,N/A,N/A,N/A,false,N/A,false,N/A",
            if password { "no_information" } else { "N/A" },
            flag(password, &created),
            flag(key, &created),
            flag(key, "2026-01-12T08:00:00+00:00"),
            flag(key, "eu-west-1"),
            flag(key, "s3"),
        ));
        if key {
            self.keys.push(json!({
                "UserName": name, "AccessKeyId": long_lived_key(self.seeds, self.account.id, name),
                "Status": "Active", "CreateDate": created,
            }));
        }
        if password {
            self.factors.push(json!({
                "SerialNumber": format!("arn:aws:iam::{}:mfa/{name}", self.account.id),
                "User": {"UserName": name, "Arn": arn}, "EnableDate": created,
            }));
        }
    }

    pub(super) fn role(
        &mut self,
        role: &Role,
        trust: Value,
        inline: Vec<(&str, Value)>,
        attached: Vec<Value>,
    ) {
        self.role_with_profile(role, trust, inline, attached, false);
    }

    /// A role, with an instance profile of the same name where instances run as it.
    pub(super) fn role_with_profile(
        &mut self,
        role: &Role,
        trust: Value,
        inline: Vec<(&str, Value)>,
        attached: Vec<Value>,
        profile: bool,
    ) {
        let created = self.created(&role.name);
        // Everything after the account: path and name.
        let path = role
            .arn
            .split_once(":role")
            .map_or("/", |(_, rest)| rest)
            .trim_end_matches(&role.name)
            .to_owned();
        let mut value = json!({
            "Path": path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn, "CreateDate": created,
            "AssumeRolePolicyDocument": trust, "InstanceProfileList": [],
            "RolePolicyList": inline_policies(inline), "AttachedManagedPolicies": attached, "Tags": [],
            "RoleLastUsed": {},
        });
        if profile {
            value["InstanceProfileList"] = json!([{
                "Path": "/", "InstanceProfileName": role.name,
                "InstanceProfileId": self.id("AIPA", "instance profile", &role.name),
                "Arn": format!("arn:aws:iam::{}:instance-profile/{}", self.account.id, role.name),
                "CreateDate": created,
                "Roles": [{
                    "Path": path, "RoleName": role.name, "RoleId": role.id, "Arn": role.arn,
                    "CreateDate": created, "AssumeRolePolicyDocument": value["AssumeRolePolicyDocument"],
                }],
            }]);
        }
        self.roles.push(value);
    }

    /// All that was gathered.
    pub(super) fn finish(self) -> Gathered {
        let mut report = String::from(
            "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
             password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
             access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
             access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
             access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,\
             cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n",
        );
        let root = format!("arn:aws:iam::{}:root", self.account.id);
        report.push_str(&format!(
            "<root_account>,{root},2022-03-01T09:00:00+00:00,not_supported,no_information,not_supported,\
             not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
        ));
        for row in &self.report {
            report.push_str(row);
            report.push('\n');
        }
        Gathered {
            details: json!({
                "UserDetailList": self.users, "GroupDetailList": self.groups,
                "RoleDetailList": self.roles, "Policies": self.policies,
            }),
            report,
            keys: self.keys.into(),
            factors: self.factors.into(),
        }
    }
}

/// What is known of an account's identities, in the shapes of four commands.
pub(super) struct Gathered {
    /// `get-account-authorization-details`.
    pub(super) details: Value,
    /// `get-credential-report`, decoded.
    pub(super) report: String,
    /// `list-access-keys` of all users.
    pub(super) keys: Value,
    /// `list-virtual-mfa-devices`.
    pub(super) factors: Value,
}

/// How an IAM user signs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    Password,
    Key,
    Both,
}

fn inline_policies(policies: Vec<(&str, Value)>) -> Value {
    policies
        .into_iter()
        .map(|(name, body)| json!({"PolicyName": name, "PolicyDocument": body}))
        .collect()
}
