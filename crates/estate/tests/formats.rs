//! Each format, by small inputs in the shape of the AWS command line.

use portreeve_estate::{complete, formats, read, recognise};
use portreeve_model::{Entity, EntityKind, Estate, PolicyLayer, PrincipalKind, Relation};

/// Reads files that must hold nothing unreadable, each of the format that is named with it.
fn estate(files: &[(&str, &str)]) -> Estate {
    let mut estate = Estate::default();
    for (format, text) in files {
        let found = recognise(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(found.id(), *format, "{text}");
        assert_eq!(read("file", text.as_bytes(), &mut estate), [], "{text}");
    }
    complete(&mut estate);
    estate
}

fn entity<'e>(estate: &'e Estate, id: &str) -> &'e Entity {
    estate.get(id).unwrap_or_else(|| {
        panic!(
            "{id} is not in {:#?}",
            estate.entities().map(|e| &e.id).collect::<Vec<_>>()
        )
    })
}

fn runs_as(estate: &Estate, workload: &str) -> Vec<String> {
    let found = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::RunsAs {
                workload: of,
                principal,
            } if of.as_str() == workload => Some(principal.to_string()),
            _ => None,
        });
    found.collect()
}

fn resource_policy<'e>(estate: &'e Estate, id: &str) -> Option<&'e str> {
    estate
        .relations()
        .iter()
        .find_map(|relation| match relation {
            Relation::Policy {
                subject,
                layer: PolicyLayer::Resource,
                document,
                ..
            } if subject.as_str() == id => Some(&**document),
            _ => None,
        })
}

fn kind(estate: &Estate, id: &str) -> Option<PrincipalKind> {
    estate
        .relations()
        .iter()
        .find_map(|relation| match relation {
            Relation::Kind { principal, kind } if principal.as_str() == id => Some(*kind),
            _ => None,
        })
}

const ROLE: &str = "arn:aws:iam::111122223333:role/app";
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

#[test]
fn every_format_says_what_it_is_for() {
    let mut ids: Vec<_> = formats().map(|format| format.id()).collect();
    let count = ids.len();
    assert!(count >= 20);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for format in formats() {
        assert!(format.id().starts_with("aws."));
        for text in [format.title(), format.command(), format.without()] {
            assert!(text.len() > 8, "{}", format.id());
        }
    }
    // The guide names no format that is gone.
    let guide = include_str!("../../../docs/inventory.md");
    let named = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `aws."));
    let named: Vec<_> = named.filter_map(|rest| rest.split('`').next()).collect();
    assert!(named.len() >= 20);
    for name in named {
        let id = format!("aws.{name}");
        assert!(ids.contains(&id.as_str()), "{id}");
    }
}

#[test]
fn identities_with_groups_boundaries_and_encoded_documents() {
    let encoded = POLICY
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect::<String>();
    let text = format!(
        r#"{{"UserDetailList": [{{"UserName": "ana", "Arn": "arn:aws:iam::111122223333:user/ana",
        "GroupList": ["devs"], "UserPolicyList": [{{"PolicyName": "inline", "PolicyDocument": "{encoded}"}}],
        "AttachedManagedPolicies": [{{"PolicyName": "AdministratorAccess", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}},
                                    {{"PolicyName": "gone", "PolicyArn": "arn:aws:iam::aws:policy/Gone"}}],
        "PermissionsBoundary": {{"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/bound"}},
        "Tags": [{{"Key": "team", "Value": "web"}}]}}],
      "GroupDetailList": [{{"GroupName": "devs", "Arn": "arn:aws:iam::111122223333:group/staff/devs", "GroupPolicyList": []}}],
      "RoleDetailList": [{{"RoleName": "ci", "Arn": "arn:aws:iam::111122223333:role/ci", "AssumeRolePolicyDocument":
        {{"Statement": {{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
          "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}}}}}}}}],
      "Policies": [{{"PolicyName": "bound", "Arn": "arn:aws:iam::111122223333:policy/bound", "DefaultVersionId": "v2", "PolicyVersionList": [
        {{"VersionId": "v1", "IsDefaultVersion": false, "Document": {{"Statement": [], "Id": "old"}}}},
        {{"VersionId": "v2", "IsDefaultVersion": true, "Document": {{"Statement": [], "Id": "new"}}}}]}}]}}"#
    );
    let estate = estate(&[("aws.account-authorization-details", &text)]);
    let ana = "arn:aws:iam::111122223333:user/ana";
    assert_eq!(entity(&estate, ana).tags["team"], "web");
    assert!(estate.relations().contains(&Relation::MemberOf {
        member: ana.into(),
        group: "arn:aws:iam::111122223333:group/staff/devs".into(),
    }));
    let policies: Vec<_> = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::Policy {
                subject,
                layer,
                name,
                document,
            } if subject.as_str() == ana => Some((*layer, name.as_str(), &**document)),
            _ => None,
        })
        .collect();
    assert_eq!(policies[0].1, "arn:aws:iam::aws:policy/AdministratorAccess");
    assert!(policies[0].2.contains(r#""Action":"*""#));
    assert_eq!(
        policies[1],
        (PolicyLayer::Identity, "arn:aws:iam::aws:policy/Gone", "")
    );
    assert_eq!(policies[2], (PolicyLayer::Identity, "inline", POLICY));
    assert_eq!(
        policies[3],
        (
            PolicyLayer::Boundary,
            "arn:aws:iam::111122223333:policy/bound",
            r#"{"Statement":[],"Id":"new"}"#
        )
    );
    assert_eq!(policies.len(), 4);
    assert!(
        estate
            .blind_spots
            .iter()
            .any(|spot| spot.missing.contains("policy/Gone"))
    );
    assert!(
        !estate
            .blind_spots
            .iter()
            .any(|spot| spot.missing.contains("Administrator"))
    );
    assert_eq!(
        kind(&estate, "arn:aws:iam::111122223333:role/ci"),
        Some(PrincipalKind::Pipeline)
    );
    assert!(estate.blind_spots.iter().any(
        |spot| spot.missing.starts_with("S3 buckets") && spot.missing.contains("111122223333")
    ));
}

#[test]
fn people_sign_in_as_the_roles_of_their_permission_sets() {
    let center = r#"{"Users": [{"UserId": "u-1", "UserName": "ana"}, {"UserId": "u-2", "UserName": "bo"}],
      "Groups": [{"GroupId": "g-1", "DisplayName": "admins"}],
      "GroupMemberships": [{"GroupId": "g-1", "MemberId": {"UserId": "u-1"}}],
      "PermissionSets": [{"PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "Name": "Prod_Admin", "InlinePolicy": "{\"Statement\":[]}",
                          "AttachedManagedPolicies": [{"Name": "AdministratorAccess", "Arn": "arn:aws:iam::aws:policy/AdministratorAccess"}]}],
      "AccountAssignments": [
        {"AccountId": "111122223333", "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "PrincipalType": "GROUP", "PrincipalId": "g-1"},
        {"AccountId": "111122223333", "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "PrincipalType": "USER", "PrincipalId": "u-2"},
        {"AccountId": "444455556666", "PermissionSetArn": "arn:aws:sso:::permissionSet/ssoins-1/ps-1", "PrincipalType": "USER", "PrincipalId": "u-2"}]}"#;
    let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Prod_Admin_0123456789abcdef";
    let iam = format!(
        r#"{{"RoleDetailList": [{{"Arn": "{role}", "AssumeRolePolicyDocument": {{"Statement": []}}}}]}}"#
    );
    let estate = estate(&[
        ("aws.identity-center", center),
        ("aws.account-authorization-details", &iam),
    ]);
    let people: Vec<_> = estate
        .relations()
        .iter()
        .filter_map(|relation| match relation {
            Relation::SignsInAs { person, role: of } if of.as_str() == role => {
                Some(person.short_name())
            }
            _ => None,
        })
        .collect();
    assert_eq!(people, ["u-1", "u-2"]);
    assert_eq!(kind(&estate, role), Some(PrincipalKind::Human));
    assert_eq!(
        kind(&estate, "arn:aws:identitystore:::user/u-1"),
        Some(PrincipalKind::Human)
    );
    assert!(
        estate
            .blind_spots
            .iter()
            .any(|spot| spot.missing.contains("Prod_Admin in 444455556666"))
    );
}

#[test]
fn listed_keys_find_their_user() {
    let keys = r#"{"AccessKeyMetadata": [{"UserName": "bot", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "Status": "Active", "CreateDate": "2024-01-01T00:00:00Z"}]}"#;
    let devices = r#"{"MFADevices": [{"UserName": "bot", "SerialNumber": "arn:aws:iam::111122223333:mfa/phone"}]}"#;
    let iam = r#"{"UserDetailList": [{"UserName": "bot", "Arn": "arn:aws:iam::111122223333:user/ci/bot"}]}"#;
    let estate = estate(&[
        ("aws.access-keys", keys),
        ("aws.mfa-devices", devices),
        ("aws.account-authorization-details", iam),
    ]);
    let bot = "arn:aws:iam::111122223333:user/ci/bot";
    for credential in [
        "AKIAIOSFODNN7EXAMPLE",
        "arn:aws:iam::111122223333:mfa/phone",
    ] {
        assert!(estate.relations().contains(&Relation::Proves {
            credential: credential.into(),
            principal: bot.into()
        }));
    }
    assert_eq!(kind(&estate, bot), Some(PrincipalKind::Human));
}

#[test]
fn buckets_and_what_serves_them() {
    let policy = POLICY.replace('"', "\\\"");
    let buckets = format!(
        r#"{{"Account": "111122223333", "Buckets": [
      {{"Name": "web.example.com", "Policy": {{"Policy": "{policy}"}}, "PublicAccessBlock": {{"PublicAccessBlockConfiguration": {{"BlockPublicPolicy": false}}}},
        "Versioning": {{"Status": "Enabled"}}, "Tagging": {{"TagSet": [{{"Key": "tier", "Value": "web-origin"}}]}}, "Website": {{"IndexDocument": {{"Suffix": "index.html"}}}}}},
      {{"Name": "plain", "Policy": null, "Tags": {{"a": "b"}}}},
      {{"Name": "bare"}}]}}"#
    );
    let distributions = r#"{"DistributionList": {"Items": [{"Id": "E1", "ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "DomainName": "d1.cloudfront.net",
      "Aliases": {"Quantity": 1, "Items": ["app.example.com"]},
      "Origins": {"Quantity": 2, "Items": [{"Id": "s3", "DomainName": "web.example.com.s3.eu-west-1.amazonaws.com"}, {"Id": "api", "DomainName": "api.example.com"}]}}]}}"#;
    let estate = estate(&[
        ("aws.buckets", &buckets),
        ("aws.distributions", distributions),
    ]);
    let web = entity(&estate, "arn:aws:s3:::web.example.com");
    assert_eq!(web.account.as_deref(), Some("111122223333"));
    assert_eq!(
        (web.tags["tier"].as_str(), web.tags.len()),
        ("web-origin", 1)
    );
    for (name, value) in [
        ("BlockPublicPolicy", "false"),
        ("Versioning", "Enabled"),
        ("Website", "true"),
        ("Policy", "given"),
    ] {
        assert_eq!(web.attributes[name], value);
    }
    assert!(!web.inferred);
    assert_eq!(resource_policy(&estate, web.id.as_str()), Some(POLICY));
    let plain = entity(&estate, "arn:aws:s3:::plain");
    assert_eq!(
        (
            plain.attributes["Policy"].as_str(),
            plain.tags["a"].as_str()
        ),
        ("none", "b")
    );
    let serves = |origin: &str| {
        estate.relations().contains(&Relation::Serves {
            distribution: "arn:aws:cloudfront::111122223333:distribution/E1".into(),
            origin: origin.into(),
        })
    };
    assert!(serves("arn:aws:s3:::web.example.com") && serves("api.example.com"));
    let spot = estate
        .blind_spots
        .iter()
        .find(|spot| spot.missing.starts_with("resource policies of buckets"));
    assert_eq!(spot.unwrap().missing, "resource policies of buckets: bare");
}

#[test]
fn public_keys_are_kept_of_keys_that_sign_for_wallets() {
    let key = |name: &str| format!("arn:aws:kms:eu-west-1:111122223333:key/{name}");
    let answer = |name: &str, spec: &str| {
        format!(
            r#"{{"KeyId": "{}", "PublicKey": "MFYw", "{spec}", "KeyUsage": "SIGN_VERIFY"}}"#,
            key(name)
        )
    };
    let wallet = answer("one", r#"KeySpec": "ECC_SECG_P256K1"#);
    let old = answer("two", r#"CustomerMasterKeySpec": "ECC_SECG_P256K1"#);
    let other = answer("three", r#"KeySpec": "ECC_NIST_P256"#);
    let listed = format!(r#"{{"PublicKeys": [{old}]}}"#);
    // As `collect aws` writes them, beside what else it knows of a key.
    let collected = format!(
        r#"{{"Keys": [{{"KeyId": "four", "Arn": "{}", "KeySpec": "ECC_SECG_P256K1", "PublicKey": "MFYx"}},
            {{"KeyId": "five", "Arn": "{}", "KeySpec": "SYMMETRIC_DEFAULT"}}]}}"#,
        key("four"),
        key("five")
    );
    let estate = estate(&[
        ("aws.public-keys", &format!("{wallet}\n{other}")),
        ("aws.public-keys", &listed),
        ("aws.keys", &collected),
    ]);
    for (name, expected) in [("one", "MFYw"), ("two", "MFYw"), ("four", "MFYx")] {
        let attributes = &entity(&estate, &key(name)).attributes;
        assert_eq!(attributes["PublicKey"], expected, "{name}");
    }
    assert!(estate.get(&key("three")).is_none());
    let five = entity(&estate, &key("five"));
    assert!(!five.attributes.contains_key("PublicKey"));

    let mut unread = Estate::default();
    let nameless = wallet.replace(&key("one"), "k-1");
    assert_eq!(read("file", nameless.as_bytes(), &mut unread).len(), 1);
}

#[test]
fn keys_secrets_parameters_queues_topics() {
    let policy = POLICY.replace('"', "\\\"");
    let key = "arn:aws:kms:eu-west-1:111122223333:key/k-1";
    let keys = format!(
        r#"{{"Keys": [{{"KeyMetadata": {{"Arn": "{key}", "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY", "Origin": "AWS_KMS"}},
      "Policy": "{policy}", "Grants": [{{"GrantId": "g-1", "GranteePrincipal": "{ROLE}", "Operations": ["Sign", "Verify"]}}]}}]}}"#
    );
    let described =
        format!(r#"{{"KeyMetadata": {{"Arn": "{key}", "Description": "hot wallet"}}}}"#);
    let aliases = r#"{"Aliases": [{"AliasName": "alias/wallet", "AliasArn": "arn:aws:kms:eu-west-1:111122223333:alias/wallet", "TargetKeyId": "k-1"}]}"#;
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:wallet/seed-AbCdEf";
    let secrets = format!(
        r#"{{"SecretList": [{{"ARN": "{secret}", "Name": "wallet/seed", "Description": "seed", "Tags": []}}]}}"#
    );
    let secret_policy =
        format!(r#"{{"ARN": "{secret}", "Name": "wallet/seed", "ResourcePolicy": "{policy}"}}"#);
    let parameters = r#"{"Account": "111122223333", "Region": "eu-west-1", "Parameters": [{"Name": "/app/db", "Type": "SecureString"}, {"Name": "plain", "Type": "String"}]}"#;
    let queue = format!(
        r#"{{"Attributes": {{"QueueArn": "arn:aws:sqs:eu-west-1:111122223333:jobs", "Policy": "{policy}"}}}}"#
    );
    let urls = r#"{"QueueUrls": ["https://sqs.eu-west-1.amazonaws.com/111122223333/other"]}"#;
    let topic = format!(
        r#"{{"Topics": [{{"TopicArn": "arn:aws:sns:eu-west-1:111122223333:news", "Attributes": {{"Policy": "{policy}"}}}}]}}"#
    );
    let estate = estate(&[
        ("aws.keys", &keys),
        ("aws.keys", &described),
        ("aws.keys", aliases),
        ("aws.secrets", &secrets),
        ("aws.secrets", &secret_policy),
        ("aws.parameters", parameters),
        ("aws.queues", &queue),
        ("aws.queues", urls),
        ("aws.topics", &topic),
    ]);
    let wallet = entity(&estate, key);
    for (name, value) in [
        ("KeySpec", "ECC_SECG_P256K1"),
        ("Description", "hot wallet"),
        ("Aliases", "alias/wallet"),
        ("Policy", "given"),
        ("Grants", "arn:aws:iam::111122223333:role/app: Sign, Verify"),
    ] {
        assert_eq!(wallet.attributes[name], value);
    }
    let is_grant = |relation: &&Relation| matches!(relation, Relation::Policy { layer, .. } if *layer == PolicyLayer::Grant);
    assert_eq!(
        estate
            .relations()
            .iter()
            .filter(is_grant)
            .collect::<Vec<_>>(),
        [&Relation::Policy {
            subject: key.into(),
            layer: PolicyLayer::Grant,
            name: "grant:g-1".to_owned(),
            document: format!(
                r#"{{"GrantId":"g-1","GranteePrincipal":"{ROLE}","Operations":["Sign","Verify"]}}"#
            )
            .into(),
        }]
    );
    for id in [
        key,
        secret,
        "arn:aws:sqs:eu-west-1:111122223333:jobs",
        "arn:aws:sns:eu-west-1:111122223333:news",
    ] {
        assert_eq!(resource_policy(&estate, id), Some(POLICY), "{id}");
    }
    assert_eq!(entity(&estate, secret).attributes["Name"], "wallet/seed");
    for name in ["app/db", "plain"] {
        let id = format!("arn:aws:ssm:eu-west-1:111122223333:parameter/{name}");
        assert_eq!(entity(&estate, &id).kind, EntityKind::Parameter);
    }
    assert!(
        estate
            .get("arn:aws:sqs:eu-west-1:111122223333:other")
            .is_some()
    );
}

#[test]
fn workloads_act_as_roles_and_pull_images() {
    let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:1";
    let definition = "arn:aws:ecs:eu-west-1:111122223333:task-definition/app:3";
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:pay";
    let files = [
        ("aws.functions", format!(r#"{{"Functions": [{{"FunctionName": "pay", "FunctionArn": "{function}", "Role": "{ROLE}", "PackageType": "Image", "Policy": null}}]}}"#)),
        ("aws.functions", format!(r#"{{"Configuration": {{"FunctionArn": "{function}", "Role": "{ROLE}"}}, "Code": {{"ImageUri": "{image}"}}}}"#)),
        ("aws.image-repositories", r#"{"repositories": [{"repositoryArn": "arn:aws:ecr:eu-west-1:111122223333:repository/team/app", "repositoryName": "team/app", "imageTagMutability": "MUTABLE"}]}"#.to_owned()),
        ("aws.containers", format!(r#"{{"taskDefinition": {{"taskDefinitionArn": "{definition}", "taskRoleArn": "{ROLE}", "executionRoleArn": "arn:aws:iam::111122223333:role/exec", "containerDefinitions": [{{"name": "a", "image": "{image}"}}]}}}}"#)),
        ("aws.containers", format!(r#"{{"services": [{{"serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/c/app", "taskDefinition": "{definition}"}}]}}"#)),
        ("aws.containers", format!(r#"{{"tasks": [{{"taskArn": "arn:aws:ecs:eu-west-1:111122223333:task/c/1", "taskDefinitionArn": "{definition}"}}], "failures": []}}"#)),
        ("aws.instances", r#"{"Reservations": [{"OwnerId": "111122223333", "Instances": [{"InstanceId": "i-1", "Placement": {"AvailabilityZone": "eu-west-1a"},
            "IamInstanceProfile": {"Arn": "arn:aws:iam::111122223333:instance-profile/web"}, "Tags": [{"Key": "Name", "Value": "web"}]}]}]}"#.to_owned()),
        ("aws.instances", format!(r#"{{"InstanceProfiles": [{{"Arn": "arn:aws:iam::111122223333:instance-profile/web", "InstanceProfileName": "web", "Roles": [{{"Arn": "{ROLE}"}}]}}]}}"#)),
        ("aws.instances", r#"{"Account": "111122223333", "Region": "eu-west-1", "LaunchTemplateVersions": [{"LaunchTemplateId": "lt-1", "LaunchTemplateData": {"IamInstanceProfile": {"Name": "web"}}}]}"#.to_owned()),
        ("aws.build-projects", format!(r#"{{"projects": [{{"name": "b", "arn": "arn:aws:codebuild:eu-west-1:111122223333:project/b", "serviceRole": "{ROLE}", "environment": {{"image": "{image}"}}, "source": {{"type": "GITHUB", "location": "https://token@github.example/x"}}, "tags": [{{"key": "a", "value": "b"}}]}}]}}"#)),
        ("aws.stacks", format!(r#"{{"Stacks": [{{"StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1", "StackName": "s", "RoleARN": "{ROLE}"}}]}}"#)),
        ("aws.state-machines", format!(r#"{{"stateMachineArn": "arn:aws:states:eu-west-1:111122223333:stateMachine:m", "name": "m", "roleArn": "{ROLE}"}}"#)),
        ("aws.data-jobs", r#"{"Account": "111122223333", "Region": "eu-west-1", "Jobs": [{"Name": "etl", "Role": "app"}]}"#.to_owned()),
        ("aws.data-jobs", format!(r#"{{"NotebookInstanceArn": "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/n", "RoleArn": "{ROLE}"}}"#)),
        ("aws.applications", format!(r#"{{"Service": {{"ServiceArn": "arn:aws:apprunner:eu-west-1:111122223333:service/a/1", "InstanceConfiguration": {{"InstanceRoleArn": "{ROLE}"}}, "SourceConfiguration": {{"ImageRepository": {{"ImageIdentifier": "{image}"}}}}}}}}"#)),
    ];
    let files: Vec<_> = files
        .iter()
        .map(|(format, text)| (*format, text.as_str()))
        .collect();
    let estate = estate(&files);
    for workload in [
        "lambda:eu-west-1:111122223333:function:pay",
        "ec2:eu-west-1:111122223333:instance/i-1",
        "ec2:eu-west-1:111122223333:launch-template/lt-1",
        "codebuild:eu-west-1:111122223333:project/b",
        "cloudformation:eu-west-1:111122223333:stack/s/1",
        "states:eu-west-1:111122223333:stateMachine:m",
        "glue:eu-west-1:111122223333:job/etl",
        "sagemaker:eu-west-1:111122223333:notebook-instance/n",
        "apprunner:eu-west-1:111122223333:service/a/1",
    ] {
        let id = format!("arn:aws:{workload}");
        assert_eq!(runs_as(&estate, &id), [ROLE], "{id}");
        assert!(entity(&estate, &id).kind.is_workload(), "{id}");
    }
    for workload in [
        definition,
        "arn:aws:ecs:eu-west-1:111122223333:service/c/app",
        "arn:aws:ecs:eu-west-1:111122223333:task/c/1",
    ] {
        assert_eq!(
            runs_as(&estate, workload),
            [ROLE, "arn:aws:iam::111122223333:role/exec"],
            "{workload}"
        );
    }
    let pulling = estate
        .relations()
        .iter()
        .filter(|relation| matches!(relation, Relation::Pulls { .. }))
        .count();
    assert_eq!(pulling, 6);
    assert!(entity(&estate, ROLE).inferred);
    let project = entity(
        &estate,
        "arn:aws:codebuild:eu-west-1:111122223333:project/b",
    );
    assert!(
        !project
            .attributes
            .values()
            .any(|value| value.contains("token@"))
    );
}

#[test]
fn one_combined_document_holds_several_formats() {
    let text = format!(
        r#"{{"Account": "111122223333", "Region": "eu-west-1",
      "Buckets": [{{"Name": "b", "Policy": null}}], "Functions": [], "Keys": [], "Secrets": [], "Parameters": [], "Distributions": [], "Repositories": [],
      "Instances": [], "TaskDefinitions": [], "Projects": [], "Stacks": [], "StateMachines": [], "Jobs": [], "ApplicationsUnknown": 3,
      "ResourcePolicies": [{{"Resource": "arn:aws:s3:::b", "Policy": {POLICY}}}],
      "Compute": [{{"type": "aws_lambda_function", "Arn": "arn:aws:lambda:eu-west-1:111122223333:function:f", "role": "{ROLE}"}}]}}"#
    );
    let estate = estate(&[("aws.buckets", &text)]);
    assert_eq!(resource_policy(&estate, "arn:aws:s3:::b"), Some(POLICY));
    assert_eq!(
        runs_as(&estate, "arn:aws:lambda:eu-west-1:111122223333:function:f"),
        [ROLE]
    );
    let missing: Vec<_> = estate
        .blind_spots
        .iter()
        .map(|spot| spot.missing.as_str())
        .collect();
    let unread = [
        "IAM users",
        "IAM credential report",
        "AWS Organizations",
        "IAM Identity Center",
    ];
    assert!(
        unread
            .iter()
            .all(|title| missing.iter().any(|missing| missing.starts_with(title)))
    );
    assert!(
        !missing
            .iter()
            .any(|missing| missing.starts_with("S3 buckets") || missing.starts_with("Glue")),
        "{missing:#?}"
    );
}

#[test]
fn what_only_policies_name_is_inferred() {
    let text = r#"{"RoleDetailList": [{"Arn": "arn:aws:iam::111122223333:role/r", "AssumeRolePolicyDocument":
        {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ["999988887777", "arn:aws:iam::444455556666:role/theirs"], "Service": "lambda.amazonaws.com"}}]},
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::data/x/*", "arn:aws:s3:::team-*"]}]}}]}]}"#;
    let estate = estate(&[("aws.account-authorization-details", text)]);
    for (id, kind) in [
        ("arn:aws:s3:::data", EntityKind::Bucket),
        ("arn:aws:iam::444455556666:role/theirs", EntityKind::Role),
        ("arn:aws:iam::999988887777:root", EntityKind::External),
        ("lambda.amazonaws.com", EntityKind::Service),
    ] {
        let found = entity(&estate, id);
        assert_eq!((found.kind, found.inferred), (kind, true), "{id}");
    }
    assert!(estate.get("arn:aws:s3:::team-*").is_none());
    assert_eq!(
        kind(&estate, "arn:aws:iam::111122223333:role/r"),
        Some(PrincipalKind::Workload)
    );
    assert_eq!(
        kind(&estate, "lambda.amazonaws.com"),
        Some(PrincipalKind::Service)
    );
}
