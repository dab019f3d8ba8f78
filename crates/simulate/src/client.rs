use std::rc::Rc;

/// The program that makes a call, as far as its user agent tells.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    /// The AWS command line: what stands between its version and the command's name.
    CommandLine {
        version: &'static str,
        platform: Rc<str>,
    },
    /// A user agent that is the same for all calls.
    Fixed(Rc<str>),
}

impl Client {
    /// A user agent that is the same for all calls.
    pub(crate) fn fixed(text: &str) -> Self {
        Client::Fixed(text.into())
    }

    /// The AWS command line on `platform` (everything from `ua/2.0` up to the command).
    pub(crate) fn command_line(version: &'static str, platform: &str) -> Self {
        Client::CommandLine {
            version,
            platform: platform.into(),
        }
    }

    /// The command line of an intruder's own system, as it was seen in the best-known case.
    pub(crate) fn kali() -> Self {
        Self::command_line(
            "2.22.35 md/awscrt#0.23.4",
            "os/linux#6.11.2-amd64 md/arch#x86_64 lang/python#3.12.8 md/pyimpl#CPython \
             cfg/retry-mode#standard md/installer#source md/distrib#kali.2024 md/prompt#off",
        )
    }

    /// The command line of an intruder's system that nothing tells from an ordinary one.
    pub(crate) fn plain() -> Self {
        Self::command_line(
            "2.22.35 md/awscrt#0.23.4",
            "os/linux#6.8.0-49-generic md/arch#x86_64 lang/python#3.12.6 md/pyimpl#CPython \
             cfg/retry-mode#standard md/installer#exe md/distrib#ubuntu.24 md/prompt#off",
        )
    }

    /// The user agent of one call. S3 puts brackets around it.
    pub(crate) fn user_agent(&self, service: &str, operation: &str) -> String {
        let plain = match self {
            Client::Fixed(text) => text.to_string(),
            Client::CommandLine { version, platform } => {
                format!(
                    "aws-cli/{version} ua/2.0 {platform} md/command#{}",
                    command(service, operation)
                )
            }
        };
        if service == "s3" && !plain.ends_with(".amazonaws.com") {
            format!("[{plain}]")
        } else {
            plain
        }
    }
}

/// The command that the AWS command line would have been given for an operation.
fn command(service: &str, operation: &str) -> String {
    match (service, operation) {
        ("s3", "GetObject") => return "s3.sync".into(),
        ("s3", "PutObject") => return "s3.cp".into(),
        ("s3", "ListBuckets") => return "s3.ls".into(),
        // A role is taken from the portal when the first command needs it.
        ("sso", "CreateToken") => return "sso.login".into(),
        ("sso", "GetRoleCredentials") => return "sts.get-caller-identity".into(),
        ("ecr", "GetAuthorizationToken") => return "ecr.get-login-password".into(),
        _ => {}
    }
    let group = match service {
        "s3" => "s3api",
        "monitoring" => "cloudwatch",
        "elasticloadbalancing" => "elbv2",
        other => other,
    };
    // Some operations carry the API's date: ListFunctions20150331.
    let name = operation.trim_end_matches(|last: char| last.is_ascii_digit() || last == '_');
    let mut text = format!("{group}.");
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            text.push('-');
        }
        after_lower = letter.is_ascii_lowercase();
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_follows_from_the_operation() {
        assert_eq!(
            command("s3", "GetBucketVersioning"),
            "s3api.get-bucket-versioning"
        );
        assert_eq!(
            command("lambda", "ListFunctions20150331"),
            "lambda.list-functions"
        );
        assert_eq!(command("iam", "EnableMFADevice"), "iam.enable-mfadevice");
    }

    #[test]
    fn only_s3_brackets_user_agents() {
        assert!(
            Client::kali()
                .user_agent("s3", "GetObject")
                .starts_with("[aws-cli/")
        );
        assert!(
            Client::kali()
                .user_agent("iam", "ListUsers")
                .ends_with("md/command#iam.list-users")
        );
    }
}
