use proptest::prelude::*;

use super::*;

const KALI: &str = "[aws-cli/2.22.35 md/awscrt#0.23.4 ua/2.0 os/linux#6.11.2-amd64 \
    md/arch#x86_64 lang/python#3.12.8 md/distrib#kali.2024 md/command#s3api.get-bucket-versioning]";

#[test]
fn one_machine_is_one_family() {
    let other = KALI.replace("s3api.get-bucket-versioning", "sts.get-caller-identity");
    assert_eq!(
        client_family(KALI),
        client_family(other.trim_matches(['[', ']']))
    );
    assert!(client_family(KALI).ends_with("md/distrib#kali.2024"));
    assert!(is_specific_family(&client_family(KALI)));
    assert!(!is_specific_family(&client_family("aws-cli/2.22.35")));
    assert!(is_provider_family("cloudformation.amazonaws.com"));
}

#[test]
fn systems_are_told_apart() {
    let described = |client| Client::parse(client).described().into_owned();
    assert_eq!(described(KALI), "aws-cli on Kali Linux");
    assert_eq!(described("aws-cli/2.15 os/macos#23.1"), "aws-cli on macOS");
    assert_eq!(
        described("Mozilla/5.0 (Windows NT 10.0)"),
        "Mozilla on Windows"
    );
    assert_eq!(described("kms.amazonaws.com"), "kms.amazonaws.com");
}

#[test]
fn the_command_line_says_nearly_everything() {
    let client = Client::parse(KALI);
    assert_eq!((client.tool, client.version), ("aws-cli", Some("2.22.35")));
    assert_eq!(client.kind, ClientKind::CommandLine);
    assert_eq!(client.system, Some("Linux"));
    assert_eq!(client.system_version, Some("6.11.2-amd64"));
    assert_eq!(client.distribution, Some("kali"));
    assert_eq!(client.distribution_version, Some("2024"));
    assert_eq!(client.architecture, Some("x86_64"));
    assert_eq!(client.language, Some("python"));
    assert_eq!(client.language_version, Some("3.12.8"));
    assert_eq!(client.command, Some("s3api.get-bucket-versioning"));
    assert_eq!(client.offensive, Some("Kali Linux"));
}

#[test]
fn older_command_lines_are_read() {
    let first =
        Client::parse("aws-cli/1.22.34 Python/3.10.6 Linux/5.18.0-kali5-amd64 botocore/1.27.84");
    assert_eq!((first.tool, first.version), ("aws-cli", Some("1.22.34")));
    assert_eq!(first.distribution, Some("kali"));
    assert_eq!(first.offensive, Some("Kali Linux"));
    assert_eq!(first.language, Some("Python"));

    let shell = Client::parse(
        "aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255-314-253.539.amzn2.x86_64 exec-env/CloudShell \
         exe/x86_64.amzn.2 prompt/off command/ec2.stop-instances",
    );
    assert_eq!(shell.environment, Some("CloudShell"));
    assert_eq!(shell.distribution, Some("amzn"));
    assert_eq!(shell.command, Some("ec2.stop-instances"));
    assert_eq!(shell.offensive, None);

    let mac = Client::parse("aws-cli/1.11.76 Python/2.7.10 Darwin/17.7.0 botocore/1.5.39");
    assert_eq!(mac.system, Some("macOS"));
    assert_eq!(mac.system_version, Some("17.7.0"));
}

#[test]
fn a_subsystem_of_windows_is_told_from_a_linux_machine() {
    let client = Client::parse(
        "aws-cli/2.32.3 md/awscrt#0.28.4 ua/2.1 os/linux#5.15.167-microsoft-standard-WSL2 \
         md/arch#x86_64 lang/python#3.13.9 md/pyimpl#CPython m/Z,g,E,b cfg/retry-mode#standard \
         md/installer#exe md/distrib#ubuntu.24 md/prompt#off md/command#ec2.describe-instances",
    );
    assert_eq!(client.environment, Some("WSL"));
    assert_eq!(client.distribution, Some("ubuntu"));
    assert_eq!(client.command, Some("ec2.describe-instances"));
}

#[test]
fn libraries_tell_language_system_and_surroundings() {
    let boto = Client::parse(
        "Boto3/1.35.99 md/Botocore#1.35.99 ua/2.0 os/linux#6.1.119-129.201.amzn2023.x86_64 \
         md/arch#x86_64 lang/python#3.12.8 exec-env/AWS_Lambda_python3.12 Botocore/1.35.99",
    );
    assert_eq!((boto.tool, boto.version), ("Boto3", Some("1.35.99")));
    assert_eq!(boto.kind, ClientKind::Library);
    assert_eq!(boto.environment, Some("AWS_Lambda_python3.12"));
    assert_eq!(boto.distribution, Some("amzn"));

    let go =
        Client::parse("aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) amazon-ssm-agent/3.3.1611.0");
    assert_eq!(go.tool, "amazon-ssm-agent");
    assert_eq!(go.system, Some("Linux"));
    assert_eq!(go.language, Some("go"));
    assert_eq!(go.language_version, Some("1.22.7"));
    assert_eq!(go.architecture, Some("amd64"));

    let old = Client::parse(
        "aws-sdk-go-v2/1.14.0 os/macos lang/go/1.17.6 md/GOOS/darwin md/GOARCH/arm64 api/iam/1.17.0",
    );
    assert_eq!((old.tool, old.version), ("aws-sdk-go-v2", Some("1.14.0")));
    assert_eq!(old.system, Some("macOS"));
    assert_eq!(old.language_version, Some("1.17.6"));
    assert_eq!(old.architecture, Some("arm64"));

    let action = Client::parse(
        "aws-sdk-js/3.716.0 ua/2.1 os/linux#6.8.0-1021-azure lang/js md/nodejs#20.18.1 \
         api/sts#3.716.0 aws-credentials-for-github-actions",
    );
    assert_eq!(action.tool, "aws-sdk-js");
    assert_eq!(action.environment, Some("GitHub Actions"));
    assert_eq!(action.language, Some("js"));
    assert_eq!(action.language_version, Some("20.18.1"));

    assert_eq!(
        Client::parse("aws-sdk-rust/1.3.3 os/linux lang/rust/1.82.0").language,
        Some("rust")
    );
    assert_eq!(
        Client::parse("aws-sdk-dotnet-coreclr/3.7.400 aws-sdk-dotnet-core/3.7.400").language,
        Some("dotnet")
    );
}

#[test]
fn infrastructure_tools_are_named_before_what_they_are_built_on() {
    let terraform = Client::parse(
        "APN/1.0 HashiCorp/1.0 Terraform/1.10.5 (+https://www.terraform.io) \
         terraform-provider-aws/5.84.0 (+https://registry.terraform.io/providers/hashicorp/aws) \
         aws-sdk-go-v2/1.33.0 ua/2.1 os/linux lang/go#1.23.3 md/GOOS#linux md/GOARCH#amd64",
    );
    assert_eq!(
        (terraform.tool, terraform.version),
        ("Terraform", Some("1.10.5"))
    );
    assert_eq!(terraform.kind, ClientKind::Infrastructure);
    assert_eq!(terraform.system, Some("Linux"));

    let early = Client::parse(
        "aws-sdk-go/1.29.7 (go1.13.7; darwin; amd64) APN/1.0 HashiCorp/1.0 Terraform/0.12.24 \
         (+https://www.terraform.io)",
    );
    assert_eq!((early.tool, early.version), ("Terraform", Some("0.12.24")));
    assert_eq!(early.system, Some("macOS"));

    let pulumi = Client::parse("APN/1.0 Pulumi/1.0 PulumiAws/6.0 aws-sdk-go-v2/1.30 os/linux");
    assert_eq!(pulumi.tool, "Pulumi");
}

#[test]
fn browsers_are_told_by_what_only_they_say() {
    let of = |client| {
        let client = Client::parse(client);
        (
            client.tool,
            client.version,
            client.system,
            client.system_version,
        )
    };
    assert_eq!(
        of(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36"
        ),
        ("Chrome", Some("133.0.0.0"), Some("macOS"), Some("10_15_7"))
    );
    assert_eq!(
        of(
            "[Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36 Edg/123.0.2420.81]"
        ),
        ("Edge", Some("123.0.2420.81"), Some("Windows"), Some("10.0"))
    );
    assert_eq!(
        of("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
        ("Firefox", Some("128.0"), Some("Linux"), None)
    );
    assert_eq!(
        of(
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36"
        ),
        ("Chrome", Some("120.0.0.0"), Some("Android"), Some("14"))
    );
    assert_eq!(
        of(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"
        ),
        ("Safari", Some("17.4"), Some("macOS"), Some("10_15_7"))
    );
}

#[test]
fn the_provider_is_told_from_callers() {
    let kind = |client| Client::parse(client).kind;
    assert_eq!(kind("AWS Internal"), ClientKind::Service);
    assert_eq!(kind("cloudformation.amazonaws.com"), ClientKind::Service);
    assert_eq!(kind("signin.amazonaws.com"), ClientKind::Console);
    assert_eq!(kind("console.ec2.amazonaws.com"), ClientKind::Console);
    assert_eq!(
        kind("[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.666 Linux/4.9.184 java/1.8.0_232]"),
        ClientKind::Console
    );
    assert_eq!(
        kind("aws-internal/3 aws-sdk-java/1.12.780 Linux/5.10.233 java/17.0.13"),
        ClientKind::Service
    );
    assert_eq!(kind("curl/7.68.0"), ClientKind::Script);
    assert_eq!(kind(""), ClientKind::Other);
}

#[test]
fn attack_tools_are_named() {
    let offensive = |client| Client::parse(client).offensive;
    assert_eq!(offensive("TruffleHog"), Some("TruffleHog"));
    assert_eq!(offensive("trufflehog/3.63.0"), Some("TruffleHog"));
    assert_eq!(
        offensive("stratus-red-team_c763d13b-d099-488a-bb3e-f57cb2fed240"),
        Some("Stratus Red Team")
    );
    assert_eq!(
        offensive("Boto3/1.26.0 Python/3.11 Linux/6.3.0-1parrot1-amd64 Botocore/1.29.0"),
        Some("Parrot OS")
    );
    assert_eq!(
        offensive(
            "aws-cli/2.17.32 os/linux#6.1 exec-env/grimoire_60e9ab1e-1f65-4548-84ba-24f72371f174"
        ),
        Some("Grimoire")
    );
    // A name that only contains one of theirs is another's.
    assert_eq!(offensive("impact-analysis/1.0"), None);
    assert_eq!(
        offensive("aws-cli/2.15 os/linux md/distrib#ubuntu.22"),
        None
    );
}

/// Words of real user agents, and what breaks parsers, in any order.
fn mixture() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "aws-cli/2.1",
        "[",
        "]",
        "(",
        ")",
        "((",
        "os/",
        "os/linux#",
        "os/#",
        "md/distrib#kali.2024",
        "md/distrib#",
        "md/",
        "/",
        "#",
        "exe/x.",
        "exec-env/",
        "Mozilla/5.0",
        "Chrome/",
        "Safari",
        "go1.",
        "Windows NT ",
        "Mac OS X ",
        "Android ",
        ";",
        ",",
        " ",
        "é",
        "\u{feff}",
        "ÄÖ/ß",
        "AWS Internal",
        ".amazonaws.com",
        "command/",
        "Linux/5-kali",
        "aws-sdk-",
        "Terraform/",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
}

fn is_within(part: Option<&str>, whole: &str) -> bool {
    part.is_none_or(|part| whole.contains(part) || words::kernel(whole).0 == Some(part))
}

proptest! {
    #[test]
    fn any_text_is_read_and_nothing_is_made_up(text in prop_oneof![any::<String>(), mixture()]) {
        let client = Client::parse(&text);
        for part in [
            client.version, client.system_version, client.distribution_version,
            client.architecture, client.language_version, client.command,
        ] {
            prop_assert!(is_within(part, &text), "{part:?} of {text:?}");
        }
        // The program is named by its own words, or by the name that people know it by.
        prop_assert!(text.contains(client.tool) || client.tool.len() <= 24);
        client_family(&text);
        client.described();
    }

    #[test]
    fn brackets_change_nothing(text in mixture()) {
        let plain = text.trim().trim_start_matches('[').trim_end_matches(']').to_owned();
        let wrapped = format!("[{plain}]");
        prop_assert_eq!(Client::parse(&plain), Client::parse(&wrapped));
    }

    #[test]
    fn a_family_is_its_own_family(text in mixture()) {
        let family = client_family(&text);
        prop_assert_eq!(client_family(&family), family);
    }
}
