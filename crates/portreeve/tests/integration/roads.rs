//! `portreeve paths`, `blast`, `graph`, `can` and `who-can` on a small estate.

use std::path::PathBuf;

use crate::common::{portreeve, report, said};
use serde_json::{Value, json};

const DEV: &str = "arn:aws:iam::111122223333:user/dev.mira";
const DEPLOY: &str = "arn:aws:iam::111122223333:role/deploy";
const BUILDS: &str = "token.actions.githubusercontent.com:repo:halyard/web:*";
const WEB: &str = "arn:aws:s3:::halyard-web";

/// Exports of one account: a developer who may become the role that deploys if he has a second
/// factor, a repository whose builds become it, and the bucket of the web page.
struct Town {
    folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let document = |statement: Value| json!({"Version": "2012-10-17", "Statement": statement});
        let provider =
            "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
        let identities = json!({
            "UserDetailList": [{
                "UserName": "dev.mira", "Arn": DEV, "UserId": "AIDAEXAMPLE", "Path": "/",
                "UserPolicyList": [{"PolicyName": "developer", "PolicyDocument": document(json!([
                    {"Sid": "Deploy", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": DEPLOY,
                     "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
                    {"Sid": "Logs", "Effect": "Allow", "Action": "s3:GetObject",
                     "Resource": "arn:aws:s3:::halyard-logs/*"}]))}],
            }],
            "GroupDetailList": [],
            "RoleDetailList": [{
                "RoleName": "deploy", "Arn": DEPLOY, "RoleId": "AROAEXAMPLE", "Path": "/",
                "AssumeRolePolicyDocument": document(json!([
                    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                     "Action": "sts:AssumeRole"},
                    {"Effect": "Allow", "Principal": {"Federated": provider},
                     "Action": "sts:AssumeRoleWithWebIdentity",
                     "Condition": {
                        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                        "StringLike": {"token.actions.githubusercontent.com:sub": "repo:halyard/web:*"}}}])),
                "RolePolicyList": [{"PolicyName": "publish", "PolicyDocument": document(json!(
                    {"Sid": "Publish", "Effect": "Allow", "Action": "s3:PutObject",
                     "Resource": "arn:aws:s3:::halyard-web/*"}))}],
            }],
            "Policies": [],
        });
        let resources = json!({
            "Account": "111122223333", "Region": "eu-west-1",
            "Buckets": [{"Name": "halyard-web", "Policy": null}, {"Name": "halyard-logs", "Policy": null}],
            "AccessKeyMetadata": [{"UserName": "dev.mira", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
                "Status": "Active", "CreateDate": "2026-01-05T09:00:00Z"}],
            "DistributionList": {"Quantity": 1, "Items": [{
                "ARN": "arn:aws:cloudfront::111122223333:distribution/E1", "Id": "E1",
                "Origins": {"Quantity": 1, "Items": [
                    {"Id": "web", "DomainName": "halyard-web.s3.eu-west-1.amazonaws.com"}]}}]},
        });
        for (name, file) in [("iam.json", identities), ("resources.json", resources)] {
            std::fs::write(folder.path().join(name), file.to_string()).unwrap();
        }
        Self { folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let folder = self.path();
        let mut all = arguments.to_vec();
        all.push(folder.to_str().unwrap());
        portreeve(&all)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        report(&self.run(&all))
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn texts(list: &Value, key: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item[key].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn paths_start_at_doors_and_end_at_jewels() {
    let town = Town::new();
    let answer = town.json(&["paths"]);
    assert_eq!(texts(&answer["doors"], "id"), [BUILDS]);
    assert_eq!(texts(&answer["paths"], "from"), [BUILDS]);
    assert_eq!(texts(&answer["paths"], "to"), [WEB]);
    assert_eq!(
        texts(&answer["paths"][0]["steps"], "via"),
        ["sts-assume-role-with-web-identity", "s3-write-object"]
    );
    let web = answer["reach"].as_array().unwrap();
    let web = web.iter().find(|reach| reach["jewel"] == WEB).unwrap();
    assert_eq!((&web["principals"], &web["open"]), (&json!(3), &json!(2)));
    assert!(!answer["blind_spots"].as_array().unwrap().is_empty());
    let text = town.text(&["paths"]);
    assert!(
        text.contains("any branch or pull request of halyard/web"),
        "{text}"
    );
}

#[test]
fn a_session_without_a_second_factor_stops_where_one_is_asked_for() {
    let town = Town::new();
    let path = town.json(&["paths", "--from", "dev.mira"]);
    assert_eq!(
        path["paths"][0]["conditions"],
        json!(["aws:MultiFactorAuthPresent"])
    );
    let without = town.json(&["paths", "--from", "dev.mira", "--without", "mfa"]);
    assert_eq!(without["paths"], json!([]));
    // The repository's builds have none and need none.
    let all = town.json(&["paths", "--without", "mfa"]);
    assert_eq!(texts(&all["paths"], "from"), [BUILDS]);
    let address = ["paths", "--context", "aws:MultiFactorAuthPresent=true"];
    let with = town.json(&[&address[..], &["--from", "dev.mira"]].concat());
    assert_eq!(with["paths"][0]["conditions"], json!([]));
}

#[test]
fn who_reaches_a_target_is_asked_with_to_alone() {
    let town = Town::new();
    let answer = town.json(&["paths", "--to", "halyard-web"]);
    assert_eq!(texts(&answer["paths"], "from"), [BUILDS, DEPLOY, DEV]);
    let logs = town.json(&["paths", "--from", "dev.mira", "--to", "halyard-logs"]);
    assert_eq!(texts(&logs["paths"][0]["steps"], "via"), ["s3-read-object"]);
}

#[test]
fn a_lost_key_costs_what_it_reaches_by_hop() {
    let town = Town::new();
    let answer = town.json(&["blast", "AKIAIOSFODNN7EXAMPLE"]);
    assert_eq!(texts(&answer["hops"][0]["reached"], "id"), [DEV]);
    assert_eq!(
        texts(&answer["hops"][1]["reached"], "id"),
        ["arn:aws:s3:::halyard-logs", DEPLOY]
    );
    assert_eq!(texts(&answer["jewels"], "id"), [WEB]);
    assert_eq!(answer["paths"][0]["steps"].as_array().unwrap().len(), 3);
    let without = town.json(&["blast", "AKIAIOSFODNN7EXAMPLE", "--without", "mfa"]);
    assert_eq!(without["jewels"], json!([]));
    // Several at once: what any of them reaches.
    let laptop = town.json(&["blast", "AKIAIOSFODNN7EXAMPLE", "deploy"]);
    assert_eq!(laptop["starts"].as_array().unwrap().len(), 2);
    assert_eq!(laptop["paths"][0]["conditions"], json!([]));
    let text = town.text(&["blast", "dev.mira"]);
    assert!(
        text.contains("1 STEP AWAY (2)") && text.contains("WAYS TO CROWN JEWELS"),
        "{text}"
    );
}

#[test]
fn the_loss_of_a_third_party_is_asked_by_issuer_or_name() {
    let town = Town::new();
    for vendor in [
        "vendor:token.actions.githubusercontent.com",
        "vendor:halyard/web",
    ] {
        let answer = town.json(&["blast", vendor]);
        assert_eq!(texts(&answer["doors"], "to"), [DEPLOY], "{vendor}");
        assert_eq!(texts(&answer["jewels"], "id"), [WEB], "{vendor}");
    }
    let output = town.run(&["blast", "vendor:999988887777"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("999988887777"), "{}", said(&output));
}

#[test]
fn graphs_are_written_for_other_tools() {
    let town = Town::new();
    for question in [&["paths"][..], &["blast", "dev.mira"], &["graph"]] {
        let with = |format: &str| town.text(&[question, &["--format", format]].concat());
        let document: Value = serde_json::from_str(&with("opengraph")).unwrap();
        let nodes = document["graph"]["nodes"].as_array().unwrap();
        assert!(
            nodes.iter().any(|node| node["id"] == DEPLOY),
            "{question:?}"
        );
        assert!(!document["graph"]["edges"].as_array().unwrap().is_empty());
        assert!(with("graphml").ends_with("</graphml>\n"));
        assert!(with("dot").starts_with("digraph"));
    }
    // What leads nowhere has its edge too.
    let dot = town.text(&["blast", "dev.mira", "--format", "dot"]);
    assert!(dot.contains("s3-read-object"), "{dot}");
    // A file is written whole.
    let file = town.path().join("out.html");
    town.text(&[
        "paths",
        "--format",
        "html",
        "--output",
        file.to_str().unwrap(),
    ]);
    let page = std::fs::read_to_string(file).unwrap();
    assert!(page.contains("<svg") && page.ends_with("</html>"));
}

#[test]
fn can_answers_layer_by_layer() {
    let town = Town::new();
    let ask = ["can", "dev.mira", "sts:AssumeRole", "deploy"];
    let answer = town.json(&ask);
    assert_eq!(answer["decision"], "depends");
    assert_eq!(answer["depends_on"][0]["key"], "aws:MultiFactorAuthPresent");
    let layers = answer["layers"].as_array().unwrap();
    let said: Vec<(&str, &str)> = layers
        .iter()
        .map(|layer| {
            let text = |key: &str| layer[key].as_str().unwrap();
            (text("layer"), text("result"))
        })
        .collect();
    assert_eq!(said, [("trust", "allow"), ("identity", "depends")]);

    let decision = |more: &[&str]| town.json(&[&ask[..], more].concat())["decision"].clone();
    assert_eq!(
        decision(&["--context", "aws:MultiFactorAuthPresent=true"]),
        "allowed"
    );
    assert_eq!(decision(&["--without", "mfa"]), "denied");
    assert_eq!(decision(&["--strict"]), "denied");
    let text = town.text(&["can", "deploy", "s3:PutObject", "s3://halyard-web/app.js"]);
    assert!(text.starts_with("ALLOWED"), "{text}");
    assert!(text.contains("publish#Publish"), "{text}");
    let page = town.text(&[
        "can",
        "deploy",
        "s3:PutObject",
        "s3://halyard-web/app.js",
        "--format",
        "html",
    ]);
    assert!(page.contains("<svg") && page.contains("Layer by layer"));
}

#[test]
fn who_can_names_those_who_may() {
    let town = Town::new();
    let answer = town.json(&["who-can", "s3:PutObject", "halyard-web"]);
    assert_eq!(texts(&answer["allowed"], "principal"), [DEPLOY]);
    assert_eq!(answer["denied"], 1);
    assert_eq!(answer["resource"], format!("{WEB}/*"));
    let text = town.text(&["who-can", "sts:AssumeRole", "deploy"]);
    assert!(
        text.contains("DEPENDS (1)") && text.contains("dev.mira"),
        "{text}"
    );
}

#[test]
fn words_that_mean_nothing_are_wrong_usage_and_say_what_to_do() {
    let town = Town::new();
    for (arguments, expected) in [
        (&["paths", "--from", "nobody"][..], "`nobody`"),
        (&["blast", "nobody"], "`nobody`"),
        (
            &["can", "nobody", "s3:GetObject", "halyard-web"],
            "`nobody`",
        ),
        (
            &["can", "dev.mira", "GetObject", "halyard-web"],
            "s3:GetObject",
        ),
        (&["can", "dev.mira", "s3:GetObject", "nowhere"], "`nowhere`"),
        (
            &["who-can", "s3:GetObject", "halyard-web", "--context", "x"],
            "KEY=VALUE",
        ),
    ] {
        let output = town.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    for arguments in [
        &["paths", folder][..],
        &["blast", "dev", folder],
        &["can", "dev", "s3:GetObject", "*", folder],
        &["graph", folder],
    ] {
        let output = portreeve(arguments);
        assert_eq!(
            output.status.code(),
            Some(3),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}
