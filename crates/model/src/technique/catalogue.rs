//! Names and tactics of techniques: those that actors' profiles and our rules speak of.
//!
//! From MITRE ATT&CK for Enterprise v18 (<https://attack.mitre.org/techniques/enterprise/>). Where v18 says
//! "Defense Evasion", the tactic here is the one of v19 that it became.

use super::Tactic::{
    self, Collection, CommandAndControl, CredentialAccess, DefenseImpairment, Discovery, Execution,
    Exfiltration, Impact, InitialAccess, LateralMovement, Persistence, PrivilegeEscalation,
    ResourceDevelopment, Stealth,
};

/// Id, name, tactics in the order of an intrusion. Sub-techniques stand behind their technique, and have its
/// tactics where the list is empty.
pub(super) const KNOWN: &[(&str, &str, &[Tactic])] = &[
    ("T1021", "Remote Services", &[LateralMovement]),
    ("T1021.007", "Cloud Services", &[]),
    ("T1021.008", "Direct Cloud VM Connections", &[]),
    (
        "T1053",
        "Scheduled Task/Job",
        &[Execution, Persistence, PrivilegeEscalation],
    ),
    ("T1053.007", "Container Orchestration Job", &[]),
    ("T1059", "Command and Scripting Interpreter", &[Execution]),
    ("T1059.009", "Cloud API", &[]),
    ("T1069", "Permission Groups Discovery", &[Discovery]),
    ("T1069.003", "Cloud Groups", &[]),
    ("T1070", "Indicator Removal", &[Stealth]),
    (
        "T1078",
        "Valid Accounts",
        &[InitialAccess, Persistence, PrivilegeEscalation, Stealth],
    ),
    ("T1078.004", "Cloud Accounts", &[]),
    ("T1087", "Account Discovery", &[Discovery]),
    ("T1087.004", "Cloud Account", &[]),
    ("T1090", "Proxy", &[CommandAndControl]),
    ("T1090.003", "Multi-hop Proxy", &[]),
    (
        "T1098",
        "Account Manipulation",
        &[Persistence, PrivilegeEscalation],
    ),
    ("T1098.001", "Additional Cloud Credentials", &[]),
    ("T1098.003", "Additional Cloud Roles", &[]),
    ("T1098.004", "SSH Authorized Keys", &[]),
    ("T1098.005", "Device Registration", &[]),
    ("T1098.006", "Additional Container Cluster Roles", &[]),
    ("T1110", "Brute Force", &[CredentialAccess]),
    (
        "T1133",
        "External Remote Services",
        &[InitialAccess, Persistence],
    ),
    ("T1136", "Create Account", &[Persistence]),
    ("T1136.003", "Cloud Account", &[]),
    ("T1195", "Supply Chain Compromise", &[InitialAccess]),
    (
        "T1195.001",
        "Compromise Software Dependencies and Development Tools",
        &[],
    ),
    ("T1195.002", "Compromise Software Supply Chain", &[]),
    ("T1199", "Trusted Relationship", &[InitialAccess]),
    ("T1204", "User Execution", &[Execution]),
    ("T1204.002", "Malicious File", &[]),
    ("T1213", "Data from Information Repositories", &[Collection]),
    ("T1213.003", "Code Repositories", &[]),
    (
        "T1484",
        "Domain or Tenant Policy Modification",
        &[PrivilegeEscalation, Stealth],
    ),
    ("T1484.002", "Trust Modification", &[]),
    ("T1485", "Data Destruction", &[Impact]),
    ("T1486", "Data Encrypted for Impact", &[Impact]),
    ("T1489", "Service Stop", &[Impact]),
    ("T1490", "Inhibit System Recovery", &[Impact]),
    ("T1496", "Resource Hijacking", &[Impact]),
    ("T1496.004", "Cloud Service Hijacking", &[]),
    ("T1518", "Software Discovery", &[Discovery]),
    ("T1518.001", "Security Software Discovery", &[]),
    ("T1525", "Implant Internal Image", &[Persistence]),
    ("T1526", "Cloud Service Discovery", &[Discovery]),
    (
        "T1528",
        "Steal Application Access Token",
        &[CredentialAccess],
    ),
    ("T1529", "System Shutdown/Reboot", &[Impact]),
    ("T1530", "Data from Cloud Storage", &[Collection]),
    ("T1531", "Account Access Removal", &[Impact]),
    ("T1535", "Unused/Unsupported Cloud Regions", &[Stealth]),
    ("T1537", "Transfer Data to Cloud Account", &[Exfiltration]),
    ("T1539", "Steal Web Session Cookie", &[CredentialAccess]),
    (
        "T1546",
        "Event Triggered Execution",
        &[Persistence, PrivilegeEscalation],
    ),
    (
        "T1550",
        "Use Alternate Authentication Material",
        &[Stealth, LateralMovement],
    ),
    ("T1550.001", "Application Access Token", &[]),
    ("T1550.004", "Web Session Cookie", &[]),
    ("T1552", "Unsecured Credentials", &[CredentialAccess]),
    ("T1552.001", "Credentials In Files", &[]),
    ("T1552.004", "Private Keys", &[]),
    ("T1552.005", "Cloud Instance Metadata API", &[]),
    (
        "T1555",
        "Credentials from Password Stores",
        &[CredentialAccess],
    ),
    ("T1555.001", "Keychain", &[]),
    ("T1555.006", "Cloud Secrets Management Stores", &[]),
    (
        "T1556",
        "Modify Authentication Process",
        &[Persistence, Stealth, CredentialAccess],
    ),
    ("T1556.006", "Multi-Factor Authentication", &[]),
    ("T1562", "Impair Defenses", &[DefenseImpairment]),
    ("T1562.001", "Disable or Modify Tools", &[]),
    ("T1562.003", "Impair Command History Logging", &[]),
    ("T1562.007", "Disable or Modify Cloud Firewall", &[]),
    ("T1562.008", "Disable or Modify Cloud Logs", &[]),
    ("T1565", "Data Manipulation", &[Impact]),
    ("T1565.001", "Stored Data Manipulation", &[]),
    ("T1565.002", "Transmitted Data Manipulation", &[]),
    ("T1566", "Phishing", &[InitialAccess]),
    ("T1566.002", "Spearphishing Link", &[]),
    ("T1566.003", "Spearphishing via Service", &[]),
    ("T1567", "Exfiltration Over Web Service", &[Exfiltration]),
    ("T1567.002", "Exfiltration to Cloud Storage", &[]),
    ("T1578", "Modify Cloud Compute Infrastructure", &[Stealth]),
    ("T1578.001", "Create Snapshot", &[]),
    ("T1578.002", "Create Cloud Instance", &[]),
    ("T1578.003", "Delete Cloud Instance", &[]),
    ("T1580", "Cloud Infrastructure Discovery", &[Discovery]),
    ("T1583", "Acquire Infrastructure", &[ResourceDevelopment]),
    ("T1583.001", "Domains", &[]),
    ("T1584", "Compromise Infrastructure", &[ResourceDevelopment]),
    ("T1584.001", "Domains", &[]),
    ("T1584.002", "DNS Server", &[]),
    ("T1609", "Container Administration Command", &[Execution]),
    ("T1610", "Deploy Container", &[Execution, Stealth]),
    ("T1611", "Escape to Host", &[PrivilegeEscalation]),
    ("T1613", "Container and Resource Discovery", &[Discovery]),
    ("T1619", "Cloud Storage Object Discovery", &[Discovery]),
    ("T1648", "Serverless Execution", &[Execution]),
    ("T1651", "Cloud Administration Command", &[Execution]),
    ("T1654", "Log Enumeration", &[Discovery]),
    ("T1657", "Financial Theft", &[Impact]),
    ("T1677", "Poisoned Pipeline Execution", &[Execution]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_once_in_order_and_sub_techniques_behind_theirs() {
        for pair in KNOWN.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
        }
        for (id, _, tactics) in KNOWN {
            assert_eq!(tactics.is_empty(), id.contains('.'), "{id}");
            assert!(tactics.is_sorted(), "{id}");
            let parent = &id[..5];
            assert!(KNOWN.iter().any(|(known, ..)| *known == parent), "{id}");
        }
    }
}
