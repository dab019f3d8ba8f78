//! The words that tell one client from another.

use super::ClientKind;

/// Products that are programs by themselves, in lower case, with the name that people know.
const TOOLS: &[(&str, &str, ClientKind)] = &[
    ("terraform", "Terraform", ClientKind::Infrastructure),
    ("opentofu", "OpenTofu", ClientKind::Infrastructure),
    ("pulumi", "Pulumi", ClientKind::Infrastructure),
    ("pulumi-aws", "Pulumi", ClientKind::Infrastructure),
    ("aws-cdk", "aws-cdk", ClientKind::Infrastructure),
    ("cdk", "aws-cdk", ClientKind::Infrastructure),
    ("ansible", "Ansible", ClientKind::Infrastructure),
    ("ansible.amazon.aws", "Ansible", ClientKind::Infrastructure),
    ("crossplane", "Crossplane", ClientKind::Infrastructure),
    (
        "crossplane-provider-aws",
        "Crossplane",
        ClientKind::Infrastructure,
    ),
    ("aws-cli", "aws-cli", ClientKind::CommandLine),
    ("aws-shell", "aws-shell", ClientKind::CommandLine),
    ("kubectl", "kubectl", ClientKind::CommandLine),
    ("eksctl", "eksctl", ClientKind::CommandLine),
    ("s5cmd", "s5cmd", ClientKind::CommandLine),
    ("rclone", "rclone", ClientKind::CommandLine),
    ("aws-vault", "aws-vault", ClientKind::CommandLine),
    (
        "session-manager-plugin",
        "session-manager-plugin",
        ClientKind::CommandLine,
    ),
    ("awspowershell", "AWSPowerShell", ClientKind::CommandLine),
    (
        "awspowershell.netcore",
        "AWSPowerShell",
        ClientKind::CommandLine,
    ),
    (
        "awspowershell.common",
        "AWSPowerShell",
        ClientKind::CommandLine,
    ),
    ("s3console", "S3Console", ClientKind::Console),
    ("amazon-ssm-agent", "amazon-ssm-agent", ClientKind::Service),
    ("aws-internal", "aws-internal", ClientKind::Service),
    (
        "elb-healthchecker",
        "ELB-HealthChecker",
        ClientKind::Service,
    ),
    ("boto3", "Boto3", ClientKind::Library),
    ("boto", "boto", ClientKind::Library),
    ("botocore", "Botocore", ClientKind::Library),
    ("aiobotocore", "aiobotocore", ClientKind::Library),
    ("curl", "curl", ClientKind::Script),
    ("wget", "Wget", ClientKind::Script),
    ("python-requests", "python-requests", ClientKind::Script),
    ("python-urllib", "Python-urllib", ClientKind::Script),
    ("python-urllib3", "python-urllib3", ClientKind::Script),
    ("python-httpx", "python-httpx", ClientKind::Script),
    ("python-httplib2", "Python-httplib2", ClientKind::Script),
    ("aiohttp", "aiohttp", ClientKind::Script),
    ("go-http-client", "Go-http-client", ClientKind::Script),
    ("node-fetch", "node-fetch", ClientKind::Script),
    ("axios", "axios", ClientKind::Script),
    ("okhttp", "okhttp", ClientKind::Script),
    ("apache-httpclient", "Apache-HttpClient", ClientKind::Script),
    ("java-http-client", "Java-http-client", ClientKind::Script),
    ("postmanruntime", "PostmanRuntime", ClientKind::Script),
    ("insomnia", "insomnia", ClientKind::Script),
    ("powershell", "PowerShell", ClientKind::Script),
    ("windowspowershell", "PowerShell", ClientKind::Script),
];

/// Browsers by the product that each alone names; the first that is there counts, since most
/// claim to be several of those below.
pub(super) const BROWSERS: &[(&str, &str)] = &[
    ("edg", "Edge"),
    ("opr", "Opera"),
    ("vivaldi", "Vivaldi"),
    ("firefox", "Firefox"),
    ("electron", "Electron"),
    ("headlesschrome", "HeadlessChrome"),
    ("chrome", "Chrome"),
    ("version", "Safari"),
    ("safari", "Safari"),
];

/// What announces a partner or a platform, and is not the program.
const ANNOUNCEMENTS: &[&str] = &["apn", "hashicorp", "mozilla", "ua", "awssolution", "lib"];

/// Tools made for attacking clouds or for exercising such attacks, by what user agents begin
/// with. Each names itself so unless told otherwise, as its published source shows:
/// Pacu (github.com/RhinoSecurityLabs/pacu), ScoutSuite (github.com/nccgroup/ScoutSuite),
/// TruffleHog (github.com/trufflesecurity/trufflehog), Stratus Red Team
/// (github.com/DataDog/stratus-red-team), Grimoire (github.com/DataDog/grimoire), CloudFox
/// (github.com/BishopFox/cloudfox), enumerate-iam (github.com/andresriancho/enumerate-iam).
const OFFENSIVE_TOOLS: &[(&str, &str)] = &[
    ("pacu", "Pacu"),
    ("scoutsuite", "ScoutSuite"),
    ("trufflehog", "TruffleHog"),
    ("stratus-red-team", "Stratus Red Team"),
    ("grimoire", "Grimoire"),
    ("cloudfox", "CloudFox"),
    ("enumerate-iam", "enumerate-iam"),
    ("cloudsploit", "CloudSploit"),
    ("gitleaks", "Gitleaks"),
];

/// Distributions that are made for attacks and for testing by them, with their names.
const OFFENSIVE_DISTRIBUTIONS: &[(&str, &str)] = &[
    ("kali", "Kali Linux"),
    ("parrot", "Parrot OS"),
    ("blackarch", "BlackArch"),
    ("pentoo", "Pentoo"),
    ("backbox", "BackBox"),
];

/// What the release of a Linux kernel says of the distribution that built it.
const KERNELS: &[(&str, &str)] = &[
    ("kali", "kali"),
    ("parrot", "parrot"),
    ("blackarch", "blackarch"),
    ("amzn2023", "amzn"),
    ("amzn2int", "amzn"),
    ("amzn2", "amzn"),
    ("amzn1", "amzn"),
    ("bottlerocket", "bottlerocket"),
    ("flatcar", "flatcar"),
    ("+deb", "debian"),
    (".fc", "fedora"),
    ("-arch", "arch"),
    ("-manjaro", "manjaro"),
    ("-generic", "ubuntu"),
];

/// What the release of a Linux kernel says of the machine around it.
const MACHINES: &[(&str, &str)] = &[
    ("microsoft", "WSL"),
    ("linuxkit", "Docker Desktop"),
    ("orbstack", "OrbStack"),
];

/// The program of a product's name; a library of the provider's by what its name begins with.
pub(super) fn tool(lower: &str) -> Option<(&'static str, ClientKind)> {
    TOOLS
        .iter()
        .find(|(name, ..)| *name == lower)
        .map(|(_, known_as, kind)| (*known_as, *kind))
}

/// Whether a product's name is that of a library of the provider's.
pub(super) fn is_library(lower: &str) -> bool {
    ["aws-sdk-", "aws-crt-", "aws-sdk", "google-cloud-", "azsdk-"]
        .iter()
        .any(|prefix| lower.starts_with(prefix))
}

/// Whether a product's name says nothing of the program.
pub(super) fn is_announcement(lower: &str) -> bool {
    ANNOUNCEMENTS.contains(&lower)
}

/// The attack tool whose name a text begins with, as a whole word.
pub(super) fn offensive_tool(lower: &str) -> Option<&'static str> {
    OFFENSIVE_TOOLS
        .iter()
        .find(|(name, _)| {
            lower
                .strip_prefix(name)
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
        })
        .map(|(_, known_as)| *known_as)
}

/// The name of a distribution that is made for attacks.
pub(super) fn offensive_distribution(distribution: &str) -> Option<&'static str> {
    OFFENSIVE_DISTRIBUTIONS
        .iter()
        .find(|(name, _)| starts_with_ignoring_case(distribution, name))
        .map(|(_, known_as)| *known_as)
}

/// What a kernel's release says of distribution and machine.
pub(super) fn kernel(release: &str) -> (Option<&'static str>, Option<&'static str>) {
    let lower = release.to_ascii_lowercase();
    let find = |list: &[(&str, &'static str)]| {
        list.iter()
            .find(|(part, _)| lower.contains(part))
            .map(|(_, word)| *word)
    };
    (find(KERNELS), find(MACHINES))
}

/// The operating system that a word names.
pub(super) fn system(word: &str) -> Option<&'static str> {
    const SYSTEMS: &[(&str, &str)] = &[
        ("macos", "macOS"),
        ("mac os", "macOS"),
        ("macintosh", "macOS"),
        ("darwin", "macOS"),
        ("windows", "Windows"),
        ("win32", "Windows"),
        ("win64", "Windows"),
        ("android", "Android"),
        ("iphone", "iOS"),
        ("ipad", "iOS"),
        ("ios", "iOS"),
        ("linux", "Linux"),
        ("freebsd", "FreeBSD"),
    ];
    SYSTEMS
        .iter()
        .find(|(name, _)| starts_with_ignoring_case(word, name))
        .map(|(_, known_as)| *known_as)
}

pub(super) fn starts_with_ignoring_case(text: &str, start: &str) -> bool {
    text.as_bytes()
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}
