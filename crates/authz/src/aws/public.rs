//! Whether S3 calls a bucket policy public.
//!
//! Follows "The meaning of 'public'" in "Blocking public access to your Amazon S3 storage" (S3
//! User Guide,
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>):
//! a policy is public unless each of its allows is for fixed principals, or holds a condition
//! with fixed values on one of the keys that S3 trusts for it.

use super::condition::Condition;
use super::document::Document;
use super::pattern::Tri;
use super::principal::PrincipalEntry;
use super::statement::{Effect, Part, Statement};

/// Keys whose fixed values make an allow non-public; lower case.
const NARROWING: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

/// Whether a bucket policy is public; *maybe* where a part of it cannot be read.
pub(super) fn is_public(document: &Document) -> Tri {
    let statements = document.statements().iter();
    statements
        .filter(|statement| statement.may_have(Effect::Allow))
        .map(opens)
        .max()
        .unwrap_or(Tri::No)
}

fn opens(statement: &Statement) -> Tri {
    let to_everyone = match &statement.principal {
        Part::Absent => Tri::Maybe,
        Part::Unreadable => Tri::Maybe,
        Part::Read(element) => {
            let everyone = element.negated || element.entries.contains(&PrincipalEntry::Everyone);
            everyone.into()
        }
    };
    let narrowed = statement.conditions.iter().any(narrows);
    if to_everyone == Tri::No || narrowed {
        return Tri::No;
    }
    if statement.defect.is_some() || statement.effect.is_none() {
        return Tri::Maybe;
    }
    to_everyone
}

fn narrows(condition: &Condition) -> bool {
    let key = &*condition.lower_case_key;
    if !condition.is_plain_equality() || condition.texts.is_empty() {
        return false;
    }
    let fixed = |text: &str| !text.contains(['*', '?', '$']);
    let texts = || condition.texts.iter().map(|text| &**text);
    match key {
        "aws:sourceip" => condition
            .networks()
            .is_some_and(|networks| networks.iter().all(is_narrow)),
        // The name of the access point may be a wildcard, the account may not.
        "s3:dataaccesspointarn" => texts().all(|arn| {
            let account = arn.split(':').nth(4).unwrap_or_default();
            !account.is_empty() && fixed(account)
        }),
        _ => NARROWING.binary_search(&key).is_ok() && texts().all(fixed),
    }
}

/// Ranges wider than /8 (IPv4) or /32 (IPv6) count as everyone.
fn is_narrow(network: &ipnet::IpNet) -> bool {
    match network {
        ipnet::IpNet::V4(network) => network.prefix_len() >= 8,
        ipnet::IpNet::V6(network) => network.prefix_len() >= 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted() {
        assert!(NARROWING.is_sorted());
    }

    #[test]
    fn fixed_values_make_a_policy_non_public() {
        for (principal, condition, expected) in [
            (r#""*""#, "{}", Tri::Yes),
            (r#"{"AWS":"*"}"#, "{}", Tri::Yes),
            (r#"{"AWS":"111122223333"}"#, "{}", Tri::No),
            (
                r#""*""#,
                r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#,
                Tri::No,
            ),
            (
                r#""*""#,
                r#"{"StringLike":{"aws:SourceVpce":"vpce-*"}}"#,
                Tri::Yes,
            ),
            (
                r#""*""#,
                r#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#,
                Tri::Yes,
            ),
            (
                r#""*""#,
                r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#,
                Tri::Yes,
            ),
            (
                r#""*""#,
                r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#,
                Tri::No,
            ),
            (
                r#""*""#,
                r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}"#,
                Tri::Yes,
            ),
            (r#""*""#, r#"{"StringEquals":{"s3:prefix":"a"}}"#, Tri::Yes),
        ] {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":"s3:*",
                    "Resource":"*","Condition":{condition}}}}}"#
            );
            let document = Document::parse(&text).unwrap();
            assert_eq!(is_public(&document), expected, "{principal} {condition}");
        }
    }
}
