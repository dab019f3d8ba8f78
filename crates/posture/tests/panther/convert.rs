//! Resources as Panther stores them, written as the AWS command line prints them, so that they are
//! read by the same formats as everything else.

use serde_json::{Map, Value, json};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-west-2";

/// Regions in which the rule on detectors wants one.
const WATCHED: [&str; 3] = ["ap-southeast-2", "eu-central-1", "us-west-2"];

/// The exports that say what a resource says; nothing for a type that no check is about.
pub(crate) fn inventory(kind: &str, resource: &Value) -> Option<Vec<String>> {
    let export = |members: Value| {
        let mut document = json!({ "Account": ACCOUNT, "Region": REGION });
        if let (Some(document), Value::Object(members)) = (document.as_object_mut(), members) {
            document.extend(members);
        }
        vec![document.to_string()]
    };
    Some(match kind {
        "AWS.S3.Bucket" => export(json!({ "Buckets": [bucket(resource)] })),
        "AWS.CloudTrail" => export(json!({ "trailList": [trail(resource)] })),
        "AWS.CloudTrail.Meta" => export(json!({ "trailList": account_trails(resource) })),
        "AWS.Config.Recorder" => {
            let inner = resource.get("Recorder").unwrap_or(resource);
            let group = inner.get("RecordingGroup").cloned().unwrap_or_default();
            let status = resource.get("Status").cloned().unwrap_or_default();
            export(json!({
                "ConfigurationRecorders": [{ "name": "default", "recordingGroup": lower(group) }],
                "ConfigurationRecordersStatus": [lower(status)],
            }))
        }
        "AWS.Config.Recorder.Meta" if resource["GlobalRecorderCount"] == 0 => {
            export(json!({ "ConfigurationRecorders": [] }))
        }
        "AWS.GuardDuty.Detector.Meta" => detectors(resource),
        "AWS.EC2.AMI" => export(json!({ "Images": [resource] })),
        "AWS.EC2.NetworkACL" => export(json!({ "NetworkAcls": [resource] })),
        "AWS.EC2.SecurityGroup" => export(json!({ "SecurityGroups": [resource] })),
        "AWS.EC2.VPC" => {
            let id = &resource["VpcId"];
            let logs = resource["FlowLogs"].as_array().cloned().unwrap_or_default();
            let logs = logs.into_iter().map(|mut log| {
                log["ResourceId"] = id.clone();
                log
            });
            export(json!({ "Vpcs": [{ "VpcId": id }], "FlowLogs": logs.collect::<Vec<_>>() }))
        }
        "AWS.EC2.Volume" => export(json!({
            "Volumes": [{
                "VolumeId": first(resource, &["VolumeId", "Id", "ID"]),
                "Encrypted": resource["Encrypted"],
            }],
            "Snapshots": snapshots(&resource["Snapshots"]),
        })),
        "AWS.IAM.RootUser" | "AWS.IAM.User" => user(resource),
        "AWS.IAM.Policy" => policy(resource),
        "AWS.IAM.Role" => {
            let mut role = resource.clone();
            role["RoleName"] = json!("deploy");
            role["Arn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/deploy"));
            let keep = ["RoleName", "Arn", "AssumeRolePolicyDocument"];
            let role: Map<String, Value> = keep
                .iter()
                .map(|name| ((*name).to_owned(), role[*name].clone()))
                .collect();
            export(json!({ "RoleDetailList": [role] }))
        }
        "AWS.KMS.Key" => {
            let mut key = resource.clone();
            key["Arn"] = json!(format!("arn:aws:kms:{REGION}:{ACCOUNT}:key/1"));
            // Panther has null where rotation was never turned on; AWS answers `false`.
            if key.get("KeyRotationEnabled").is_some_and(Value::is_null) {
                key["KeyRotationEnabled"] = json!(false);
            }
            // Where the rule is not about the policy, a sentence stands in its place.
            let text = key["Policy"].as_str().unwrap_or_default();
            if serde_json::from_str::<Value>(text).is_err() {
                key["Policy"] = Value::Null;
            }
            export(json!({ "Keys": [key] }))
        }
        "AWS.Lambda.Function" => {
            let policy = resource["Policy"]
                .get("Policy")
                .cloned()
                .unwrap_or_default();
            export(json!({ "Functions": [{
                "FunctionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:some-name"),
                "Policy": policy.as_str().map(|text| {
                    // The rule's account number is too short to be one.
                    text.replace(":123456789:", &format!(":{ACCOUNT}:"))
                }),
            }] }))
        }
        "AWS.PasswordPolicy" => export(json!({ "PasswordPolicy": resource })),
        "AWS.RDS.Instance" => {
            let snapshots = resource["SnapshotAttributes"].as_array().cloned();
            let snapshots = snapshots
                .unwrap_or_default()
                .into_iter()
                .map(|mut snapshot| {
                    let name = snapshot["DBSnapshotIdentifier"]
                        .as_str()
                        .unwrap_or("x")
                        .to_owned();
                    snapshot["DBSnapshotArn"] =
                        json!(format!("arn:aws:rds:{REGION}:{ACCOUNT}:snapshot:{name}"));
                    snapshot
                });
            let snapshots: Vec<Value> = snapshots.collect();
            export(json!({ "DBInstances": [resource], "DBSnapshots": snapshots }))
        }
        _ => return None,
    })
}

/// The snapshots of a list that are something, each with a name of its own.
fn snapshots(list: &Value) -> Vec<Value> {
    let list = list.as_array().cloned().unwrap_or_default();
    let list = list.into_iter().filter(Value::is_object).enumerate();
    // Some of the labels' snapshots are two of one name.
    list.map(|(place, mut one)| {
        one["SnapshotId"] = json!(format!("snap-{place}"));
        one
    })
    .collect()
}

fn first(resource: &Value, names: &[&str]) -> Value {
    let found = names.iter().find_map(|name| resource.get(name));
    found.cloned().unwrap_or_default()
}

/// Panther writes members with a capital where AWS Config's are without.
fn lower(value: Value) -> Value {
    let Value::Object(members) = value else {
        return value;
    };
    let members = members.into_iter().map(|(name, value)| {
        let mut letters = name.chars();
        let head = letters.next().into_iter().flat_map(char::to_lowercase);
        (head.chain(letters).collect::<String>(), value)
    });
    Value::Object(members.collect())
}

fn bucket_name(resource: &Value) -> &str {
    resource["Name"].as_str().unwrap_or("bucket")
}

fn bucket(resource: &Value) -> Value {
    let mut bucket = json!({ "Name": bucket_name(resource) });
    let mut put = |name: &str, own: &str, of: &dyn Fn(&Value) -> Value| {
        if let Some(value) = resource.get(own) {
            bucket[name] = of(value);
        }
    };
    let same = |value: &Value| value.clone();
    // Some of the labels' policies are written for a bucket of another name.
    let own = format!("arn:aws:s3:::{}", bucket_name(resource));
    put("Policy", "Policy", &|policy| match policy.as_str() {
        Some(text) => json!(text.replace("arn:aws:s3:::test-bucket", &own)),
        None => policy.clone(),
    });
    put("PublicAccessBlock", "PublicAccessBlockConfiguration", &same);
    put("Grants", "Grants", &same);
    put("ObjectLock", "ObjectLockConfiguration", &same);
    put("Encryption", "EncryptionRules", &|rules| {
        // A rule without an algorithm is none.
        let named = rules
            .as_array()
            .into_iter()
            .flatten()
            .any(|rule| rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"].is_string());
        if named {
            json!({ "Rules": rules })
        } else {
            Value::Null
        }
    });
    put("Logging", "LoggingPolicy", &|policy| match policy {
        Value::Null => Value::Null,
        given => json!({ "LoggingEnabled": given }),
    });
    if let Some(state) = resource.get("Versioning") {
        bucket["Versioning"] = json!({ "Status": state, "MFADelete": resource["MFADelete"] });
    }
    bucket
}

fn trail(resource: &Value) -> Value {
    let mut trail = resource.clone();
    trail["TrailARN"] = json!(format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/one"));
    trail
}

/// The selectors of all trails of all regions, as one trail.
fn account_trails(resource: &Value) -> Value {
    let none = resource["Trails"].as_array().is_none_or(Vec::is_empty)
        && resource.get("GlobalAdvancedEventSelectors").is_none();
    if none {
        return json!([]);
    }
    json!([{
        "TrailARN": format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/one"),
        "IsMultiRegionTrail": true,
        "EventSelectors": resource["GlobalEventSelectors"],
        "AdvancedEventSelectors": resource["GlobalAdvancedEventSelectors"],
    }])
}

fn detectors(resource: &Value) -> Vec<String> {
    let there: Vec<&str> = resource["Detectors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str()?.split(':').nth(1))
        .collect();
    let regions = WATCHED.iter().map(|region| {
        let own: &[Value] = match there.contains(region) {
            true => &[json!({ "DetectorId": "d1", "Status": "ENABLED" })],
            false => &[],
        };
        json!({ "Account": ACCOUNT, "Region": region, "Detectors": own }).to_string()
    });
    regions.collect()
}

/// The credential report's row of a user, the user's policies, and its virtual device.
fn user(resource: &Value) -> Vec<String> {
    let report = &resource["CredentialReport"];
    let id = first(resource, &["Arn", "ARN"]);
    let id = id.as_str().unwrap_or("arn:aws:iam::123456789012:user/x");
    let is_root = id.ends_with(":root");
    let name = if is_root { "<root_account>" } else { "x" };
    let cell = |name: &str| match &report[name] {
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) if !text.starts_with("0001-") => text.clone(),
        _ => "N/A".to_owned(),
    };
    let columns = [
        ("user_creation_time", "UserCreationTime"),
        ("password_enabled", "PasswordEnabled"),
        ("password_last_used", "PasswordLastUsed"),
        ("password_last_changed", "PasswordLastChanged"),
        ("mfa_active", "MfaActive"),
        ("access_key_1_active", "AccessKey1Active"),
        ("access_key_1_last_rotated", "AccessKey1LastRotated"),
        ("access_key_1_last_used_date", "AccessKey1LastUsedDate"),
        ("access_key_2_active", "AccessKey2Active"),
        ("access_key_2_last_rotated", "AccessKey2LastRotated"),
        ("access_key_2_last_used_date", "AccessKey2LastUsedDate"),
    ];
    let head: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
    let cells: Vec<String> = columns.iter().map(|(_, name)| cell(name)).collect();
    let csv = format!(
        "user,arn,{}\n{name},{id},{}\n",
        head.join(","),
        cells.join(",")
    );
    let devices: &[Value] = match resource
        .get("VirtualMFA")
        .filter(|device| device.is_object())
    {
        Some(device) => &[json!({
            "SerialNumber": device["SerialNumber"],
            "User": { "Arn": id },
        })],
        None => &[],
    };
    let devices = json!({ "Account": ACCOUNT, "VirtualMFADevices": devices }).to_string();
    let names = |list: &str| {
        let names = resource[list].as_array().cloned().unwrap_or_default();
        names
            .into_iter()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
    };
    let managed: Vec<Value> = names("ManagedPolicyNames")
        .map(|name| json!({ "PolicyName": name, "PolicyArn": format!("arn:aws:iam::aws:policy/{name}") }))
        .collect();
    let inline: Vec<Value> = names("InlinePolicyNames")
        .chain(
            resource["InlinePolicies"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone()),
        )
        .map(|name| json!({ "PolicyName": name, "PolicyDocument": { "Statement": [] } }))
        .collect();
    if is_root {
        return vec![csv, devices];
    }
    let details = json!({ "UserDetailList": [{
        "UserName": "x", "Arn": id,
        "AttachedManagedPolicies": managed, "UserPolicyList": inline,
    }] });
    vec![csv, devices, details.to_string()]
}

/// A policy with a user who has it, if anyone does.
fn policy(resource: &Value) -> Vec<String> {
    let id = &resource["Arn"];
    let details = json!({
        "Policies": [{
            "Arn": id, "PolicyName": "p", "DefaultVersionId": "v1",
            "PolicyVersionList": [{
                "VersionId": "v1", "IsDefaultVersion": true, "Document": resource["PolicyDocument"],
            }],
        }],
        "UserDetailList": [{
            "UserName": "x", "Arn": "arn:aws:iam::123456789012:user/x",
            "AttachedManagedPolicies": [{ "PolicyName": "p", "PolicyArn": id }],
        }],
    });
    vec![details.to_string()]
}
