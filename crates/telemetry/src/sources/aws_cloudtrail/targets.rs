use std::borrow::Cow;
use std::collections::BTreeMap;

use portreeve_record::{FieldId, Fields, Record, Value};
use smallvec::SmallVec;

use super::arn;
use super::wanted::{Wanted, text};

/// Which parts an ARN has beside the name.
#[derive(Clone, Copy, Debug)]
enum Scope {
    /// Region and account.
    Region,
    /// Account alone.
    Account,
    /// Neither.
    World,
}

use Scope::{Account, Region, World};

/// For calls whose records name no resources: service, request parameter, what stands before the
/// name in the resource part of the ARN, and the ARN's scope. A value that is an ARN already is
/// taken as it is.
const TABLE: &[(&str, &str, &str, Scope)] = &[
    ("apigateway", "restApiId", "/restapis/", Region),
    ("cloudformation", "stackName", "stack/", Region),
    ("cloudfront", "distributionId", "distribution/", Account),
    ("cloudfront", "id", "distribution/", Account),
    ("cloudtrail", "name", "trail/", Region),
    ("cloudtrail", "trailName", "trail/", Region),
    ("codebuild", "name", "project/", Region),
    ("codebuild", "projectName", "project/", Region),
    ("codecommit", "repositoryName", "", Region),
    ("codepipeline", "name", "", Region),
    (
        "config",
        "configurationRecorderName",
        "configuration-recorder/",
        Region,
    ),
    ("dynamodb", "tableName", "table/", Region),
    ("ec2", "groupId", "security-group/", Region),
    ("ec2", "imageId", "image/", Region),
    ("ec2", "instanceId", "instance/", Region),
    ("ec2", "instancesSet.items.instanceId", "instance/", Region),
    ("ec2", "keyName", "key-pair/", Region),
    ("ec2", "launchTemplateId", "launch-template/", Region),
    ("ec2", "networkAclId", "network-acl/", Region),
    ("ec2", "routeTableId", "route-table/", Region),
    ("ec2", "snapshotId", "snapshot/", Region),
    ("ec2", "volumeId", "volume/", Region),
    ("ec2", "vpcId", "vpc/", Region),
    ("ecr", "repositoryName", "repository/", Region),
    ("ecs", "cluster", "cluster/", Region),
    ("ecs", "taskDefinition", "task-definition/", Region),
    ("eks", "name", "cluster/", Region),
    ("events", "name", "rule/", Region),
    ("glue", "jobName", "job/", Region),
    ("guardduty", "detectorId", "detector/", Region),
    ("iam", "groupName", "group/", Account),
    ("iam", "instanceProfileName", "instance-profile/", Account),
    ("iam", "openIDConnectProviderArn", "oidc-provider/", Account),
    ("iam", "policyArn", "policy/", Account),
    ("iam", "roleName", "role/", Account),
    ("iam", "sAMLProviderArn", "saml-provider/", Account),
    ("iam", "serialNumber", "mfa/", Account),
    ("iam", "userName", "user/", Account),
    ("iam", "virtualMFADeviceName", "mfa/", Account),
    ("kms", "aliasName", "", Region),
    ("kms", "keyId", "key/", Region),
    ("lambda", "functionName", "function:", Region),
    ("logs", "logGroupName", "log-group:", Region),
    ("organizations", "accountId", "account/", Account),
    ("rds", "dBClusterIdentifier", "cluster:", Region),
    (
        "rds",
        "dBClusterSnapshotIdentifier",
        "cluster-snapshot:",
        Region,
    ),
    ("rds", "dBInstanceIdentifier", "db:", Region),
    ("rds", "dBSnapshotIdentifier", "snapshot:", Region),
    ("route53", "hostedZoneId", "hostedzone/", World),
    ("s3", "bucketName", "", World),
    // The group is a parameter of its own; most schedules are in the default one.
    ("scheduler", "name", "schedule/default/", Region),
    ("secretsmanager", "name", "secret:", Region),
    ("secretsmanager", "secretId", "secret:", Region),
    ("ses", "identity", "identity/", Region),
    ("sns", "topicArn", "", Region),
    ("sqs", "queueName", "", Region),
    ("sqs", "queueUrl", "", Region),
    ("sso", "permissionSetArn", "", Region),
    ("ssm", "documentName", "document/", Region),
    ("ssm", "name", "parameter/", Region),
    ("ssm", "names", "parameter/", Region),
    ("states", "stateMachineArn", "stateMachine:", Region),
    ("sts", "roleArn", "role/", Account),
    ("wafv2", "webACLArn", "", Region),
];

/// Parameters of any service that hold an ARN.
const ANY_SERVICE: &[&str] = &["resourceArn", "resourceARN", "arn"];

/// The table with its parameters interned, by service.
#[derive(Debug)]
pub(super) struct Targets {
    by_service: BTreeMap<&'static str, Vec<Entry>>,
    any_service: Vec<FieldId>,
}

#[derive(Debug)]
struct Entry {
    field: FieldId,
    prefix: &'static str,
    scope: Scope,
}

impl Targets {
    pub(super) fn new(fields: &mut Fields) -> Self {
        let mut by_service: BTreeMap<&'static str, Vec<Entry>> = BTreeMap::new();
        for (service, parameter, prefix, scope) in TABLE {
            let field = fields.intern(&format!("requestParameters.{parameter}"));
            by_service.entry(service).or_default().push(Entry {
                field,
                prefix,
                scope: *scope,
            });
        }
        let any_service = ANY_SERVICE
            .iter()
            .map(|parameter| fields.intern(&format!("requestParameters.{parameter}")))
            .collect();
        Self {
            by_service,
            any_service,
        }
    }

    /// What a call acted on: the resources that its record names, else those that its parameters
    /// name.
    pub(super) fn read<'a>(
        &self,
        wanted: &Wanted,
        record: &'a dyn Record,
        service: &str,
        account: Option<&str>,
    ) -> SmallVec<[Cow<'a, str>; 2]> {
        let mut targets = SmallVec::new();
        let mut add = |target: Cow<'a, str>| {
            if !target.is_empty() && !targets.contains(&target) {
                targets.push(target);
            }
        };
        for field in [wanted.resource_arn, wanted.resource_arn_lower] {
            for arn in record.values(field).iter().filter_map(Value::as_str) {
                add(arn.into());
            }
        }
        // An object without its bucket: the two are two resources.
        if service == "s3"
            && let Some(bucket) = text(record, wanted.bucket)
        {
            let region = text(record, wanted.region).unwrap_or_default();
            let partition = arn::partition(region);
            if let Some(key) = text(record, wanted.object) {
                add(["arn:", partition, ":s3:::", bucket, "/", key]
                    .concat()
                    .into());
            }
            add(if bucket.starts_with("arn:") {
                bucket.into()
            } else {
                ["arn:", partition, ":s3:::", bucket].concat().into()
            });
        }
        if !targets.is_empty() {
            return targets;
        }
        let mut add = |target: Cow<'a, str>| {
            if !target.is_empty() && !targets.contains(&target) {
                targets.push(target);
            }
        };
        for field in &self.any_service {
            for arn in record.values(*field).iter().filter_map(Value::as_str) {
                if arn.starts_with("arn:") {
                    add(arn.into());
                }
            }
        }
        let region = text(record, wanted.region).unwrap_or_default();
        for entry in self.by_service.get(service).into_iter().flatten() {
            for value in record.values(entry.field) {
                match value {
                    Value::String(name) => add(rebuild(service, entry, name, region, account)),
                    // The elements are strings of their own, apart from the record.
                    Value::Array(_) => {
                        for element in value.elements() {
                            if let Some(name) = element.as_str() {
                                let arn = rebuild(service, entry, name, region, account);
                                add(Cow::Owned(arn.into_owned()));
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        targets
    }
}

fn rebuild<'a>(
    service: &str,
    entry: &Entry,
    name: &'a str,
    region: &str,
    account: Option<&str>,
) -> Cow<'a, str> {
    if name.is_empty() || name.starts_with("arn:") {
        return name.into();
    }
    let account = account.unwrap_or_default();
    let partition = arn::partition(region);
    // A queue's address is `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
    if service == "sqs"
        && let Some((_, path)) = name.split_once(".amazonaws.com/")
        && let Some((owner, queue)) = path.split_once('/')
    {
        return ["arn:", partition, ":sqs:", region, ":", owner, ":", queue]
            .concat()
            .into();
    }
    let (region_part, account_part) = match entry.scope {
        Region => (region, account),
        Account => ("", account),
        World => ("", ""),
    };
    let (prefix, name) = match service {
        "kms" if name.starts_with("alias/") => ("", name),
        "ssm" => (entry.prefix, name.trim_start_matches('/')),
        _ => (entry.prefix, name),
    };
    let service = if service == "sts" { "iam" } else { service };
    [
        "arn:",
        partition,
        ":",
        service,
        ":",
        region_part,
        ":",
        account_part,
        ":",
        prefix,
        name,
    ]
    .concat()
    .into()
}
