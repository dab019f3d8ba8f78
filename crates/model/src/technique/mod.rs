mod catalogue;

use std::fmt;

use serde::{Deserialize, Serialize};

/// A MITRE ATT&CK technique or sub-technique id, as `T1078` or `T1078.004`.
///
/// Ids of ATT&CK v18 and of v19 are both accepted; [`Technique::is_same_as`] knows which of them
/// v19 (2026-04) renamed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Technique(String);

/// v18 id → v19 id, for the techniques that v19 renamed or revoked.
const RENAMED_IN_V19: &[(&str, &str)] = &[
    ("T1562", "T1685"),
    ("T1562.001", "T1685"),
    ("T1562.003", "T1690"),
    ("T1562.007", "T1686.001"),
    ("T1562.008", "T1685.002"),
    ("T1562.009", "T1688"),
    ("T1562.010", "T1689"),
    ("T1656", "T1684.001"),
    ("T1672", "T1684.002"),
];

impl Technique {
    /// Reads an id in either case, with or without Sigma's `attack.` prefix. `None` where the text
    /// is not of the form `T` + 4 digits, optionally `.` + 3 digits.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.strip_prefix("attack.").unwrap_or(text);
        let bytes = text.as_bytes();
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        let shaped = match bytes.len() {
            5 => digits(&bytes[1..]),
            9 => digits(&bytes[1..5]) && bytes[5] == b'.' && digits(&bytes[6..]),
            _ => false,
        };
        (shaped && bytes[0].eq_ignore_ascii_case(&b'T')).then(|| Self(text.to_ascii_uppercase()))
    }

    /// The id, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id under ATT&CK v19: itself where v19 kept it.
    pub fn v19(&self) -> &str {
        RENAMED_IN_V19
            .iter()
            .find(|(old, _)| *old == self.0)
            .map_or(self.0.as_str(), |(_, new)| new)
    }

    /// Its name as ATT&CK writes it, that of a sub-technique behind its technique's; none for one that
    /// neither actors' profiles nor our rules speak of.
    pub fn title(&self) -> Option<String> {
        let name = |id: &str| find(id).map(|(_, name, _)| *name);
        let own = name(&self.0)?;
        match self.0.split_once('.') {
            Some((technique, _)) => Some(format!("{}: {own}", name(technique)?)),
            None => Some(own.to_owned()),
        }
    }

    /// The tactics that it serves, in the order of an intrusion; none for one that neither actors' profiles
    /// nor our rules speak of.
    pub fn tactics(&self) -> &'static [Tactic] {
        let technique = self.0.get(..5).unwrap_or_default();
        find(technique).map_or(&[], |(_, _, tactics)| *tactics)
    }

    /// Whether both ids name one technique, across v18 and v19.
    pub fn is_same_as(&self, other: &Technique) -> bool {
        self.v19() == other.v19()
    }
}

fn find(id: &str) -> Option<&'static (&'static str, &'static str, &'static [Tactic])> {
    let place = catalogue::KNOWN.binary_search_by_key(&id, |(known, ..)| known);
    catalogue::KNOWN.get(place.ok()?)
}

impl fmt::Display for Technique {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// An ATT&CK enterprise tactic, in the order of an intrusion. `Stealth` and `DefenseImpairment`
/// are the two that v19 made of v18's "Defense Evasion".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Tactic {
    Reconnaissance,
    ResourceDevelopment,
    InitialAccess,
    Execution,
    Persistence,
    PrivilegeEscalation,
    Stealth,
    DefenseImpairment,
    CredentialAccess,
    Discovery,
    LateralMovement,
    Collection,
    CommandAndControl,
    Exfiltration,
    Impact,
}

impl Tactic {
    /// Reads a Sigma tag (`attack.credential-access`, `attack.defense_evasion`) of v18 or v19.
    /// v18's "defense evasion" reads as [`Tactic::Stealth`].
    pub fn from_tag(tag: &str) -> Option<Self> {
        let name = tag.strip_prefix("attack.").unwrap_or(tag).replace('_', "-");
        Some(match name.as_str() {
            "reconnaissance" => Tactic::Reconnaissance,
            "resource-development" => Tactic::ResourceDevelopment,
            "initial-access" => Tactic::InitialAccess,
            "execution" => Tactic::Execution,
            "persistence" => Tactic::Persistence,
            "privilege-escalation" => Tactic::PrivilegeEscalation,
            "defense-evasion" | "stealth" => Tactic::Stealth,
            "defense-impairment" => Tactic::DefenseImpairment,
            "credential-access" => Tactic::CredentialAccess,
            "discovery" => Tactic::Discovery,
            "lateral-movement" => Tactic::LateralMovement,
            "collection" => Tactic::Collection,
            "command-and-control" => Tactic::CommandAndControl,
            "exfiltration" => Tactic::Exfiltration,
            "impact" => Tactic::Impact,
            _ => return None,
        })
    }

    /// The name as ATT&CK writes it.
    pub fn title(self) -> &'static str {
        match self {
            Tactic::Reconnaissance => "Reconnaissance",
            Tactic::ResourceDevelopment => "Resource Development",
            Tactic::InitialAccess => "Initial Access",
            Tactic::Execution => "Execution",
            Tactic::Persistence => "Persistence",
            Tactic::PrivilegeEscalation => "Privilege Escalation",
            Tactic::Stealth => "Stealth",
            Tactic::DefenseImpairment => "Defense Impairment",
            Tactic::CredentialAccess => "Credential Access",
            Tactic::Discovery => "Discovery",
            Tactic::LateralMovement => "Lateral Movement",
            Tactic::Collection => "Collection",
            Tactic::CommandAndControl => "Command and Control",
            Tactic::Exfiltration => "Exfiltration",
            Tactic::Impact => "Impact",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ids_and_refuses_the_rest() {
        assert_eq!(
            Technique::new("attack.t1078.004").unwrap().as_str(),
            "T1078.004"
        );
        for bad in [
            "",
            "T1",
            "T10780",
            "T1078.04",
            "X1078",
            "T1078.0004",
            "été12",
        ] {
            assert!(Technique::new(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn v18_and_v19_ids_are_one_technique() {
        let same = |a: &str, b: &str| {
            Technique::new(a)
                .unwrap()
                .is_same_as(&Technique::new(b).unwrap())
        };
        assert!(same("T1562.008", "T1685.002"));
        assert!(same("T1562.001", "T1685"));
        assert!(!same("T1078", "T1078.004"));
    }

    #[test]
    fn names_and_tactics_are_known() {
        let cloud = Technique::new("T1078.004").unwrap();
        assert_eq!(cloud.title().unwrap(), "Valid Accounts: Cloud Accounts");
        assert!(cloud.tactics().contains(&Tactic::InitialAccess));
        let unknown = Technique::new("T9999.001").unwrap();
        assert_eq!((unknown.title(), unknown.tactics()), (None, &[][..]));
    }

    #[test]
    fn both_versions_of_the_tactic_names_read() {
        assert_eq!(
            Tactic::from_tag("attack.defense_evasion"),
            Some(Tactic::Stealth)
        );
        assert_eq!(Tactic::from_tag("attack.stealth"), Some(Tactic::Stealth));
        assert_eq!(Tactic::from_tag("attack.t1078"), None);
    }
}
