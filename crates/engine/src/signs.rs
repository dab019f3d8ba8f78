use std::net::IpAddr;

use ipnet::IpNet;
use portreeve_detect::{Sign, SignKind};
use portreeve_model::Severity;

/// A `--from` or an indicator that could not be understood.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SignError {
    /// Not of the form `kind=value`.
    #[error(
        "`{0}` is not a sign; write key=AKIA…, ip=ADDRESS or ip=CIDR, user=NAME, role=NAME or client=TEXT"
    )]
    Form(String),
    /// `ip=` with something that is no address.
    #[error("`{0}` is neither an IP address nor a network in CIDR notation")]
    Address(String),
}

/// Reads the value of `--from`.
pub fn parse_sign(text: &str) -> Result<Sign, SignError> {
    let (kind, value) = text
        .split_once('=')
        .ok_or_else(|| SignError::Form(text.to_owned()))?;
    let value = refang(value.trim());
    if value.is_empty() {
        return Err(SignError::Form(text.to_owned()));
    }
    let kind = match kind.trim().to_ascii_lowercase().as_str() {
        "key" => SignKind::Key(value),
        "ip" => SignKind::Network(network(&value).ok_or(SignError::Address(value))?),
        "user" => SignKind::User(value),
        "role" => SignKind::Role(value),
        "client" => SignKind::Client(value),
        _ => return Err(SignError::Form(text.to_owned())),
    };
    Ok(Sign {
        kind,
        origin: "--from".to_owned(),
        severity: Severity::High,
    })
}

/// Indicators read from a file, and how many of its entries are of kinds that audit logs of a cloud
/// do not show (file hashes, mail addresses).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Indicators {
    /// What to look for.
    pub signs: Vec<Sign>,
    /// Entries that were understood and cannot be looked for here.
    pub not_applicable: u64,
}

/// Reads a list of indicators: a STIX 2.1 bundle, CSV, or one a line. Defanged forms
/// (`203[.]0[.]113[.]7`, `hxxps://`) are understood. In CSV and plain lists every cell that is an
/// address, a network or an access key id counts; lines that begin with `#` do not.
pub fn parse_indicators(file: &str, text: &str) -> Indicators {
    let mut found = Indicators::default();
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    match json
        .as_ref()
        .and_then(|json| json.get("objects"))
        .and_then(serde_json::Value::as_array)
    {
        Some(objects) => objects
            .iter()
            .for_each(|object| stix_object(object, file, &mut found)),
        None => {
            for line in text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
            {
                for cell in line.split([',', ';', '\t']) {
                    let cell = refang(cell.trim().trim_matches('"').trim());
                    add(&cell, file, &mut found);
                }
            }
        }
    }
    found
        .signs
        .sort_by_cached_key(|sign| format!("{:?}", sign.kind));
    found.signs.dedup();
    found
}

/// STIX 2.1: cyber-observable objects by their `value`, indicators by the quoted values of the
/// comparisons in their pattern.
fn stix_object(object: &serde_json::Value, file: &str, found: &mut Indicators) {
    let text = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    match text("type") {
        Some("indicator") => {
            let Some(pattern) = text("pattern") else {
                return;
            };
            let mut parts = pattern.split('\'');
            while let (Some(path), Some(value)) = (parts.next(), parts.next()) {
                if path.contains("user_agent") || path.contains("User-Agent") {
                    found
                        .signs
                        .push(sign(SignKind::Client(value.to_owned()), file));
                } else {
                    add(&refang(value), file, found);
                }
            }
        }
        Some("ipv4-addr" | "ipv6-addr" | "domain-name" | "url" | "file" | "email-addr") => {
            add(&refang(text("value").unwrap_or_default()), file, found);
        }
        _ => {}
    }
}

fn sign(kind: SignKind, file: &str) -> Sign {
    Sign {
        kind,
        origin: file.to_owned(),
        severity: Severity::High,
    }
}

fn add(value: &str, file: &str, found: &mut Indicators) {
    if let Some(range) = network(value) {
        found.signs.push(sign(SignKind::Network(range), file));
    } else if is_key_id(value) {
        found
            .signs
            .push(sign(SignKind::Key(value.to_owned()), file));
    } else if value.contains('.') || (value.len() >= 32 && !value.contains(' ')) {
        found.not_applicable += 1;
    }
}

fn network(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// "IAM identifiers", AWS IAM user guide: long-term and temporary key ids.
fn is_key_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && (text.starts_with("AKIA") || text.starts_with("ASIA"))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Undoes the ways in which people write indicators so that nobody clicks on them.
fn refang(text: &str) -> String {
    text.replace("[.]", ".")
        .replace("(.)", ".")
        .replace("{.}", ".")
        .replace("[dot]", ".")
        .replace("[:]", ":")
        .replace("hxxp", "http")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_read_or_refused_with_the_mend() {
        assert_eq!(
            parse_sign("ip=203[.]0[.]113[.]7").unwrap().kind,
            SignKind::Network("203.0.113.7/32".parse().unwrap())
        );
        assert_eq!(
            parse_sign("KEY=AKIAX").unwrap().kind,
            SignKind::Key("AKIAX".into())
        );
        for bad in ["", "AKIAX", "key=", "mood=bad", "ip=300.1.1.1"] {
            assert!(parse_sign(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_and_tables_are_read() {
        let text = "# from the ISAC\nindicator,type\n\"192[.]0[.]2[.]41\",ipv4\n198.51.100.0/24\nASIAIOSFODNN7EXAMPLE\n\nbad[.]example\n";
        let found = parse_indicators("list.csv", text);
        assert_eq!(found.signs.len(), 3);
        assert_eq!(found.not_applicable, 1);
    }

    #[test]
    fn stix_bundles_are_read() {
        let text = r#"{"type":"bundle","objects":[
            {"type":"ipv4-addr","value":"192.0.2.44"},
            {"type":"indicator","pattern":"[ipv4-addr:value = '192.0.2.41' OR ipv4-addr:value = '192.0.2.42']"},
            {"type":"indicator","pattern":"[file:hashes.'SHA-256' = 'aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f']"}]}"#;
        let found = parse_indicators("bundle.json", text);
        assert_eq!(found.signs.len(), 3);
    }
}
