use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::iam::{allow, document};
use crate::background::{FUNCTIONS, NODE_ROLE, SERVICES};
use crate::organisation::{Account, DEV, HOME_REGION, MANAGEMENT, SIGN, WEB};
use crate::stage::Stage;
use crate::wallets::hot_public_key;

/// What an account holds, the listings of the command line side by side.
pub(super) fn resources(stage: &Stage, account: Account) -> Value {
    let mut all = json!({"Account": account.id, "Region": HOME_REGION});
    all["Buckets"] = buckets(stage, account);
    all["Keys"] = keys(stage, account);
    if account == SIGN {
        all["PublicKeys"] = public_keys(stage);
    }
    all["Functions"] = functions(stage, account);
    all["repositories"] = repositories(account);
    all["SecretList"] = secrets(stage, account);
    all["Parameters"] = parameters(account);
    all["Reservations"] = reservations(stage, account);
    all["taskDefinitions"] = task_definitions(stage, account);
    all["services"] = services(account);
    all["DistributionList"] = distributions(stage, account);
    all["Queues"] = queues(account);
    // Asked for, and none there.
    for nothing in [
        "projects",
        "Jobs",
        "Stacks",
        "stateMachines",
        "ServiceSummaryList",
    ] {
        all[nothing] = json!([]);
    }
    all
}

fn arn(service: &str, account: Account, rest: &str) -> String {
    format!("arn:aws:{service}:{HOME_REGION}:{}:{rest}", account.id)
}

fn buckets(stage: &Stage, account: Account) -> Value {
    let organisation = &stage.organisation;
    let names: &[&str] = match account {
        WEB => &[
            &organisation.web_bucket,
            "halyard-app-logs",
            "halyard-reports",
            "halyard-reports-replica",
            "halyard-build-cache",
            "halyard-partner-inbox",
            "halyard-media",
        ],
        DEV => &[
            "halyard-media-dev",
            "halyard-scratch-dev",
            "halyard-artefacts-dev",
        ],
        MANAGEMENT => &[&organisation.log_bucket],
        _ => &["halyard-sign-ledger"],
    };
    names
        .iter()
        .map(|name| bucket(stage, account, name))
        .collect()
}

fn bucket(stage: &Stage, account: Account, name: &str) -> Value {
    let organisation = &stage.organisation;
    let all = [
        format!("arn:aws:s3:::{name}"),
        format!("arn:aws:s3:::{name}/*"),
    ];
    let encrypted_only = json!({
        "Sid": "EncryptedTransportOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": all,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    });
    let mut statements = vec![encrypted_only];
    let mut tags = json!([{"Key": "owner", "Value": account.name}]);
    if name == organisation.web_bucket {
        tags = json!([{"Key": "owner", "Value": "web"}, {"Key": "role", "Value": "web-origin"}]);
        statements.push(json!({
            "Sid": "DistributionReads", "Effect": "Allow", "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject", "Resource": all[1],
            "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn(stage)}},
        }));
    }
    if name == organisation.log_bucket {
        statements.push(json!({
            "Sid": "TrailWrites", "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:PutObject", "Resource": all[1],
            "Condition": {"StringEquals": {"aws:SourceArn": arn("cloudtrail", MANAGEMENT, "trail/organisation")}},
        }));
    }
    json!({
        "Name": name, "CreationDate": "2023-05-04T09:12:00+00:00", "BucketRegion": HOME_REGION,
        "Policy": document(statements).to_string(),
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
        },
        "Versioning": {"Status": if name == organisation.web_bucket { "Suspended" } else { "Enabled" }},
        "Tags": {"TagSet": tags},
    })
}

fn distribution_arn(stage: &Stage) -> String {
    format!(
        "arn:aws:cloudfront::{}:distribution/{}",
        WEB.id, stage.organisation.distribution
    )
}

fn queues(account: Account) -> Value {
    if account != WEB && account != DEV {
        return json!([]);
    }
    SERVICES
        .iter()
        .chain(&FUNCTIONS)
        .map(|name| json!({"QueueArn": arn("sqs", account, name), "Policy": null}))
        .collect()
}

fn distributions(stage: &Stage, account: Account) -> Value {
    if account != WEB {
        return json!({"Quantity": 0, "IsTruncated": false, "MaxItems": 100, "Marker": "", "Items": []});
    }
    let organisation = &stage.organisation;
    json!({
        "Quantity": 1, "IsTruncated": false, "MaxItems": 100, "Marker": "",
        "Items": [{
            "Id": organisation.distribution, "ARN": distribution_arn(stage), "Status": "Deployed", "Enabled": true,
            "DomainName": "d111111abcdef8.cloudfront.example", "Comment": "app.halyard.example",
            "Aliases": {"Quantity": 1, "Items": ["app.halyard.example"]},
            "Origins": {"Quantity": 1, "Items": [{
                "Id": "web", "OriginPath": "",
                "DomainName": format!("{}.s3.{HOME_REGION}.amazonaws.com", organisation.web_bucket),
                "OriginAccessControlId": "E2QWRUHEXAMPLE", "S3OriginConfig": {"OriginAccessIdentity": ""},
            }]},
        }],
    })
}

fn keys(stage: &Stage, account: Account) -> Value {
    let organisation = &stage.organisation;
    let mut keys = Vec::new();
    if account == SIGN {
        let signer = organisation.role(SIGN, "signer").arn;
        let policy = document(vec![
            json!({
                "Sid": "AccountAdministersButDoesNotSign", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", SIGN.id)},
                "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:Enable*", "kms:TagResource", "kms:PutKeyPolicy"], "Resource": "*",
            }),
            json!({
                "Sid": "SignerSigns", "Effect": "Allow", "Principal": {"AWS": signer},
                "Action": ["kms:Sign", "kms:GetPublicKey"], "Resource": "*",
            }),
        ]);
        keys.push(json!({
            "KeyMetadata": {
                "AWSAccountId": SIGN.id, "Arn": organisation.signing_key,
                "KeyId": organisation.signing_key.rsplit('/').next(), "Description": "Withdrawals of the hot wallet",
                "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY", "KeyState": "Enabled", "Origin": "AWS_KMS",
                "KeyManager": "CUSTOMER", "MultiRegion": false, "SigningAlgorithms": ["ECDSA_SHA_256"],
            },
            "Policy": policy.to_string(),
            "Aliases": ["alias/withdrawals"],
        }));
    }
    let id = if account == MANAGEMENT {
        stage.seeds.stream("trail key", 0).uuid()
    } else {
        stage
            .seeds
            .stream(&format!("data key {}", account.id), 0)
            .uuid()
    };
    let policy = document(vec![json!({
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id)}, "Action": "kms:*", "Resource": "*",
    })]);
    keys.push(json!({
        "KeyMetadata": {
            "AWSAccountId": account.id, "Arn": arn("kms", account, &format!("key/{id}")), "KeyId": id,
            "Description": "Data at rest", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER", "MultiRegion": false,
        },
        "Policy": policy.to_string(),
        "Aliases": ["alias/data"],
    }));
    keys.into()
}

/// The answers of `get-public-key`.
fn public_keys(stage: &Stage) -> Value {
    json!([{
        "KeyId": stage.organisation.signing_key, "PublicKey": STANDARD.encode(hot_public_key(stage.seeds)),
        "CustomerMasterKeySpec": "ECC_SECG_P256K1", "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY",
        "SigningAlgorithms": ["ECDSA_SHA_256"],
    }])
}

fn functions(stage: &Stage, account: Account) -> Value {
    if account != WEB && account != DEV {
        return json!([]);
    }
    let mut functions: Vec<_> = FUNCTIONS
        .iter()
        .map(|name| (*name, format!("fn-{name}")))
        .collect();
    if account == WEB {
        functions.push(("key-rotation", "key-rotation".to_owned()));
    }
    functions
        .into_iter()
        .map(|(name, role)| {
            json!({
                "FunctionName": name, "FunctionArn": arn("lambda", account, &format!("function:{name}")),
                "Runtime": "python3.12", "Role": stage.organisation.role(account, &role).arn, "Handler": "main.handle",
                "PackageType": "Zip", "Timeout": 60, "MemorySize": 256, "Version": "$LATEST",
                "Policy": invocation(account, name),
            })
        })
        .collect()
}

/// Who may invoke a function: one is called from outside, through the gateway.
fn invocation(account: Account, name: &str) -> Value {
    if name != "webhook" {
        return Value::Null;
    }
    document(vec![json!({
        "Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": arn("lambda", account, "function:webhook"),
        "Condition": {"ArnLike": {"AWS:SourceArn": arn("execute-api", account, "a1b2c3d4e5/*")}},
    })])
    .to_string()
    .into()
}

fn repositories(account: Account) -> Value {
    if account != WEB && account != DEV {
        return json!([]);
    }
    SERVICES
        .into_iter()
        .chain(["web-edge", "wallet-relayer"])
        .map(|name| {
            json!({
                "repositoryArn": arn("ecr", account, &format!("repository/{name}")), "registryId": account.id,
                "repositoryName": name, "repositoryUri": format!("{}/{name}", registry(account)),
                "imageTagMutability": if name == "web-edge" { "MUTABLE" } else { "IMMUTABLE" },
                "imageScanningConfiguration": {"scanOnPush": true},
                "policyText": null,
            })
        })
        .collect()
}

fn registry(account: Account) -> String {
    format!("{}.dkr.ecr.{HOME_REGION}.amazonaws.com", account.id)
}

fn secrets(stage: &Stage, account: Account) -> Value {
    if account != WEB {
        return json!([]);
    }
    let robots = ["mail-sender", "desk-export", "status-page"].map(|user| {
        let name = format!("halyard/robots/{user}");
        let suffix = stage.seeds.stream(&name, 0).alphanumeric(6);
        (
            name.clone(),
            arn("secretsmanager", WEB, &format!("secret:{name}-{suffix}")),
            "robots",
        )
    });
    let own = stage
        .organisation
        .secrets
        .iter()
        .map(|(name, arn, wallet)| {
            (
                (*name).to_owned(),
                arn.clone(),
                if *wallet { "wallet" } else { "application" },
            )
        });
    own.chain(robots)
        .map(|(name, arn, tier)| {
            json!({
                "ARN": arn, "Name": name, "ResourcePolicy": null, "RotationEnabled": tier == "robots",
                "Description": if tier == "wallet" { "Key material of a hot wallet" } else { "" },
                "Tags": [{"Key": "tier", "Value": tier}],
            })
        })
        .collect()
}

fn parameters(account: Account) -> Value {
    if account != WEB {
        return json!([]);
    }
    SERVICES
        .into_iter()
        .map(|service| {
            let name = format!("/halyard/{service}/config");
            json!({"Name": name, "ARN": arn("ssm", account, &format!("parameter{name}")), "Type": "SecureString", "Tier": "Standard"})
        })
        .collect()
}

fn reservations(stage: &Stage, account: Account) -> Value {
    let (instances, profile, kind) = match account {
        WEB => (stage.organisation.nodes.clone(), NODE_ROLE, "m6i.xlarge"),
        SIGN => (
            vec![stage.organisation.signer_instance.clone()],
            "signer",
            "c6i.large",
        ),
        _ => return json!([]),
    };
    let instances: Vec<_> = instances
        .into_iter()
        .map(|instance| {
            json!({
                "InstanceId": instance, "InstanceType": kind,
                "ImageId": format!("ami-0{}", stage.seeds.stream("machine image", 0).hex(16)),
                "State": {"Code": 16, "Name": "running"}, "Placement": {"AvailabilityZone": format!("{HOME_REGION}a")},
                "IamInstanceProfile": {"Arn": format!("arn:aws:iam::{}:instance-profile/{profile}", account.id)},
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            })
        })
        .collect();
    json!([{"ReservationId": "r-0aa11bb22cc33dd44", "OwnerId": account.id, "Instances": instances}])
}

fn task_definitions(stage: &Stage, account: Account) -> Value {
    if account != WEB {
        return json!([]);
    }
    // The public edge runs with the instances' role: a leftover of its first days.
    let mut tasks = vec![
        ("web-edge", "stable", NODE_ROLE.to_owned()),
        (
            "wallet-relayer",
            "2026-01-19",
            "svc-wallet-relayer".to_owned(),
        ),
    ];
    tasks.extend(
        ["api", "ledger", "quotes", "payments"]
            .map(|name| (name, "2026-01-26", format!("svc-{name}"))),
    );
    tasks
        .into_iter()
        .map(|(name, tag, role)| {
            json!({
                "taskDefinitionArn": arn("ecs", account, &format!("task-definition/{name}:7")), "family": name, "revision": 7,
                "taskRoleArn": stage.organisation.role(account, &role).arn, "networkMode": "awsvpc", "status": "ACTIVE",
                "requiresCompatibilities": ["EC2"],
                "containerDefinitions": [{"name": name, "image": format!("{}/{name}:{tag}", registry(account)), "essential": true}],
            })
        })
        .collect()
}

fn services(account: Account) -> Value {
    if account != WEB {
        return json!([]);
    }
    ["web-edge", "wallet-relayer", "api", "ledger", "quotes", "payments"]
        .map(|name| {
            json!({
                "serviceArn": arn("ecs", account, &format!("service/prod-core/{name}")), "serviceName": name,
                "clusterArn": arn("ecs", account, "cluster/prod-core"), "status": "ACTIVE", "launchType": "EC2",
                "taskDefinition": arn("ecs", account, &format!("task-definition/{name}:7")), "enableExecuteCommand": false,
            })
        })
        .to_vec()
        .into()
}

/// A service control policy: name, description, statements.
pub(super) fn control_policies() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        (
            "p-FullAWSAccess",
            "FullAWSAccess",
            document(vec![allow(&["*"], &["*"])]),
        ),
        (
            "p-protecttrail",
            "protect-the-trail",
            document(vec![json!({
                "Sid": "TrailAndMembershipStay", "Effect": "Deny", "Resource": "*",
                "Action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "organizations:LeaveOrganization", "guardduty:DeleteDetector"],
            })]),
        ),
        (
            "p-regions0001",
            "two-regions-only",
            document(vec![json!({
                "Sid": "OtherRegions", "Effect": "Deny", "Resource": "*",
                "NotAction": ["iam:*", "organizations:*", "sts:*", "cloudfront:*", "route53:*", "support:*", "budgets:*"],
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": [HOME_REGION, "us-east-1"]}},
            })]),
        ),
    ]
}
