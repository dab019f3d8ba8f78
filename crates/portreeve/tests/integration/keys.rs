//! `portreeve keys` on a small estate.

use std::path::{Path, PathBuf};

use crate::common::{lines, portreeve, report, said};
use serde_json::{Value, json};

const ADMIN: &str = "arn:aws:iam::111122223333:user/admin";
const CI: &str = "arn:aws:iam::111122223333:user/ci";
const IDLE: &str = "arn:aws:iam::111122223333:user/idle";

/// One account: an administrator with a password and a second factor, a pipeline's user whose policy
/// is wider than what it does, and a user whose key nobody uses.
fn inventory(folder: &Path) -> PathBuf {
    let document = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
    let user = |arn: &str, statement: Value| {
        let name = arn.rsplit('/').next().unwrap();
        json!({"UserName": name, "Arn": arn, "UserId": "AIDAEXAMPLE", "Path": "/",
            "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": document(statement)}]})
    };
    let identities = json!({
        "UserDetailList": [
            user(ADMIN, json!({"Effect": "Allow", "Action": "*", "Resource": "*"})),
            user(CI, json!([
                {"Effect": "Allow", "Action": ["s3:*", "kms:Decrypt"], "Resource": "*"},
                {"Effect": "Allow", "Action": ["iam:PassRole", "iam:CreateAccessKey"], "Resource": "*",
                 "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}])),
            user(IDLE, json!({"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"})),
        ],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": [],
    });
    let keys = json!({"Account": "111122223333", "AccessKeyMetadata": [
        {"UserName": "ci", "AccessKeyId": "AKIACIEXAMPLE", "Status": "Active", "CreateDate": "2024-02-01T09:00:00Z"},
        {"UserName": "idle", "AccessKeyId": "AKIAIDLEEXAMPLE", "Status": "Active", "CreateDate": "2021-02-01T09:00:00Z"},
    ]});
    let head = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service\n";
    let rows = [
        format!(
            "admin,{ADMIN},2020-01-01T00:00:00+00:00,true,2026-03-01T08:00:00+00:00,2025-01-01T00:00:00+00:00,N/A,true,false,N/A,N/A,N/A,N/A"
        ),
        format!(
            "ci,{CI},2024-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2024-02-01T09:00:00+00:00,2026-02-28T09:00:00+00:00,eu-west-1,s3"
        ),
        format!(
            "idle,{IDLE},2021-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2021-02-01T09:00:00+00:00,N/A,N/A,N/A"
        ),
    ];
    let inventory = folder.join("inventory");
    std::fs::create_dir(&inventory).unwrap();
    std::fs::write(inventory.join("iam.json"), identities.to_string()).unwrap();
    std::fs::write(inventory.join("keys.json"), keys.to_string()).unwrap();
    std::fs::write(
        inventory.join("report.csv"),
        format!("{head}{}\n", rows.join("\n")),
    )
    .unwrap();
    inventory
}

/// The pipeline's key lists buckets and asks for a bucket's policy; its calls to IAM are refused.
fn logs(folder: &Path) -> PathBuf {
    let record = |number: u32, source: &str, name: &str, parameters: Value, error: Option<&str>| {
        let mut record = crate::common::record(
            number,
            &format!("2026-03-02T07:0{number}:00Z"),
            "198.51.100.10",
        );
        record["userIdentity"] = json!({"type": "IAMUser", "principalId": "AIDAEXAMPLE", "arn": CI,
            "accountId": "111122223333", "accessKeyId": "AKIACIEXAMPLE", "userName": "ci"});
        record["eventSource"] = format!("{source}.amazonaws.com").into();
        record["eventName"] = name.into();
        record["requestParameters"] = parameters;
        if let Some(error) = error {
            record["errorCode"] = error.into();
        }
        record
    };
    let file = folder.join("trail.ndjson");
    let records = [
        record(1, "s3", "ListBuckets", Value::Null, None),
        record(
            2,
            "s3",
            "GetBucketPolicy",
            json!({"bucketName": "web"}),
            None,
        ),
        record(
            3,
            "iam",
            "CreateAccessKey",
            json!({"userName": "admin"}),
            Some("AccessDenied"),
        ),
    ];
    std::fs::write(&file, lines(&records)).unwrap();
    file
}

fn run(arguments: &[&str], paths: &[&Path]) -> std::process::Output {
    let mut all: Vec<String> = vec!["keys".into()];
    all.extend(arguments.iter().map(|&word| word.to_owned()));
    all.extend(paths.iter().map(|path| path.display().to_string()));
    portreeve(&all)
}

fn key<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let keys = answer["keys"].as_array().unwrap();
    keys.iter()
        .find(|key| key["id"] == id)
        .unwrap_or_else(|| panic!("{id} is not in {keys:#?}"))
}

#[test]
fn every_key_says_whose_it_is_how_it_lives_and_what_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = inventory(folder.path());
    let answer = report(&run(&["--format", "json"], &[&inventory]));
    // The report's row and the listed id are one key.
    assert_eq!(answer["counts"]["keys"], 3);
    let password = key(&answer, &format!("password:{ADMIN}"));
    assert_eq!(password["master"], true);
    assert_eq!(password["second_factor"], true);
    assert_eq!(password["owner_is"], "human");
    assert_eq!(password["opens"]["open_accounts"], 1);
    assert_eq!(answer["master_keys"][0], password["id"]);
    let ci = key(&answer, "AKIACIEXAMPLE");
    assert_eq!(ci["acts_as"], json!([CI]));
    assert_eq!(
        (&ci["opens"]["accounts"], &ci["opens"]["open_accounts"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(ci["last_used"], "2026-02-28T09:00:00Z");
    assert_eq!(ci["unused"], false);
    let idle = key(&answer, "AKIAIDLEEXAMPLE");
    assert_eq!(
        (&idle["unused"], &idle["master"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(answer["as_of"], "2026-03-01T08:00:00Z");
    assert_eq!(idle["age_days"], 1853);

    let text = String::from_utf8(run(&[], &[&inventory]).stdout).unwrap();
    assert!(text.contains("MASTER KEYS (2)"), "{text}");
    assert!(text.contains("administrator of 1 account"), "{text}");
    assert!(
        text.contains("UNUSED (1)") && text.contains("AKIAIDLEEXAMPLE"),
        "{text}"
    );
    assert!(text.contains("--history"), "{text}");
    let page = String::from_utf8(run(&["--format", "html"], &[&inventory]).stdout).unwrap();
    assert!(page.contains("<svg") && page.contains("Master keys") && page.ends_with("</html>"));
}

#[test]
fn as_of_and_unused_for_decide_what_is_unused() {
    let folder = tempfile::tempdir().unwrap();
    let inventory = inventory(folder.path());
    let later = [
        "--format",
        "json",
        "--as-of",
        "2026-07-01T00:00:00Z",
        "--unused-for",
        "30",
    ];
    let answer = report(&run(&later, &[&inventory]));
    assert_eq!(answer["counts"]["unused"], 3);
}

#[test]
fn the_policy_that_would_do_comes_from_the_logs() {
    let folder = tempfile::tempdir().unwrap();
    let (inventory, logs) = (inventory(folder.path()), logs(folder.path()));
    let history = logs.to_str().unwrap();
    let arguments = ["--history", history, "--format", "json"];
    let answer = report(&run(&arguments, &[&inventory]));
    let listed = answer["over_permissive"].as_array().unwrap();
    assert_eq!(listed.len(), 1, "{listed:#?}");
    let ci = &listed[0];
    assert_eq!(ci["principal"], CI);
    assert_eq!(
        ci["used"],
        json!(["s3:GetBucketPolicy", "s3:ListAllMyBuckets"])
    );
    // What was refused was no use; what CloudTrail logs under other calls is kept, and said.
    assert_eq!(ci["unused"], json!(["iam:CreateAccessKey", "kms:Decrypt"]));
    assert_eq!(ci["narrowed"], json!(["s3:*"]));
    let kept: Vec<&str> = ci["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["action"].as_str().unwrap())
        .collect();
    assert!(
        kept.contains(&"iam:PassRole") && kept.contains(&"s3:GetObject*"),
        "{kept:?}"
    );
    let policy = ci["policy"].to_string();
    assert!(policy.contains("aws:MultiFactorAuthPresent"), "{policy}");
    assert!(
        !policy.contains("CreateAccessKey") && !policy.contains("kms:"),
        "{policy}"
    );
    // The logs know a later use than the credential report.
    assert_eq!(
        key(&answer, "AKIACIEXAMPLE")["last_used"],
        "2026-03-02T07:02:00Z"
    );

    let text = run(&["--history", history], &[&inventory]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("ALLOWED MORE THAN THEY USED (1)"), "{text}");
    assert!(text.contains("s3:ListAllMyBuckets"), "{text}");
}

#[test]
fn without_inventory_there_is_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let logs = logs(folder.path());
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    for arguments in [&[][..], &["--history", logs.to_str().unwrap()]] {
        let output = run(arguments, &[&empty]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    }
}
