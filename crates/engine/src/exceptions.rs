use std::collections::BTreeSet;
use std::path::Path;

use ipnet::IpNet;
use jiff::Timestamp;
use portreeve_detect::{Exception, stable_id};
use portreeve_incident::exceptions::Verdict;
use serde::Deserialize;

use crate::config::ConfigError;
use crate::moment::{self, moment};

/// An exception as `portreeve.toml` declares it.
///
/// ```toml
/// [[exceptions]]
/// rule = "attacker-client"          # a rule's id or file name; `*` for any characters
/// actor = "pentest-*"
/// network = ["192.0.2.112/28"]
/// from = 2026-02-01
/// expires = 2026-02-14              # the last day
/// owner = "red team"
/// reason = "announced penetration test"
/// ticket = "SEC-112"
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExceptionEntry {
    id: Option<String>,
    rule: OneOrMany<String>,
    actor: OneOrMany<String>,
    principal: OneOrMany<String>,
    network: OneOrMany<IpNet>,
    target: OneOrMany<String>,
    account: OneOrMany<String>,
    from: Option<Moment>,
    expires: Option<Moment>,
    owner: String,
    reason: String,
    ticket: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl<T: Clone> OneOrMany<T> {
    pub(crate) fn list(&self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one.clone()],
            OneOrMany::Many(many) => many.clone(),
        }
    }
}

/// A time as people write it: a day, or a time with its zone.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Moment {
    Toml(toml::value::Datetime),
    Text(String),
}

impl Moment {
    /// The time; of a day its first moment, or the first one after it.
    pub(crate) fn time(&self, after: bool) -> Result<Timestamp, String> {
        let text = match self {
            Moment::Toml(time) => time.to_string(),
            Moment::Text(text) => text.clone(),
        };
        let time = if after {
            moment::after(&text)
        } else {
            moment(&text)
        };
        time.map_err(|error| error.to_string())
    }
}

/// What the entries mean, or what is wrong with one.
pub(crate) fn read(entries: &[ExceptionEntry], path: &Path) -> Result<Vec<Exception>, ConfigError> {
    let mut ids = BTreeSet::new();
    entries
        .iter()
        .enumerate()
        .map(|(place, entry)| {
            let failed = |message: String| ConfigError::Parse {
                path: path.to_owned(),
                message: format!("exception {}: {message}", place + 1),
            };
            let exception = one(entry).map_err(failed)?;
            if !ids.insert(exception.id.clone()) {
                return Err(failed(format!("the id `{}` is used twice", exception.id)));
            }
            Ok(exception)
        })
        .collect()
}

fn one(entry: &ExceptionEntry) -> Result<Exception, String> {
    for (name, value) in [
        ("owner", &entry.owner),
        ("reason", &entry.reason),
        ("ticket", &entry.ticket),
    ] {
        if value.trim().is_empty() {
            return Err(format!("`{name}` is missing"));
        }
    }
    let expires = entry.expires.as_ref().ok_or("`expires` is missing")?;
    let exception = Exception {
        id: String::new(),
        rules: entry.rule.list(),
        actors: entry.actor.list(),
        principals: entry.principal.list(),
        networks: entry.network.list(),
        targets: entry.target.list(),
        accounts: entry.account.list(),
        from: entry.from.as_ref().map(|it| it.time(false)).transpose()?,
        expires: expires.time(true)?,
        owner: entry.owner.clone(),
        reason: entry.reason.clone(),
        ticket: entry.ticket.clone(),
    };
    if exception.is_boundless() {
        return Err(
            "it would mute everything: name a rule, actor, principal, network, target or account"
                .to_owned(),
        );
    }
    if exception.from.is_some_and(|from| from >= exception.expires) {
        return Err("it ends before it begins".to_owned());
    }
    let id = entry.id.clone().unwrap_or_else(|| {
        let networks: Vec<String> = exception.networks.iter().map(IpNet::to_string).collect();
        let parts = [
            exception.rules.join(","),
            exception.actors.join(","),
            exception.principals.join(","),
            networks.join(","),
            exception.targets.join(","),
            exception.accounts.join(","),
            exception.expires.to_string(),
        ];
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        stable_id(&parts)
    });
    Ok(Exception { id, ..exception })
}

/// Reads what people said of incidents: `[[verdict]]` with `incident`, `verdict` (true, expected or
/// false), and `reason`, `owner`, `ticket` where they are known.
pub fn parse_verdicts(path: &Path, text: &str) -> Result<Vec<Verdict>, ConfigError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        verdict: Vec<Verdict>,
    }
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Parse {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    Ok(file.verdict)
}

/// Exceptions as they stand in `portreeve.toml`.
pub fn exceptions_toml(exceptions: &[Exception]) -> String {
    let mut text = String::new();
    for exception in exceptions {
        text.push_str("[[exceptions]]\n");
        let networks: Vec<String> = exception.networks.iter().map(IpNet::to_string).collect();
        for (name, entries) in [
            ("rule", &exception.rules),
            ("actor", &exception.actors),
            ("principal", &exception.principals),
            ("network", &networks),
            ("target", &exception.targets),
            ("account", &exception.accounts),
        ] {
            let quoted: Vec<String> = entries.iter().map(|it| quoted(it)).collect();
            match quoted.as_slice() {
                [] => {}
                [one] => text.push_str(&format!("{name} = {one}\n")),
                many => text.push_str(&format!("{name} = [{}]\n", many.join(", "))),
            }
        }
        if let Some(from) = exception.from {
            text.push_str(&format!("from = {}\n", quoted(&from.to_string())));
        }
        text.push_str(&format!(
            "expires = {}\n",
            quoted(&exception.expires.to_string())
        ));
        for (name, value, hint) in [
            ("owner", &exception.owner, "who answers for it"),
            ("reason", &exception.reason, "why it is expected"),
            ("ticket", &exception.ticket, "where that was decided"),
        ] {
            let hint = if value.is_empty() {
                format!(" # {hint}")
            } else {
                String::new()
            };
            text.push_str(&format!("{name} = {}{hint}\n", quoted(value)));
        }
        text.push('\n');
    }
    text
}

/// A TOML string, whatever it holds.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(entry: &str) -> Result<Config, String> {
        let text = format!("[[exceptions]]\n{entry}");
        Config::parse(Path::new("portreeve.toml"), &text).map_err(|error| error.to_string())
    }

    const WHO: &str = "owner = 'red team'\nreason = 'announced'\nticket = 'SEC-1'\n";

    #[test]
    fn entries_are_read_in_both_forms() {
        let one = parse(&format!(
            "rule = 'attacker-client'\nnetwork = '192.0.2.0/24'\nfrom = 2026-02-01\nexpires = 2026-02-14\n{WHO}"
        ))
        .unwrap();
        let exception = &one.settings().exceptions[0];
        assert_eq!(exception.rules, ["attacker-client"]);
        // The last day is whole.
        assert_eq!(exception.expires.to_string(), "2026-02-15T00:00:00Z");
        let again = parse(&format!(
            "rule = ['attacker-client']\nnetwork = ['192.0.2.0/24']\nfrom = '2026-02-01T00:00:00Z'\nexpires = '2026-02-14'\n{WHO}"
        ))
        .unwrap();
        assert_eq!(&again.settings().exceptions[0], exception);
    }

    #[test]
    fn what_is_missing_or_boundless_is_refused() {
        let fault = |entry: &str| parse(entry).unwrap_err();
        assert!(fault(&format!("rule = 'x'\n{WHO}")).contains("`expires` is missing"));
        let without = WHO.replace("ticket = 'SEC-1'\n", "");
        assert!(
            fault(&format!("rule = 'x'\nexpires = 2026-02-14\n{without}")).contains("`ticket`")
        );
        for scope in [
            "",
            "actor = '*'",
            "rule = '*'\naccount = '**'",
            "network = '0.0.0.0/0'",
        ] {
            let entry = format!("{scope}\nexpires = 2026-02-14\n{WHO}");
            assert!(fault(&entry).contains("everything"), "{scope}");
        }
        assert!(fault(&format!("rule = 'x'\nexpires = 'soon'\n{WHO}")).contains("soon"));
        assert!(
            fault(&format!(
                "rule = 'x'\nfrom = 2026-03-01\nexpires = 2026-02-14\n{WHO}"
            ))
            .contains("before")
        );
        assert!(fault(&format!("rul = 'x'\nexpires = 2026-02-14\n{WHO}")).contains("rul"));
        let twice = format!("id = 'a'\nrule = 'x'\nexpires = 2026-02-14\n{WHO}");
        assert!(fault(&format!("{twice}[[exceptions]]\n{twice}")).contains("twice"));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let config = parse(&format!(
            "rule = ['a', 'b\"\\n']\nactor = 'x'\nnetwork = ['192.0.2.0/24', '2001:db8::/32']\nexpires = 2026-02-14\n{WHO}"
        ))
        .unwrap();
        let exceptions = config.settings().exceptions;
        let text = exceptions_toml(&exceptions);
        let again = Config::parse(Path::new("x"), &text)
            .unwrap()
            .settings()
            .exceptions;
        assert_eq!(again, exceptions);
    }
}
