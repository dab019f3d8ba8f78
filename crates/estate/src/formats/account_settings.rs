//! Settings of a whole account, and of a region of it.

use portreeve_model::Entity;

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.account-settings",
    title: "settings of an account",
    command: "aws iam get-account-summary; aws s3control get-public-access-block --account-id ACCOUNT (as `AccountPublicAccessBlock`); aws ec2 get-ebs-encryption-by-default; aws ssm get-document --name SSM-SessionManagerRunShell (as `SessionPreferences`)",
    without: "whether the root user has keys, whether S3 is closed to the public, whether new volumes are encrypted, whether sessions are logged",
    wanted: Wanted::Optional,
    recognise: |document| MEMBERS.iter().any(|member| document.has(member)),
    read,
    ..FormatFile::DEFAULT
};

const MEMBERS: &[&str] = &[
    "SummaryMap",
    "AccountPublicAccessBlock",
    "EbsEncryptionByDefault",
    "SessionPreferences",
];

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(mut account) = reader.own_account(document.json.offset, &document.path) else {
        return;
    };
    if let Some(summary) = document.object("SummaryMap", reader) {
        let members = [
            "AccountMFAEnabled",
            "AccountAccessKeysPresent",
            "AccountSigningCertificatesPresent",
        ];
        summary.keep(&members, &mut account, reader);
    }
    if document.has("AccountPublicAccessBlock") {
        public_access(document, &mut account, reader);
    }
    if let Some(region) = reader.region.clone() {
        let encrypted = document.text("EbsEncryptionByDefault", reader);
        if let Some(encrypted) = encrypted {
            let name = format!("EbsEncryptionByDefault:{region}");
            account.attributes.insert(name, encrypted.into_owned());
        }
        if document.has("SessionPreferences") {
            let name = format!("SessionLog:{region}");
            let log = session_log(document, reader);
            account.attributes.insert(name, log);
        }
    }
    reader.add(account);
}

fn public_access(document: &Object<'_>, account: &mut Entity, reader: &mut Reader<'_>) {
    let wrapped = "AccountPublicAccessBlock.PublicAccessBlockConfiguration";
    let path = match document.get(wrapped) {
        Some(_) => wrapped,
        None => "AccountPublicAccessBlock",
    };
    let block = document.object(path, reader);
    for flag in [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ] {
        let set = block.as_ref().and_then(|block| block.text(flag, reader));
        let set = set.map_or_else(|| "false".to_owned(), String::from);
        account.attributes.insert(flag.to_owned(), set);
    }
}

/// Where Session Manager logs what is typed: the bucket or log group, `none` where nowhere. The
/// content of the document is text that holds JSON.
fn session_log(document: &Object<'_>, reader: &mut Reader<'_>) -> String {
    let preferences = document.object("SessionPreferences", reader);
    let content = preferences.and_then(|preferences| preferences.document("Content", reader));
    let content = content.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let named = |name: &str| {
        let inputs = content.as_ref()?.get("inputs")?;
        let text = inputs.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    named("s3BucketName")
        .or_else(|| named("cloudWatchLogGroupName"))
        .unwrap_or_else(|| "none".to_owned())
}
