//! What a user agent says of the program that made a call.
//!
//! A user agent is what the client says of itself: whoever steals a key may say anything. What it
//! tells is a sign, and never by itself a reason to trust a call.

mod parse;
mod words;

use std::borrow::Cow;

/// What a user agent tells. Everything is borrowed from it, or one of a fixed set of words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Client<'a> {
    /// The program, without what it is built on: `aws-cli`, `Boto3`, `Terraform`, `Firefox`. A
    /// service's name where the provider itself called. Empty where nothing is told.
    pub tool: &'a str,
    /// The program's version.
    pub version: Option<&'a str>,
    /// What kind of program it is.
    pub kind: ClientKind,
    /// `macOS`, `Linux`, `Windows`, `Android`, `iOS`, `FreeBSD`.
    pub system: Option<&'static str>,
    /// The system's version: for Linux that of the kernel.
    pub system_version: Option<&'a str>,
    /// The distribution of Linux, in lower case as clients write it: `kali`, `ubuntu`, `amzn`.
    pub distribution: Option<&'a str>,
    /// The distribution's version.
    pub distribution_version: Option<&'a str>,
    /// The processor: `x86_64`, `arm64`.
    pub architecture: Option<&'a str>,
    /// The programming language: `python`, `go`.
    pub language: Option<&'a str>,
    /// The language's version.
    pub language_version: Option<&'a str>,
    /// The command of the AWS command line: `s3.sync`.
    pub command: Option<&'a str>,
    /// What the program runs inside: `AWS_Lambda_python3.12`, `CloudShell`, `WSL`, `GitHub Actions`.
    pub environment: Option<&'a str>,
    /// A tool or system made for attacks or for testing by them, where one is named.
    pub offensive: Option<&'static str>,
}

/// What kind of program a client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientKind {
    /// A command line of the provider's, as `aws-cli` or `kubectl`.
    CommandLine,
    /// A library of the provider's, in whatever program uses it.
    Library,
    /// A tool that makes infrastructure of code, as Terraform.
    Infrastructure,
    /// A browser.
    Browser,
    /// The provider's web console.
    Console,
    /// A service of the provider's, which called for itself or for the actor.
    Service,
    /// A general HTTP client, as `curl` or `python-requests`.
    Script,
    /// Something else, or nothing told.
    #[default]
    Other,
}

impl ClientKind {
    /// The word that reports use.
    pub fn as_str(self) -> &'static str {
        match self {
            ClientKind::CommandLine => "command-line",
            ClientKind::Library => "library",
            ClientKind::Infrastructure => "infrastructure",
            ClientKind::Browser => "browser",
            ClientKind::Console => "console",
            ClientKind::Service => "service",
            ClientKind::Script => "script",
            ClientKind::Other => "other",
        }
    }
}

impl<'a> Client<'a> {
    /// Reads a user agent. Never fails: what is not understood is left out.
    pub fn parse(user_agent: &'a str) -> Self {
        parse::parse(user_agent)
    }

    /// The system in words: `Kali Linux`, `macOS`.
    pub fn system_name(&self) -> Option<&'static str> {
        words::offensive_distribution(self.distribution?).or(self.system)
    }

    /// Tool and system in words: `aws-cli on Kali Linux`.
    pub fn described(&self) -> Cow<'a, str> {
        match self.system_name().or(self.system) {
            Some(system) => Cow::Owned(format!("{} on {system}", self.tool)),
            None => Cow::Borrowed(self.tool),
        }
    }

    /// Whether the provider itself made the call, so that the client says nothing of the caller.
    pub fn is_provider(&self) -> bool {
        self.kind == ClientKind::Service
    }
}

/// The tool and the system of a user agent in words: `aws-cli on Kali Linux`.
pub fn described_client(user_agent: &str) -> String {
    Client::parse(user_agent).described().into_owned()
}

/// The user agent without what changes from call to call: the brackets that S3 puts around it,
/// the command, the prompt, the features used (`md/command#…`, `md/prompt#…`, `m/…`).
pub fn client_family(user_agent: &str) -> String {
    let plain = without_brackets(user_agent);
    let mut family = String::with_capacity(plain.len());
    for part in plain.split_ascii_whitespace() {
        // Brackets stand around the whole; of a part that is left out they must not stay behind.
        let part = part.trim_start_matches('[').trim_end_matches(']');
        let changes = ["md/command#", "command/", "md/prompt#", "m/"]
            .iter()
            .any(|prefix| part.starts_with(prefix));
        if !changes && !part.is_empty() {
            if !family.is_empty() {
                family.push(' ');
            }
            family.push_str(part);
        }
    }
    family
}

/// Whether a client's family names its system so closely that two uses of it are likely one
/// machine's: a system with its version, and enough besides.
pub fn is_specific_family(family: &str) -> bool {
    family.len() >= 40 && family.contains("os/") && !is_provider_family(family)
}

/// Whether the provider itself made the calls of a family.
pub fn is_provider_family(family: &str) -> bool {
    !family.contains('/') || family.contains(".amazonaws.com") || family.contains("AWS Internal")
}

/// S3 and some others log the user agent in brackets.
fn without_brackets(user_agent: &str) -> &str {
    user_agent
        .trim_start_matches(|first: char| first == '[' || first.is_whitespace())
        .trim_end_matches(|last: char| last == ']' || last.is_whitespace())
}

#[cfg(test)]
mod tests;
