//! `apply` and its undo, run against a stand-in for AWS: the estate is as planned, and as before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::{report, said};
use crate::moto::Moto;
use serde_json::{Value, json};

/// What is there: one answer for each thing that the plan changes.
struct Watched {
    calls: Value,
    plan: Value,
}

fn allow(actions: &Value, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]})
}

fn deny(action: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]})
}

/// One change of every kind that can be made, with what is there now as its `before`.
fn watched(moto: &Moto) -> Watched {
    let home = moto.accounts[0].as_str();
    let second = moto.accounts[1].as_str();
    let west = "eu-west-1";
    let keys = moto.reference("kms", "ListAliases", west);
    let key = keys["Aliases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|alias| alias["AliasName"] == "alias/hot-wallet")
        .unwrap()["TargetKeyId"]
        .as_str()
        .unwrap();
    let key = format!("arn:aws:kms:{west}:{home}:key/{key}");
    let secrets = moto.reference("secretsmanager", "ListSecrets", west);
    let secret = secrets["SecretList"]
        .as_array()
        .unwrap()
        .iter()
        .find(|secret| secret["Name"] == "deploy/token")
        .unwrap()["ARN"]
        .as_str()
        .unwrap()
        .to_owned();
    let instance =
        moto.reference("sso-admin", "ListInstances", "us-east-1")["Instances"][0].clone();
    let of = json!({"InstanceArn": instance["InstanceArn"]});
    let sets = moto.make(&json!([[
        "sso-admin",
        "ListPermissionSets",
        "us-east-1",
        of
    ]]));
    let set = sets[0]["PermissionSets"][0].as_str().unwrap().to_owned();
    let groups = json!([["identitystore", "ListGroups", "us-east-1", {"IdentityStoreId": instance["IdentityStoreId"]}]]);
    let group = moto.make(&groups)[0]["Groups"][0]["GroupId"]
        .as_str()
        .unwrap()
        .to_owned();
    let credentials =
        moto.make(&json!([["iam", "ListAccessKeys", "us-east-1", {"UserName": "person-0-000"}]]));
    let credential = credentials[0]["AccessKeyMetadata"][0]["AccessKeyId"]
        .as_str()
        .unwrap()
        .to_owned();

    let iam = |rest: &str| format!("arn:aws:iam::{home}:{rest}");
    let bucket = format!("estate-{home}-0");
    let policy = iam("policy/deploy");
    let queue = format!("arn:aws:sqs:{west}:{home}:jobs");
    let url =
        moto.make(&json!([["sqs", "GetQueueUrl", west, {"QueueName": "jobs"}]]))[0]["QueueUrl"]
            .clone();
    let topic = format!("arn:aws:sns:{west}:{home}:alerts");
    let in_set = json!({"InstanceArn": instance["InstanceArn"], "PermissionSetArn": set});
    let mut assignments = in_set.clone();
    assignments["AccountId"] = json!(second);
    let calls = json!([
        ["iam", "GetRolePolicy", "us-east-1", {"RoleName": "role-0-002", "PolicyName": "sign"}],
        ["iam", "GetAccountAuthorizationDetails", "us-east-1", {"Filter": ["User", "Role", "Group"]}],
        ["iam", "GetRole", "us-east-1", {"RoleName": "role-0-003"}],
        ["iam", "GetPolicy", "us-east-1", {"PolicyArn": policy}],
        ["iam", "ListPolicyVersions", "us-east-1", {"PolicyArn": policy}],
        ["iam", "GetPolicyVersion", "us-east-1", {"PolicyArn": policy, "VersionId": "v2"}],
        ["s3", "GetBucketPolicy", "us-east-1", {"Bucket": bucket}],
        ["kms", "GetKeyPolicy", west, {"KeyId": key, "PolicyName": "default"}],
        ["secretsmanager", "GetResourcePolicy", west, {"SecretId": secret}],
        ["ecr", "GetRepositoryPolicy", west, {"repositoryName": "web/api"}],
        ["sqs", "GetQueueAttributes", west, {"QueueUrl": url, "AttributeNames": ["Policy"]}],
        ["sns", "GetTopicAttributes", west, {"TopicArn": topic}],
        ["iam", "ListAccessKeys", "us-east-1", {"UserName": "person-0-000"}],
        ["organizations", "ListPolicies", "us-east-1", {"Filter": "SERVICE_CONTROL_POLICY"}],
        ["organizations", "ListPoliciesForTarget", "us-east-1", {"TargetId": second, "Filter": "SERVICE_CONTROL_POLICY"}],
        ["sso-admin", "GetInlinePolicyForPermissionSet", "us-east-1", in_set],
        ["sso-admin", "ListManagedPoliciesInPermissionSet", "us-east-1", in_set],
        ["sso-admin", "ListAccountAssignments", "us-east-1", assignments],
    ]);
    let now = moto.make(&calls);
    let text = |document: &Value| match document {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let inner =
        |document: &Value| serde_json::from_str::<Value>(document.as_str().unwrap()).unwrap();
    let narrowed = |mut document: Value| {
        document["Statement"][0]["Condition"] =
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        document.to_string()
    };
    let document = |target: &str, layer: &str, name: &str, before: Value, after: Value| json!({"edit": "document", "target": target, "layer": layer, "name": name, "before": before, "after": after});
    let resource = |target: &str, document_now: &Value| {
        let after = narrowed(inner(document_now));
        document(
            target,
            "resource",
            "resource policy",
            json!(text(document_now)),
            json!(after),
        )
    };
    let trust = &now[2]["Role"]["AssumeRolePolicyDocument"];
    let edits = [
        document(
            &iam("role/work/role-0-002"),
            "identity",
            "sign",
            json!(text(&now[0]["PolicyDocument"])),
            json!(allow(&json!("kms:Verify"), "*").to_string()),
        ),
        document(
            &iam("user/person-0-002"),
            "identity",
            "portreeve-cut",
            Value::Null,
            json!(deny("sts:AssumeRole").to_string()),
        ),
        document(
            &iam("group/staff/developers"),
            "identity",
            "read",
            json!(allow(&json!(["s3:Get*", "s3:List*"]), "*").to_string()),
            Value::Null,
        ),
        document(
            &iam("role/work/role-0-003"),
            "trust",
            "trust policy",
            json!(text(trust)),
            json!(narrowed(trust.clone())),
        ),
        document(
            &policy,
            "identity",
            &policy,
            json!(text(&now[5]["PolicyVersion"]["Document"])),
            json!(deny("lambda:UpdateFunctionCode").to_string()),
        ),
        document(
            &format!("arn:aws:s3:::{bucket}"),
            "resource",
            "bucket policy",
            json!(text(&now[6]["Policy"])),
            Value::Null,
        ),
        resource(&key, &now[7]["Policy"]),
        resource(&secret, &now[8]["ResourcePolicy"]),
        resource(
            &format!("arn:aws:ecr:{west}:{home}:repository/web/api"),
            &now[9]["policyText"],
        ),
        resource(&queue, &now[10]["Attributes"]["Policy"]),
        resource(&topic, &now[11]["Attributes"]["Policy"]),
        json!({"edit": "attachment", "target": iam("user/person-0-005"), "policy": policy, "attached": false}),
        json!({"edit": "membership", "user": iam("user/person-0-003"), "group": iam("group/staff/developers"), "member": false}),
        json!({"edit": "access-key", "user": iam("user/person-0-000"), "key": credential, "active": false}),
        document(
            &format!("arn:aws:iam::{second}:root"),
            "service-control",
            "portreeve-cut",
            Value::Null,
            json!(deny("kms:Sign").to_string()),
        ),
        document(
            &set,
            "identity",
            "AwsSSOInlinePolicy",
            json!(text(&now[15]["InlinePolicy"])),
            json!(deny("s3:PutObject").to_string()),
        ),
        json!({"edit": "attachment", "target": set, "policy": "arn:aws:iam::aws:policy/ReadOnlyAccess", "attached": false}),
        json!({"edit": "assignment", "person": format!("arn:aws:identitystore:::group/{group}"),
               "role": format!("arn:aws:iam::{second}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_WebDeploy_0a1b2c3d4e5f6071"), "assigned": false}),
        // In another account, which the role leads into.
        document(
            &format!("arn:aws:iam::{second}:user/person-1-001"),
            "identity",
            "portreeve-cut",
            Value::Null,
            json!(deny("sts:AssumeRole").to_string()),
        ),
    ];
    let changes: Vec<Value> = edits.iter().enumerate().map(|(number, edit)| {
        json!({"id": format!("c{number:02}"), "kinds": ["deny"], "titles": ["a change of the test"], "cost": 1, "account": home, "edit": edit})
    }).collect();
    Watched {
        calls,
        plan: json!({"version": 1, "changes": changes}),
    }
}

impl Watched {
    /// All of it, as it is now. When a thing was last changed is left out.
    fn now(&self, moto: &Moto) -> Value {
        let mut now = moto.make(&self.calls);
        forget_what_changes(&mut now);
        now
    }
}

/// The same without the numbers of policies' versions, which are never given twice.
fn without_versions(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(walk),
            Value::Object(members) => {
                if members.contains_key("IsDefaultVersion") {
                    members.remove("CreateDate");
                }
                members.remove("VersionId");
                members.remove("DefaultVersionId");
                members.values_mut().for_each(walk);
            }
            _ => {}
        }
    }
    walk(&mut value);
    forget_what_changes(&mut value);
    value
}

fn forget_what_changes(value: &mut Value) {
    match value {
        Value::Array(values) => {
            values.iter_mut().for_each(forget_what_changes);
            values.sort_by_key(Value::to_string);
        }
        Value::Object(members) => {
            members.remove("UpdateDate");
            // A policy that is made anew has a new id.
            if members
                .get("Name")
                .is_some_and(|name| name == "portreeve-cut")
            {
                members.remove("Id");
                members.remove("Arn");
            }
            members.values_mut().for_each(forget_what_changes);
        }
        _ => {}
    }
    // Documents that a service keeps as text may be spelt anew.
    if let Value::String(text) = value
        && text.starts_with('{')
        && let Ok(document) = serde_json::from_str(text)
    {
        *value = document;
    }
}

fn apply(moto: &Moto, words: &[&str], path: &Path) -> Command {
    let mut command = moto.portreeve();
    command
        .arg("apply")
        .args(words)
        .arg(path)
        .args(["--format", "json"])
        .stdin(Stdio::null());
    command
}

/// Looks at what is to be done, then does it by its digest.
fn done(moto: &Moto, words: &[&str], path: &Path) -> Output {
    let shown = report(&apply(moto, words, path).arg("--show").output().unwrap());
    let digest = shown["digest"].as_str().unwrap();
    apply(moto, words, path)
        .args(["--yes", digest, "--role", "PortreeveCollect"])
        .output()
        .unwrap()
}

fn endings(output: &Output) -> BTreeMap<String, usize> {
    let mut endings = BTreeMap::new();
    for change in report(output)["changes"].as_array().unwrap() {
        *endings
            .entry(change["ending"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    endings
}

fn write(folder: &Path, plan: &Value) -> (PathBuf, PathBuf) {
    let path = folder.join("plan.json");
    std::fs::write(&path, plan.to_string()).unwrap();
    (path, folder.join("plan.json.journal"))
}

#[test]
fn changes_are_made_and_taken_back() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let watched = watched(&moto);
    let count = watched.plan["changes"].as_array().unwrap().len();
    let (plan, journal) = write(folder.path(), &watched.plan);
    let before = watched.now(&moto);

    // It changes nothing by itself, nor for another plan's digest.
    for words in [&[][..], &["--yes", "0123456789abcdef"]] {
        let refused = apply(&moto, words, &plan).output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    }
    let mut page = moto.portreeve();
    let page = page
        .arg("apply")
        .arg(&plan)
        .args(["--show", "--format", "html"])
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(
        page.contains("<svg") && page.contains("c18") && page.contains("MultiFactorAuthPresent")
    );
    assert!(!journal.exists());
    assert_eq!(watched.now(&moto), before);

    let made = done(&moto, &[], &plan);
    assert_eq!(
        endings(&made),
        BTreeMap::from([("made".to_owned(), count)]),
        "{}",
        said(&made)
    );
    let planned = watched.now(&moto);
    for (index, (was, is)) in before
        .as_array()
        .unwrap()
        .iter()
        .zip(planned.as_array().unwrap())
        .enumerate()
    {
        assert_ne!(was, is, "{index}");
    }
    // Each is as the plan says: what the same plan expects is no longer there.
    let again = done(&moto, &["--journal", "other.journal"], &plan);
    assert_eq!(again.status.code(), Some(1));
    for number in 0..count {
        assert!(
            said(&again).contains(&format!("c{number:02}: there is")),
            "{number} {}",
            said(&again)
        );
    }
    // With its journal it is known to be made.
    let resumed = done(&moto, &[], &plan);
    assert_eq!(
        endings(&resumed),
        BTreeMap::from([("made before".to_owned(), count)])
    );

    let undone = done(&moto, &["--undo"], &journal);
    assert_eq!(
        endings(&undone),
        BTreeMap::from([("taken back".to_owned(), count)]),
        "{}",
        said(&undone)
    );
    assert_eq!(watched.now(&moto), before);
    let nothing = done(&moto, &["--undo"], &journal);
    assert_eq!(endings(&nothing), BTreeMap::new());
}

/// Killed between changes, or in the middle of one, it goes on from its journal, or is taken back.
#[test]
fn a_killed_run_goes_on_or_is_taken_back() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let watched = watched(&moto);
    let count = watched.plan["changes"].as_array().unwrap().len();
    let (plan, journal) = write(folder.path(), &watched.plan);
    let before = watched.now(&moto);
    assert!(done(&moto, &[], &plan).status.success());
    let planned = without_versions(watched.now(&moto));
    assert!(done(&moto, &["--undo"], &journal).status.success());

    for (lines, goes_on) in [(8, true), (15, false), (24, true)] {
        std::fs::remove_file(&journal).unwrap();
        let shown = report(&apply(&moto, &["--show"], &plan).output().unwrap());
        moto.steer(r#"{"delay": 0.02}"#);
        let mut child = apply(
            &moto,
            &[
                "--yes",
                shown["digest"].as_str().unwrap(),
                "--role",
                "PortreeveCollect",
            ],
            &plan,
        )
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
        let written = || std::fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
        while written() < lines {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it ended before it was killed"
            );
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        moto.steer("{}");
        assert!(written() < 2 * count);
        if goes_on {
            let resumed = done(&moto, &[], &plan);
            let endings = endings(&resumed);
            assert_eq!(
                endings["made"] + endings["made before"],
                count,
                "{}",
                said(&resumed)
            );
            assert_eq!(without_versions(watched.now(&moto)), planned);
        }
        let undone = done(&moto, &["--undo"], &journal);
        assert!(undone.status.success(), "{}", said(&undone));
        assert_eq!(watched.now(&moto), before, "after {lines} lines");
    }
}

/// What someone else changed is not overwritten, neither by a plan nor by its undo.
#[test]
fn what_is_not_as_expected_is_left() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let watched = watched(&moto);
    let before = watched.now(&moto);
    let mut plan = watched.plan.clone();
    plan["changes"].as_array_mut().unwrap().truncate(2);
    let (path, journal) = write(folder.path(), &plan);
    let put = |document: &Value| {
        let input = json!({"UserName": "person-0-002", "PolicyName": "portreeve-cut", "PolicyDocument": document.to_string()});
        moto.make(&json!([["iam", "PutUserPolicy", "us-east-1", input]]));
    };
    let remove = || {
        let input = json!({"UserName": "person-0-002", "PolicyName": "portreeve-cut"});
        moto.make(&json!([["iam", "DeleteUserPolicy", "us-east-1", input]]));
    };
    put(&deny("s3:*"));
    let refused = done(&moto, &[], &path);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("c01: there is {") && !said(&refused).contains("c00:"),
        "{}",
        said(&refused)
    );
    remove();
    assert_eq!(watched.now(&moto), before);
    assert!(done(&moto, &[], &path).status.success());
    put(&deny("s3:*"));
    let refused = done(&moto, &["--undo"], &journal);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("c01"), "{}", said(&refused));
    put(&deny("sts:AssumeRole"));
    assert!(done(&moto, &["--undo"], &journal).status.success());
    assert_eq!(watched.now(&moto), before);

    // A change that only a person can make stops the plan before the first.
    plan["changes"][1]["edit"] = json!({"edit": "workload-role", "workload": "arn:aws:lambda:eu-west-1:111122223333:function:f",
        "role": "arn:aws:iam::111122223333:role/r", "runs": false});
    let (path, journal) = write(folder.path(), &plan);
    std::fs::remove_file(&journal).unwrap();
    let refused = done(&moto, &[], &path);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("c01: what takes the role's place"),
        "{}",
        said(&refused)
    );
    assert!(!journal.exists());
}

/// From a live estate to the cut, made and proven on the estate as it then is.
#[test]
fn a_cut_cuts_the_live_estate() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let collect = |name: &str| {
        let out = folder.path().join(name);
        let mut command = moto.portreeve();
        command.args([
            "collect",
            "aws",
            "--format",
            "json",
            "--only",
            "iam,keys",
            "--regions",
        ]);
        report(
            &command
                .arg(moto.regions.join(","))
                .arg("--out")
                .arg(&out)
                .output()
                .unwrap(),
        );
        out
    };
    let ways = |inventory: &Path| {
        let mut command = moto.portreeve();
        command
            .args(["paths", "--from", "person-0-001", "--format", "json"])
            .arg(inventory);
        report(&command.output().unwrap())["paths"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = collect("before");
    assert!(ways(&before) > 0);
    let plan = folder.path().join("cut.json");
    let mut cut = moto.portreeve();
    cut.arg("cut")
        .arg(&before)
        .args(["--from", "person-0-001", "--format", "json", "--plan"])
        .arg(&plan);
    let cut = report(&cut.output().unwrap());
    assert_eq!(cut["proven"], true);
    let made = done(&moto, &[], &plan);
    assert!(made.status.success(), "{}", said(&made));
    assert_eq!(ways(&collect("after")), 0);
    let undone = done(&moto, &["--undo"], &folder.path().join("cut.json.journal"));
    assert!(undone.status.success(), "{}", said(&undone));
    assert_eq!(ways(&collect("again")), ways(&before));
}
