//! What `portreeve.toml` says of posture checks.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portreeve_detect::stable_id;
use portreeve_posture::{Settings, Suppression};
use serde::Deserialize;

use crate::config::ConfigError;
use crate::exceptions::{Moment, OneOrMany};

/// `[checks]` as it is declared.
///
/// ```toml
/// [checks]
/// disabled = ["aws.bucket-mfa-delete"]
/// identity_providers = ["arn:aws:iam::*:oidc-provider/token.actions.githubusercontent.com"]
/// trusted_accounts = ["999988887777"]
///
/// [checks.limits]
/// "aws.access-key-age" = { days = 60 }
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckEntries {
    disabled: Vec<String>,
    identity_providers: Vec<String>,
    trusted_accounts: Vec<String>,
    limits: BTreeMap<String, BTreeMap<String, i64>>,
}

/// A suppression as it is declared.
///
/// ```toml
/// [[suppressions]]
/// check = "aws.bucket-*"            # a check's id; `*` for any characters
/// resource = "arn:aws:s3:::public-downloads"
/// expires = 2026-12-31              # the last day
/// owner = "web team"
/// reason = "public by purpose: release notes"
/// ticket = "SEC-140"
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuppressionEntry {
    id: Option<String>,
    check: OneOrMany<String>,
    resource: OneOrMany<String>,
    account: OneOrMany<String>,
    expires: Option<Moment>,
    owner: String,
    reason: String,
    ticket: String,
}

/// What the entries mean, or what is wrong with one. A suppression without a reason or an expiry is
/// no error: it hides nothing, and the report names it.
pub(crate) fn read(
    checks: &CheckEntries,
    suppressions: &[SuppressionEntry],
    path: &Path,
) -> Result<Settings, ConfigError> {
    let failed = |message: String| ConfigError::Parse {
        path: path.to_owned(),
        message,
    };
    let known = |id: &str| {
        portreeve_posture::checks()
            .iter()
            .find(|check| check.id == id)
    };
    let mut settings = Settings {
        identity_providers: checks.identity_providers.clone(),
        trusted_accounts: checks.trusted_accounts.iter().cloned().collect(),
        ..Settings::default()
    };
    for id in &checks.disabled {
        known(id).ok_or_else(|| failed(no_check("disabled", id)))?;
        settings.disabled.insert(id.clone());
    }
    for (id, limits) in &checks.limits {
        let check = known(id).ok_or_else(|| failed(no_check("limits", id)))?;
        for (name, value) in limits {
            let names: Vec<&str> = check.limits.iter().map(|limit| limit.name).collect();
            if !names.contains(&name.as_str()) {
                let known = match names.is_empty() {
                    true => "it has none".to_owned(),
                    false => format!("it has `{}`", names.join("`, `")),
                };
                let message = format!("[checks.limits]: `{id}` has no number `{name}`; {known}");
                return Err(failed(message));
            }
            let key = (id.clone(), name.clone());
            settings.limits.insert(key, *value);
        }
    }
    let mut ids = BTreeSet::new();
    for (place, entry) in suppressions.iter().enumerate() {
        let wrong = |message: String| failed(format!("suppression {}: {message}", place + 1));
        let suppression = one(entry).map_err(wrong)?;
        if !ids.insert(suppression.id.clone()) {
            return Err(wrong(format!("the id `{}` is used twice", suppression.id)));
        }
        settings.suppressions.push(suppression);
    }
    Ok(settings)
}

fn no_check(place: &str, id: &str) -> String {
    format!("[checks] {place}: there is no check `{id}`; `portreeve check --list` has all")
}

fn one(entry: &SuppressionEntry) -> Result<Suppression, String> {
    let expires = entry.expires.as_ref().map(|it| it.time(true)).transpose()?;
    let checks = entry.check.list();
    let resources = entry.resource.list();
    let accounts = entry.account.list();
    let id = entry.id.clone().unwrap_or_else(|| {
        let scope = [checks.join(","), resources.join(","), accounts.join(",")];
        let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
        stable_id(&scope)
    });
    Ok(Suppression {
        id,
        checks,
        resources,
        accounts,
        expires,
        owner: entry.owner.clone(),
        reason: entry.reason.clone(),
        ticket: entry.ticket.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(Path::new("portreeve.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn checks_are_tuned_and_failures_accepted() {
        let config = parse(
            "[checks]\ndisabled = ['aws.bucket-mfa-delete']\ntrusted_accounts = ['999988887777']\n\
             [checks.limits]\n'aws.access-key-age' = { days = 60 }\n\
             [[suppressions]]\ncheck = 'aws.bucket-*'\nresource = ['notes', 'arn:aws:s3:::docs']\n\
             expires = 2026-12-31\nowner = 'web'\nreason = 'public'\nticket = 'SEC-1'\n\
             [[suppressions]]\ncheck = 'aws.root-mfa'\n",
        )
        .unwrap();
        let settings = &config.posture;
        assert!(settings.disabled.contains("aws.bucket-mfa-delete"));
        let days = ("aws.access-key-age".to_owned(), "days".to_owned());
        assert_eq!(settings.limits[&days], 60);
        let [whole, bare] = settings.suppressions.as_slice() else {
            panic!("{settings:?}")
        };
        // The last day is whole.
        let end = whole.expires.map(|time| time.to_string());
        assert_eq!(end.as_deref(), Some("2027-01-01T00:00:00Z"));
        assert_eq!(whole.resources, ["notes", "arn:aws:s3:::docs"]);
        assert!(bare.reason.is_empty() && bare.expires.is_none());
    }

    #[test]
    fn a_name_that_is_mistyped_is_an_error() {
        for (text, wanted) in [
            ("[checks]\ndisabled = ['aws.no-such']\n", "aws.no-such"),
            (
                "[checks.limits]\n'aws.no-such' = { days = 1 }\n",
                "no check",
            ),
            (
                "[checks.limits]\n'aws.access-key-age' = { hours = 1 }\n",
                "it has `days`",
            ),
            ("[[suppressions]]\nchek = 'x'\n", "chek"),
            ("[[suppressions]]\ncheck = 'x'\nexpires = 'soon'\n", "soon"),
            (
                "[[suppressions]]\nid = 'a'\n[[suppressions]]\nid = 'a'\n",
                "twice",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
