//! An account's password policy for its IAM users.

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.password-policy",
    title: "password policy of an account",
    command: "aws iam get-account-password-policy",
    without: "what passwords users may choose",
    wanted: Wanted::Optional,
    recognise: |document| document.has("PasswordPolicy"),
    read,
    ..FormatFile::DEFAULT
};

/// `"PasswordPolicy": null` says that the account has none, and so the service's default.
fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(mut account) = reader.own_account(document.json.offset, &document.path) else {
        return;
    };
    let given = match document.object("PasswordPolicy", reader) {
        None => "none",
        Some(policy) => {
            let members = [
                "MinimumPasswordLength",
                "RequireSymbols",
                "RequireNumbers",
                "RequireUppercaseCharacters",
                "RequireLowercaseCharacters",
                "MaxPasswordAge",
                "PasswordReusePrevention",
            ];
            policy.keep(&members, &mut account, reader);
            "given"
        }
    };
    let name = "PasswordPolicy".to_owned();
    account.attributes.insert(name, given.to_owned());
    reader.add(account);
}
