//! Which parts of a text are names.

use std::net::IpAddr;

use super::Redactor;

/// Words that are never taken for a name: without them an ARN, a command or a sentence about AWS
/// could not be read.
const VOCABULARY: &[&str] = &[
    "access",
    "account",
    "address",
    "admin",
    "administrator",
    "alias",
    "all",
    "allow",
    "api",
    "arn",
    "assumed-role",
    "aws",
    "aws-reserved",
    "aws-service-role",
    "bucket",
    "cli",
    "codebuild",
    "console",
    "default",
    "denied",
    "deny",
    "dev",
    "ec2",
    "ecr",
    "ecs",
    "eks",
    "file",
    "function",
    "group",
    "high",
    "iam",
    "instance",
    "key",
    "kms",
    "lambda",
    "log",
    "logs",
    "low",
    "medium",
    "name",
    "network",
    "none",
    "object",
    "organizations",
    "policy",
    "prod",
    "project",
    "read",
    "repository",
    "role",
    "root",
    "s3",
    "secret",
    "secretsmanager",
    "service",
    "service-role",
    "session",
    "sns",
    "sqs",
    "ssm",
    "sso",
    "staging",
    "statement",
    "sts",
    "success",
    "task",
    "test",
    "the",
    "unknown",
    "user",
    "write",
];

/// Options of commands whose value is a name, with what it names.
const OPTIONS: &[(&str, &str)] = &[
    ("--bucket", "bucket"),
    ("--user-name", "user"),
    ("--role-name", "role"),
    ("--group-name", "group"),
    ("--policy-name", "policy"),
    ("--secret-id", "secret"),
    ("--key-id", "key"),
    ("--function-name", "function"),
    ("--repository-name", "repository"),
    ("--project-name", "project"),
    ("--cluster", "cluster"),
    ("--profile", "profile"),
    ("--table-name", "table"),
    ("--user-id", "user"),
    ("--username", "user"),
    ("--key", "object"),
];

/// Prefixes of the ids that AWS gives to keys and principals.
const KEY_PREFIXES: &[&str] = &[
    "AKIA", "ASIA", "AROA", "AIDA", "ANPA", "AGPA", "AIPA", "ANVA", "ABIA", "ACCA", "APKA", "ASCA",
];

/// Prefixes of the ids that AWS gives to parts of networks and machines.
const RESOURCE_PREFIXES: &[&str] = &[
    "i-",
    "vpc-",
    "vpce-",
    "subnet-",
    "sg-",
    "eni-",
    "vol-",
    "snap-",
    "ami-",
    "rtb-",
    "igw-",
    "nat-",
    "lt-",
    "eipalloc-",
];

/// Whether an address is a service's name.
pub(super) fn is_service(address: &str) -> bool {
    address.ends_with(".amazonaws.com") || matches!(address, "AWS Internal" | "aws-internal" | "")
}

/// Takes a text as one name.
pub(super) fn name(redactor: &mut Redactor, kind: &'static str, text: &str) {
    let text = text.trim_matches(|character: char| {
        matches!(character, '*' | '?') || character.is_whitespace()
    });
    let lower = text.to_ascii_lowercase();
    let number = text.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() < 2
        || (number && text.len() < 5)
        || VOCABULARY.binary_search(&lower.as_str()).is_ok()
    {
        return;
    }
    if is_account(text) {
        redactor.add("account", text, |number| format!("{number:012}"));
    } else if let Some(prefix) = key_prefix(text) {
        redactor.add("key id", text, |number| {
            format!("{prefix}REDACTED{number:08}")
        });
    } else {
        redactor.add(kind, text, |number| format!("{kind}-{number}"));
    }
}

/// Takes a path: as a whole, its folders, and its last part.
pub(super) fn file(redactor: &mut Redactor, path: &str) {
    if path == "-" || path.is_empty() {
        return;
    }
    let last = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let kept = extension(last);
    redactor.add("file", path, |number| format!("file-{number}{kept}"));
    if last != path && last.len() >= 5 {
        let whole = redactor.pseudonyms.get(path).cloned().unwrap_or_default();
        redactor.add("file name", last, |_| whole.clone());
    }
    for (at, _) in path.match_indices(['/', '\\']).skip(1) {
        if let Some(folder) = path.get(..at).filter(|folder| folder.len() >= 5) {
            redactor.add("folder", folder, |number| format!("folder-{number}"));
        }
    }
    // The folders' names may stand alone in a note; those that say nothing are left.
    for part in path
        .split(['/', '\\'])
        .filter(|part| part.len() >= 5 && *part != last)
    {
        let common = [
            "AWSLogs",
            "CloudTrail",
            "CloudTrail-Digest",
            "Downloads",
            "Documents",
            "Users",
        ];
        let dated = part.bytes().all(|byte| byte.is_ascii_digit());
        if !common.contains(&part) && !dated && !is_region(part) {
            name(redactor, "folder", part);
        }
    }
    text(redactor, path);
}

fn extension(file: &str) -> &'static str {
    let known = [
        ".json.gz",
        ".ndjson.gz",
        ".json.zst",
        ".ndjson.zst",
        ".csv.gz",
        ".json",
        ".ndjson",
        ".jsonl",
        ".csv",
        ".gz",
        ".zst",
        ".log",
        ".txt",
    ];
    known
        .into_iter()
        .find(|known| file.ends_with(known))
        .unwrap_or("")
}

fn is_region(text: &str) -> bool {
    let mut parts = text.rsplit('-');
    let number = parts
        .next()
        .is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()));
    number
        && parts.clone().count() >= 2
        && parts.all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// Finds the names within a text.
pub(super) fn text(redactor: &mut Redactor, text: &str) {
    accounts(redactor, text);
    let mut option = None;
    let separators = |character: char| {
        character.is_whitespace()
            || matches!(
                character,
                '"' | '\''
                    | '`'
                    | ','
                    | ';'
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '{'
                    | '}'
                    | '<'
                    | '>'
                    | '|'
                    | '='
                    | '“'
                    | '”'
            )
    };
    for part in text.split(separators) {
        let part = part.trim_matches(|character| matches!(character, '.' | ':' | '!'));
        if part.is_empty() {
            continue;
        }
        if let Some(kind) = option.take()
            && !part.starts_with("--")
            && !part.contains("arn:")
        {
            name(redactor, kind, part.trim_start_matches("alias/"));
        }
        option = OPTIONS
            .iter()
            .find(|(known, _)| *known == part)
            .map(|(_, kind)| *kind);
        word(redactor, part);
    }
}

fn word(redactor: &mut Redactor, word: &str) {
    if let Some(at) = word.find("arn:") {
        arn(redactor, &word[at..]);
    }
    if let Some(at) = word.find("s3://") {
        bucket(redactor, &word[at + 5..]);
    }
    if let Some(at) = word.find("repo:") {
        let repository = word[at + 5..].split(':').next().unwrap_or_default();
        let (owner, project) = repository.split_once('/').unwrap_or((repository, ""));
        name(redactor, "organisation", owner);
        name(redactor, "project", project);
    }
    for piece in word.split('/') {
        piece_of(redactor, piece);
    }
}

fn piece_of(redactor: &mut Redactor, piece: &str) {
    if let Some((local, domain)) = piece.split_once('@')
        && domain.contains('.')
        && local.len() > 1
    {
        let local = local.rsplit(':').next().unwrap_or(local);
        let domain = domain.split(':').next().unwrap_or(domain);
        name(redactor, "person", local);
        name(redactor, "domain", domain);
    }
    for part in piece.split(['@', '_']) {
        address(redactor, part);
        identifier(redactor, part);
    }
    address(redactor, piece);
    // A port after an IPv4 address, or `key:ASIA…`.
    for part in piece.split(':') {
        address(redactor, part);
        identifier(redactor, part);
    }
}

fn address(redactor: &mut Redactor, text: &str) {
    let long_enough = text.len() >= 7 || text.contains("::");
    if long_enough && text.parse::<IpAddr>().is_ok() {
        name(redactor, "address", text);
    }
}

fn identifier(redactor: &mut Redactor, text: &str) {
    let tail_is = |prefix: &str, least: usize, test: fn(u8) -> bool| {
        text.strip_prefix(prefix)
            .is_some_and(|tail| tail.len() >= least && tail.bytes().all(test))
    };
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if key_prefix(text).is_some() {
        name(redactor, "key id", text);
    } else if RESOURCE_PREFIXES
        .iter()
        .any(|prefix| tail_is(prefix, 8, |byte| byte.is_ascii_hexdigit()))
    {
        name(redactor, "instance", text);
    } else if tail_is("o-", 10, lower)
        || tail_is("ou-", 12, lower)
        || tail_is("r-", 4, lower)
        || tail_is("d-", 10, lower)
    {
        name(redactor, "unit", text);
    } else if is_distribution(text) {
        name(redactor, "distribution", text);
    }
}

/// CloudFront's ids: `E`, then twelve or thirteen capitals and digits.
fn is_distribution(text: &str) -> bool {
    matches!(text.len(), 13 | 14)
        && text.starts_with('E')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

fn key_prefix(text: &str) -> Option<&'static str> {
    let prefix = KEY_PREFIXES
        .iter()
        .find(|prefix| text.starts_with(**prefix))?;
    let tail = &text[prefix.len()..];
    let shaped = tail.len() >= 8
        && tail
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    shaped.then_some(*prefix)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Every run of exactly twelve digits.
fn accounts(redactor: &mut Redactor, text: &str) {
    for run in text.split(|character: char| !character.is_ascii_digit()) {
        if is_account(run) {
            name(redactor, "account", run);
        }
    }
}

fn bucket(redactor: &mut Redactor, path: &str) {
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    name(redactor, "bucket", bucket);
    object(redactor, key);
}

fn object(redactor: &mut Redactor, key: &str) {
    let key = key.trim_matches(['*', '/']);
    if key.len() < 3 {
        return;
    }
    let kept = key
        .rsplit('/')
        .next()
        .and_then(|file| file.rsplit_once('.'))
        .map(|(_, extension)| extension)
        .filter(|extension| {
            extension.len() <= 5 && extension.bytes().all(|byte| byte.is_ascii_lowercase())
        })
        .map(|extension| format!(".{extension}"))
        .unwrap_or_default();
    redactor.add("object", key, |number| format!("object-{number}{kept}"));
    // A sentence calls an object by the last part of its key.
    let last = key.rsplit('/').next().unwrap_or(key);
    if last != key && last.len() >= 5 && !last.contains(['*', '?']) {
        let whole = redactor.pseudonyms.get(key).cloned().unwrap_or_default();
        redactor.add("object name", last, |_| whole.clone());
    }
}

fn arn(redactor: &mut Redactor, arn: &str) {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (Some(service), Some(_), Some(account), Some(resource)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    if account == "aws" {
        return;
    }
    if service == "s3" {
        return bucket(redactor, resource);
    }
    let (kind, rest) = match resource.find(['/', ':']) {
        Some(at) => (&resource[..at], &resource[at + 1..]),
        None => ("", resource),
    };
    match (service, kind) {
        ("iam" | "sts", "role" | "assumed-role") => {
            // A path, the role's name and a session's cannot be told apart here.
            rest.split('/')
                .filter(|part| !is_reserved(part))
                .for_each(|part| {
                    name(redactor, "principal", part);
                    if let Some(set) = permission_set(part) {
                        name(redactor, "permission-set", set);
                    }
                });
        }
        ("iam" | "sts" | "identitystore", _) => {
            let kind = match kind {
                "user" | "federated-user" => "user",
                "group" => "group",
                "policy" => "policy",
                "saml-provider" | "oidc-provider" => "provider",
                _ => "principal",
            };
            rest.split(['/', ':'])
                .filter(|part| !is_reserved(part))
                .for_each(|part| name(redactor, kind, part));
        }
        ("kms", "key") => name(redactor, "key", rest),
        ("kms", _) => name(redactor, "alias", rest),
        ("secretsmanager", _) => secret(redactor, rest),
        ("ssm", _) => whole(redactor, "parameter", rest),
        ("lambda", _) => name(redactor, "function", rest.split(':').next().unwrap_or(rest)),
        ("ecr", _) => whole(redactor, "repository", rest),
        ("codebuild", _) => whole(redactor, "project", rest),
        ("organizations", _) => rest
            .split('/')
            .for_each(|part| name(redactor, "unit", part)),
        ("ec2", _) => name(redactor, "instance", rest),
        _ => whole(redactor, "resource", rest),
    }
}

/// The permission set in the name of its role, `AWSReservedSSO_SET_0a1b2c3d4e5f6071`: stories name
/// the set alone.
fn permission_set(role: &str) -> Option<&str> {
    let (set, _) = role.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?;
    Some(set)
}

/// Whether part of a role's path is AWS's own.
fn is_reserved(part: &str) -> bool {
    is_service(part) || is_region(part) || part == "token.actions.githubusercontent.com"
}

/// A name with slashes or colons: as a whole, and those of its parts that say something.
fn whole(redactor: &mut Redactor, kind: &'static str, text: &str) {
    name(redactor, kind, text);
    for part in text.split(['/', ':']).filter(|part| part.len() >= 4) {
        name(redactor, kind, part);
    }
}

/// A secret's name, with the six characters that AWS adds to it and without.
fn secret(redactor: &mut Redactor, text: &str) {
    whole(redactor, "secret", text);
    if let Some((name_alone, suffix)) = text.rsplit_once('-')
        && suffix.len() == 6
    {
        whole(redactor, "secret", name_alone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vocabulary_is_sorted() {
        assert!(VOCABULARY.is_sorted());
    }

    #[test]
    fn regions_are_no_names() {
        assert!(is_region("eu-west-1") && is_region("us-gov-east-1"));
        assert!(!is_region("web-prod") && !is_region("web-1"));
    }
}
