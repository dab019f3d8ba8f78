//! Bad input gives a clear dead letter, and nothing good is lost.

use portreeve_estate::{complete, read, recognise};
use portreeve_model::{DeadLetter, Estate};

const GOOD: &str = r#"{"UserDetailList": [
  {"UserName": "a", "Arn": "arn:aws:iam::111122223333:user/a", "UserPolicyList": [], "GroupList": []},
  {"UserName": "b", "Arn": "arn:aws:iam::111122223333:user/b", "UserPolicyList": [
     {"PolicyName": "p", "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}}]}
 ],
 "RoleDetailList": [
  {"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "AssumeRolePolicyDocument": {"Statement": []}}]}"#;

fn after(text: &str) -> (Estate, Vec<DeadLetter>) {
    let mut estate = Estate::default();
    let letters = read("file", text.as_bytes(), &mut estate);
    complete(&mut estate);
    (estate, letters)
}

fn has(estate: &Estate, name: &str) -> bool {
    estate
        .get(&format!("arn:aws:iam::111122223333:{name}"))
        .is_some()
}

#[test]
fn a_truncated_file_gives_what_is_whole() {
    for end in 0..GOOD.len() {
        let (estate, letters) = after(&GOOD[..end]);
        assert!(!letters.is_empty(), "at {end}");
        if end > GOOD.find("\"b\"").unwrap() {
            assert!(has(&estate, "user/a"), "at {end}: {letters:?}");
        }
    }
    let (estate, letters) = after(GOOD);
    assert_eq!(letters, []);
    assert!(has(&estate, "user/b") && has(&estate, "role/r"));
}

#[test]
fn wrong_types_cost_only_what_they_are_in() {
    let text = GOOD
        .replace("\"GroupList\": []", "\"GroupList\": 7, \"Tags\": \"x\", \"UserId\": {}")
        .replace("\"PolicyName\": \"p\", \"PolicyDocument\": {\"Statement\"", "\"PolicyName\": [], \"PolicyDocument\": {\"Statement\"")
        .replace("\"RoleDetailList\": [", "\"GroupDetailList\": {}, \"Policies\": [1, {\"Arn\": 5}], \"RoleDetailList\": [null, {\"RoleName\": \"x\"},");
    let (estate, letters) = after(&text);
    assert!(has(&estate, "user/a") && has(&estate, "user/b") && has(&estate, "role/r"));
    let reasons: Vec<_> = letters
        .iter()
        .map(|letter| letter.reason.as_str())
        .collect();
    for expected in [
        "$.UserDetailList[0].GroupList is a number, expected a list",
        "$.UserDetailList[0].Tags is a string, expected a list",
        "$.UserDetailList[0].UserId is an object, expected text",
        "$.UserDetailList[1].UserPolicyList[0].PolicyName is a list, expected text",
        "$.GroupDetailList is an object, expected a list",
        "$.Policies[0] is a number, expected an object",
        "$.Policies[1] has the `Arn` `5`, which is no ARN",
        "$.RoleDetailList[0] is null, expected an object",
        "$.RoleDetailList[1] has no `Arn`",
    ] {
        assert!(
            reasons.contains(&expected),
            "{expected} is not in {reasons:#?}"
        );
    }
    let offset = letters
        .iter()
        .find(|letter| letter.reason.contains("GroupList"))
        .unwrap()
        .offset;
    assert_eq!(&text[offset as usize..=offset as usize], "7");
}

#[test]
fn one_broken_element_leaves_the_others() {
    let text = GOOD.replace("{\"UserName\": \"a\",", "{\"UserName\": tru,");
    let (estate, letters) = after(&text);
    assert!(!has(&estate, "user/a"));
    assert!(has(&estate, "user/b") && has(&estate, "role/r"));
    assert_eq!(letters.len(), 1);
    assert!(
        letters[0]
            .reason
            .starts_with("$.UserDetailList[0] is broken"),
        "{letters:?}"
    );
}

#[test]
fn a_page_that_is_not_the_last_is_told() {
    let page = |last: bool| GOOD.replacen('{', &format!("{{\"IsTruncated\": {},", !last), 1);
    let (estate, letters) = after(&page(false));
    assert!(has(&estate, "user/a"));
    assert!(letters[0].reason.contains("more pages"), "{letters:?}");
    let (_, letters) = after(&format!("{}\n{}", page(false), page(true)));
    assert_eq!(letters, []);
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = "[".repeat(100_000);
    assert!(recognise(deep.as_bytes()).is_none());
    let (_, letters) = after(&deep);
    assert_eq!(letters.len(), 1);
    let statement = format!(
        "{{\"Statement\": {}{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let text = GOOD.replace("{\"Statement\": []}", &statement);
    let (estate, letters) = after(&text);
    assert!(has(&estate, "role/r"));
    assert!(
        letters[0].reason.contains("nested deeper than 128"),
        "{letters:?}"
    );
}

#[test]
fn what_is_no_inventory_is_not_taken_for_one() {
    let record = r#"{"eventVersion":"1.08","userIdentity":{"type":"Root"},"eventName":"ListBuckets","responseElements":{"Buckets":[{"Name":"x"}],"taskDefinition":{"taskDefinitionArn":"arn:aws:ecs:eu-west-1:111122223333:task-definition/a:1"}}}"#;
    for log in [
        record.to_owned(),
        format!("{{\"Records\":[{record}]}}"),
        format!("[{record},{record}]"),
        format!("{record}\n{record}\n"),
        format!("{{\"_source\":{record}}}"),
        r#"{"Events":[{"EventName":"x","CloudTrailEvent":"{}"}]}"#.to_owned(),
        "timestamp,message\n1,2\n".to_owned(),
        "not JSON at all".to_owned(),
        String::new(),
    ] {
        assert!(recognise(log.as_bytes()).is_none(), "{log}");
        let (estate, letters) = after(&log);
        assert!(estate.is_empty(), "{log}");
        assert!(!letters.is_empty() || log.is_empty(), "{log}");
    }
}

#[test]
fn wrapped_concatenated_and_wide_files_read() {
    let account = r#"{"UserDetailList": [{"Arn": "arn:aws:iam::111122223333:user/a"}]}"#;
    let other = account.replace("user/a", "user/b");
    let wide: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(
            format!("[{account},{other}]")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    for bytes in [
        format!("[{account}, {other}]").into_bytes(),
        format!("{account}\n{other}\n").into_bytes(),
        format!("{account}{other}").into_bytes(),
        format!("{{\"111122223333\": {account}, \"444455556666\": {other}}}").into_bytes(),
        format!(
            "{{\"Accounts\": [{{\"Account\": \"111122223333\", \"Details\": {account}}}, {other}]}}"
        )
        .into_bytes(),
        format!("\u{feff}[{account},{other}]").into_bytes(),
        wide,
    ] {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        let format = recognise(&bytes).unwrap_or_else(|| panic!("{shown}"));
        assert_eq!(format.id(), "aws.account-authorization-details");
        let mut estate = Estate::default();
        assert_eq!(read("file", &bytes, &mut estate), [], "{shown}");
        assert!(has(&estate, "user/a") && has(&estate, "user/b"), "{shown}");
    }
}

proptest::proptest! {
    #[test]
    fn no_change_of_a_byte_stops_the_reading(at in 0..GOOD.len(), byte in 0u8..=255) {
        let mut bytes = GOOD.as_bytes().to_vec();
        bytes[at] = byte;
        let mut estate = Estate::default();
        let _ = recognise(&bytes);
        read("file", &bytes, &mut estate);
        complete(&mut estate);
    }
}
