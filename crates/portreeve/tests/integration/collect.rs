//! `collect aws`, run against a stand-in for AWS: an organization of three accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{report, said};
use crate::moto::Moto;
use serde_json::{Value, json};

/// The command that reads the whole organization into a folder.
fn collect(moto: &Moto, out: &Path) -> Command {
    let mut command = moto.portreeve();
    command
        .args([
            "collect",
            "aws",
            "--organization",
            "--format",
            "json",
            "--regions",
        ])
        .arg(moto.regions.join(","))
        .arg("--out")
        .arg(out);
    command
}

/// What the runs read that are compared: all but databases and file systems, of which moto tells when it was asked.
const MOST: &str = "iam,credential-report,account-settings,buckets,distributions,keys,secrets,\
                    parameters,functions,instances,containers,image-repositories,build-projects,\
                    stacks,state-machines,data-jobs,queues,topics,trails,kubernetes-clusters,\
                    volumes,organization,identity-center,access-analyzers,applications,\
                    config-recorders,detectors,domains,networks,region-settings";

/// The same for what is compared.
fn collect_most(moto: &Moto, out: &Path) -> Command {
    let mut command = collect(moto, out);
    command.args(["--only", MOST]);
    command
}

fn paths(moto: &Moto, folder: &Path) -> Value {
    report(
        &moto
            .portreeve()
            .args(["paths", "--format", "json"])
            .arg(folder)
            .output()
            .unwrap(),
    )
}

fn blind_spots(moto: &Moto, folder: &Path) -> Vec<String> {
    let report = paths(moto, folder);
    let spots = report["blind_spots"].as_array().unwrap().iter();
    spots
        .map(|spot| spot["missing"].as_str().unwrap().to_owned())
        .collect()
}

/// Whether a file is being written, or was when its writer was killed.
fn is_unfinished(path: &Path) -> bool {
    path.file_name().unwrap().to_string_lossy().starts_with('.')
}

/// All parts of a collection by file name. What differs from one minute to the next is left out: the
/// time of the credential report, how often it was asked for, and a trail's latest delivery.
fn parts(folder: &Path) -> BTreeMap<PathBuf, Value> {
    let mut parts = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "collection.json" && !is_unfinished(&path) {
                let mut part: Value =
                    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                let part_of = part.as_object_mut().unwrap();
                assert!(
                    part_of.remove("Calls").is_some_and(|calls| calls != 0),
                    "{path:?}"
                );
                if path.ends_with("trails.json") {
                    for trail in part_of["Trails"].as_array_mut().unwrap() {
                        assert_eq!(trail["Status"].take()["IsLogging"], true);
                    }
                }
                if path.ends_with("credential-report.json") {
                    let part = part_of;
                    part.remove("GeneratedTime");
                    assert!(
                        part.remove("Content")
                            .is_some_and(|content| content.is_string())
                    );
                }
                parts.insert(path.strip_prefix(folder).unwrap().to_owned(), part);
            }
        }
    }
    parts
}

/// Everything that is read equals what the AWS command line prints; what is secret is not there; the
/// policy holds the calls that were made, and no others.
#[test]
fn a_whole_organization() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("inventory");
    let summary = report(&collect(&moto, &out).output().unwrap());
    let calls = moto.calls();
    assert_eq!(summary["finished"], true);
    assert_eq!(summary["refused"], json!([]));
    assert_eq!(summary["accounts"].as_array().unwrap().len(), 3);

    let home = &moto.accounts[0];
    for (part, member, service, operation, region) in [
        (
            "iam",
            "UserDetailList",
            "iam",
            "GetAccountAuthorizationDetails",
            "",
        ),
        (
            "iam",
            "GroupDetailList",
            "iam",
            "GetAccountAuthorizationDetails",
            "",
        ),
        (
            "iam",
            "RoleDetailList",
            "iam",
            "GetAccountAuthorizationDetails",
            "",
        ),
        (
            "iam",
            "Policies",
            "iam",
            "GetAccountAuthorizationDetails",
            "",
        ),
        ("iam", "InstanceProfiles", "iam", "ListInstanceProfiles", ""),
        (
            "iam",
            "VirtualMFADevices",
            "iam",
            "ListVirtualMFADevices",
            "",
        ),
        (
            "distributions",
            "DistributionList",
            "cloudfront",
            "ListDistributions",
            "",
        ),
        ("keys", "Aliases", "kms", "ListAliases", "eu-west-1"),
        (
            "parameters",
            "Parameters",
            "ssm",
            "DescribeParameters",
            "eu-west-1",
        ),
        (
            "instances",
            "Reservations",
            "ec2",
            "DescribeInstances",
            "eu-west-1",
        ),
        ("data-jobs", "Jobs", "glue", "GetJobs", "eu-west-1"),
    ] {
        let file = out.join(home).join(region).join(format!("{part}.json"));
        let part: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let of = if region.is_empty() {
            "us-east-1"
        } else {
            region
        };
        let mut expected = moto.reference(service, operation, of)[member].take();
        if operation == "GetJobs" {
            for job in expected.as_array_mut().unwrap() {
                job.as_object_mut()
                    .unwrap()
                    .remove("DefaultArguments")
                    .unwrap();
            }
        }
        if operation == "ListVirtualMFADevices" {
            for device in expected.as_array_mut().unwrap() {
                for secret in ["Base32StringSeed", "QRCodePNG"] {
                    device.as_object_mut().unwrap().remove(secret).unwrap();
                }
            }
        }
        let mut found = part[member].clone();
        if operation == "ListDistributions" {
            // The command line adds the counts of a list that it has put together.
            found = found["Items"].take();
            expected = expected["Items"].take();
        }
        assert!(
            expected.as_array().is_some_and(|list| !list.is_empty()),
            "{operation}"
        );
        assert_eq!(found, expected, "{operation} {member}");
    }

    let principals: usize = moto
        .accounts
        .iter()
        .map(|account| {
            let file = out.join(account).join("iam.json");
            let part: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let count = |list: &str| part[list].as_array().unwrap().len();
            count("UserDetailList") + count("RoleDetailList")
        })
        .sum();
    // Two hundred that the test made, and the roles that Organizations makes in a new account.
    assert!((200..=202).contains(&principals), "{principals}");
    for (file, part) in parts(&out) {
        let text = part.to_string();
        assert!(
            !text.contains("never to be"),
            "{} holds a secret",
            file.display()
        );
        assert!(
            !text.contains("bmV2ZXIgdG8gYmUg"),
            "{} holds user data",
            file.display()
        );
    }

    // Nothing was refused, so that no format and no call is missing, and each part is readable.
    let spots = blind_spots(&moto, &out);
    let known = [
        "documents of AWS-managed policies",
        "resource policies of KMS keys",
        "roles of assigned permission sets",
    ];
    for spot in &spots {
        assert!(known.iter().any(|known| spot.starts_with(known)), "{spot}");
    }

    let policy = report(
        &moto
            .portreeve()
            .args(["collect", "aws", "--policy"])
            .output()
            .unwrap(),
    );
    let allowed: BTreeSet<&str> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
            one => vec![one.as_str().unwrap()],
        })
        .collect();
    let made: BTreeSet<String> = calls
        .as_object()
        .unwrap()
        .keys()
        .map(|call| match call.as_str() {
            "s3:ListBuckets" => "s3:ListAllMyBuckets".to_owned(),
            "s3:GetPublicAccessBlock" => "s3:GetBucketPublicAccessBlock".to_owned(),
            "s3:GetBucketEncryption" => "s3:GetEncryptionConfiguration".to_owned(),
            "s3:GetObjectLockConfiguration" => "s3:GetBucketObjectLockConfiguration".to_owned(),
            "s3control:GetPublicAccessBlock" => "s3:GetAccountPublicAccessBlock".to_owned(),
            "efs:DescribeFileSystems" => "elasticfilesystem:DescribeFileSystems".to_owned(),
            "accessanalyzer:ListAnalyzers" => "access-analyzer:ListAnalyzers".to_owned(),
            call => call
                .replace("sso-admin:", "sso:")
                .replace("stepfunctions:", "states:"),
        })
        .collect();
    let made: BTreeSet<&str> = made.iter().map(String::as_str).collect();
    let beyond: Vec<_> = made.difference(&allowed).collect();
    assert!(beyond.is_empty(), "made and not allowed: {beyond:?}");
    let unused: Vec<_> = allowed.difference(&made).copied().collect();
    // The regions were named; the next test lets the program find them.
    assert_eq!(unused, ["ec2:DescribeRegions"]);
}

#[test]
fn regions_are_found_and_one_account_is_enough() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut command = moto.portreeve();
    command.args([
        "collect", "aws", "--only", "topics", "--format", "json", "--out",
    ]);
    let summary = report(&command.arg(folder.path().join("one")).output().unwrap());
    assert!(summary["accounts"][0][1].as_u64().unwrap() > 10);
    assert_eq!(moto.calls()["ec2:DescribeRegions"], 1);
    let accounts = summary["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 1);
}

/// Throttled, killed in the middle and started again, it is the collection that an undisturbed run
/// makes.
#[test]
fn a_killed_run_goes_on() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    report(&collect_most(&moto, &whole).output().unwrap());
    let undisturbed = parts(&whole);

    moto.steer(r#"{"throttle": 4, "delay": 0.01}"#);
    let mut run = collect_most(&moto, &broken);
    let mut child = run
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let half = undisturbed.len() / 2;
    while !broken.exists() || parts(&broken).len() < half {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = parts(&broken).len();
    assert!(left < undisturbed.len());
    let spots = blind_spots(&moto, &broken);
    assert!(
        spots.iter().any(|spot| spot.contains("did not end")),
        "{spots:?}"
    );

    moto.steer(r#"{"throttle": 4}"#);
    let resumed = report(&collect_most(&moto, &broken).output().unwrap());
    assert_eq!(resumed["finished"], true);
    assert_eq!(resumed["refused"], json!([]));
    let kept: u64 = resumed["surfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|surface| surface["kept"].as_u64().unwrap())
        .sum();
    assert!(kept as usize >= half);
    let resumed = parts(&broken);
    assert_eq!(
        resumed.keys().collect::<Vec<_>>(),
        undisturbed.keys().collect::<Vec<_>>()
    );
    for (file, part) in &undisturbed {
        assert_eq!(&resumed[file], part, "{}", file.display());
    }
    assert_eq!(
        paths(&moto, &broken)["jewels"],
        paths(&moto, &whole)["jewels"]
    );

    // A third time there is nothing left to ask but who and where.
    moto.steer("{}");
    report(&collect_most(&moto, &broken).output().unwrap());
    let calls = moto.calls();
    let asked: Vec<&String> = calls.as_object().unwrap().keys().collect();
    assert_eq!(
        asked,
        [
            "organizations:ListAccounts",
            "sts:AssumeRole",
            "sts:GetCallerIdentity"
        ]
    );
}

/// What is refused is named, in the summary and in every later answer; the rest is read, and what was
/// missing is read by the next run.
#[test]
fn refused_calls_are_blind_spots() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (whole, partly) = (folder.path().join("whole"), folder.path().join("partly"));
    report(&collect_most(&moto, &whole).output().unwrap());
    let (second, third) = (&moto.accounts[1], &moto.accounts[2]);
    let deny = json!({"deny": [
        "kms:GetKeyPolicy", "ssm:DescribeParameters", "ec2:DescribeInstances", "s3:GetBucketWebsite",
        "lambda:GetPolicy", format!("{second}/iam:GetAccountAuthorizationDetails"),
        format!("{third}/sts:AssumeRole"),
    ]});
    moto.steer(&deny.to_string());
    let summary = report(&collect_most(&moto, &partly).output().unwrap());
    assert_eq!(summary["finished"], true);
    let refused: BTreeSet<&str> = summary["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["action"].as_str().unwrap())
        .collect();
    assert_eq!(
        refused,
        BTreeSet::from([
            "kms:GetKeyPolicy",
            "ssm:DescribeParameters",
            "ec2:DescribeInstances",
            "s3:GetBucketWebsite",
            "lambda:GetPolicy",
            "iam:GetAccountAuthorizationDetails",
        ])
    );
    assert_eq!(summary["unreachable"][0][0], json!(third));

    let spots = blind_spots(&moto, &partly);
    for action in &refused {
        let start = format!("answers to {action} (");
        let spot = spots.iter().find(|spot| spot.starts_with(&start));
        let spot = spot.unwrap_or_else(|| panic!("{action} is not among {spots:#?}"));
        assert!(spot.contains(second.as_str()), "{spot}");
    }
    assert!(
        spots
            .iter()
            .any(|spot| spot.starts_with(&format!("all of account {third}")))
    );
    assert!(spots.iter().any(|spot| {
        spot.starts_with("IAM users, groups, roles and policies of account")
            && spot.contains(second.as_str())
    }));

    let page = folder.path().join("page.html");
    let html = moto
        .portreeve()
        .args([
            "collect",
            "aws",
            "--organization",
            "--format",
            "html",
            "--regions",
        ])
        .arg(moto.regions.join(","))
        .args(["--only", MOST])
        .arg("--out")
        .arg(&partly)
        .arg("--output")
        .arg(&page)
        .output()
        .unwrap();
    assert!(html.status.success(), "{}", said(&html));
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("<svg") && html.contains("kms:GetKeyPolicy") && html.contains(third.as_str())
    );

    moto.steer("{}");
    let summary = report(&collect_most(&moto, &partly).output().unwrap());
    assert_eq!(summary["refused"], json!([]));
    assert!(
        moto.calls()
            .get("glue:GetJobs")
            .is_some_and(|calls| calls == 2),
        "only the third account's"
    );
    assert_eq!(parts(&partly), parts(&whole));
}

#[test]
fn mistakes_are_told_before_anything_is_asked() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let full = collect(&moto, folder.path()).output().unwrap();
    assert_eq!(full.status.code(), Some(1));
    assert!(said(&full).contains("is not empty"), "{}", said(&full));
    let unknown = moto
        .portreeve()
        .args(["collect", "aws", "--only", "keyz", "--out"])
        .arg(folder.path().join("new"))
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        said(&unknown).contains("there is no `keyz`"),
        "{}",
        said(&unknown)
    );
    let account = moto
        .portreeve()
        .args(["collect", "aws", "--accounts", "12", "--out"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(account.status.code(), Some(2));
    assert_eq!(moto.calls(), json!({}));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("notes.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn the_policy_is_the_documented_one() {
    let printed = crate::common::portreeve(&["collect", "aws", "--policy"]);
    let policy: Value = report(&printed);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/collect.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```json\n").unwrap();
    let (documented, _) = rest.split_once("```").unwrap();
    assert_eq!(serde_json::from_str::<Value>(documented).unwrap(), policy);
    let other = report(&crate::common::portreeve(&[
        "collect",
        "aws",
        "--policy",
        "--role",
        "ops/Audit",
    ]));
    assert_eq!(
        other["Statement"][2]["Resource"],
        "arn:*:iam::*:role/ops/Audit"
    );
}

/// The service models say nothing that AWS's own do not.
#[test]
fn service_models_are_those_of_aws() {
    let Some(moto) = crate::moto::moto() else {
        return;
    };
    let checked = moto.check_models();
    assert!(checked.status.success(), "{}", said(&checked));
}
