//! What a user agent says of the client that is the same for all of its calls.

/// The user agent without what changes from call to call: the brackets that S3 puts around it,
/// the command, the prompt, the features used (`md/command#…`, `md/prompt#…`, `m/…`).
pub(crate) fn family(client: &str) -> String {
    let plain = client.trim().trim_start_matches('[').trim_end_matches(']');
    let mut family = String::with_capacity(plain.len());
    for part in plain.split_ascii_whitespace() {
        let changes = ["md/command#", "command/", "md/prompt#", "m/"]
            .iter()
            .any(|prefix| part.starts_with(prefix));
        if !changes {
            if !family.is_empty() {
                family.push(' ');
            }
            family.push_str(part);
        }
    }
    family
}

/// Whether a client names its system so closely that two uses of it are likely one machine's:
/// a system with its version, and enough besides.
pub(crate) fn is_specific(family: &str) -> bool {
    family.len() >= 40 && family.contains("os/") && !is_provider(family)
}

/// Whether the provider itself made the call, so that the client says nothing of the caller.
pub(crate) fn is_provider(family: &str) -> bool {
    !family.contains('/') || family.contains(".amazonaws.com") || family.contains("AWS Internal")
}

/// The operating system that a user agent names.
pub(crate) fn operating_system(client: &str) -> Option<&'static str> {
    let lower = client.to_ascii_lowercase();
    let names = [
        ("distrib#kali", "Kali Linux"),
        ("os/macos", "macOS"),
        ("os/darwin", "macOS"),
        ("darwin/", "macOS"),
        ("mac os x", "macOS"),
        ("os/windows", "Windows"),
        ("windows nt", "Windows"),
        ("windows/", "Windows"),
        ("os/linux", "Linux"),
        ("linux", "Linux"),
    ];
    names
        .iter()
        .find(|(part, _)| lower.contains(part))
        .map(|(_, name)| *name)
}

/// The tool's name: `aws-cli`, `Boto3`, `Mozilla`.
pub(crate) fn tool(client: &str) -> &str {
    let plain = client.trim_start_matches('[');
    let end = plain.find(['/', ' ', ']']).unwrap_or(plain.len());
    &plain[..end]
}

/// Tool and system in words: `aws-cli on Kali Linux`.
pub(crate) fn described(client: &str) -> String {
    match operating_system(client) {
        Some(system) => format!("{} on {system}", tool(client)),
        None => tool(client).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KALI: &str = "[aws-cli/2.22.35 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2-amd64 \
        md/arch#x86_64 lang/python#3.12.8 md/distrib#kali.2024 md/command#s3api.get-bucket-versioning]";

    #[test]
    fn one_machine_is_one_family() {
        let other = KALI.replace("s3api.get-bucket-versioning", "sts.get-caller-identity");
        assert_eq!(family(KALI), family(other.trim_matches(['[', ']'])));
        assert!(family(KALI).ends_with("md/distrib#kali.2024"));
        assert!(is_specific(&family(KALI)));
        assert!(!is_specific(&family("aws-cli/2.22.35")));
        assert!(is_provider("cloudformation.amazonaws.com"));
    }

    #[test]
    fn systems_are_told_apart() {
        assert_eq!(described(KALI), "aws-cli on Kali Linux");
        assert_eq!(described("aws-cli/2.15 os/macos#23.1"), "aws-cli on macOS");
        assert_eq!(
            described("Mozilla/5.0 (Windows NT 10.0)"),
            "Mozilla on Windows"
        );
        assert_eq!(described("kms.amazonaws.com"), "kms.amazonaws.com");
    }
}
