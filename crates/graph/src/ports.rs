//! Which ports the rules of a security group open to anyone.

use serde_json::Value;

/// From anywhere, in both versions of the protocol.
const ANYWHERE: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// A range of ports, both ends included.
pub type Ports = (i64, i64);

/// Every port.
pub const ALL: Ports = (0, 65_535);

/// The ranges of ports that rules open to anyone; `rules` are those of `describe-security-groups`
/// (`IpPermissions`), as JSON. Nothing where they are no such list.
///
/// A rule for every protocol (`-1`) opens every port, whatever ports it names
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>); protocols
/// without ports open none.
pub fn open_to_anyone(rules: &str) -> Option<Vec<Ports>> {
    let rules: Value = serde_json::from_str(rules).ok()?;
    let open = rules
        .as_array()?
        .iter()
        .filter(|rule| is_from_anywhere(rule));
    Some(open.filter_map(of_rule).collect())
}

fn of_rule(rule: &Value) -> Option<Ports> {
    match rule.get("IpProtocol").and_then(Value::as_str)? {
        "-1" => Some(ALL),
        "tcp" | "udp" | "6" | "17" => {
            let number = |name: &str| rule.get(name).and_then(Value::as_i64);
            let from = number("FromPort").unwrap_or(ALL.0);
            Some((from, number("ToPort").unwrap_or(ALL.1)))
        }
        _ => None,
    }
}

fn is_from_anywhere(rule: &Value) -> bool {
    let texts = [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")];
    texts.iter().any(|(list, name)| {
        let ranges = rule.get(list).and_then(Value::as_array);
        ranges.into_iter().flatten().any(|range| {
            let text = range.get(name).and_then(Value::as_str);
            text.is_some_and(|text| ANYWHERE.contains(&text))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_open_to_anyone_counts() {
        let open = |rules: &str| open_to_anyone(rules);
        assert_eq!(open("[]"), Some(vec![]));
        assert_eq!(open("none"), None);
        assert_eq!(open("{}"), None);
        assert_eq!(
            open(
                r#"[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "198.51.100.0/28"}]},
                    {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                    {"IpProtocol": "-1", "FromPort": 30, "ToPort": 45, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]"#
            ),
            Some(vec![(22, 22), ALL])
        );
    }
}
