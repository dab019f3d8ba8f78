//! AWS-managed policies that exports refer to and may not hold.

use std::sync::Arc;

use crate::json;

/// The policies in our condensed form; the file says where from and which are approximations.
const POLICIES: &str = include_str!("../data/aws-managed-policies.json");

/// What this crate holds for a policy.
pub(crate) struct Held {
    pub(crate) document: Arc<str>,
    /// Whether AWS's own document is longer.
    pub(crate) approximate: bool,
}

/// The document that is held for an AWS-managed policy, in our condensed form; `None` for others.
pub fn managed_document(arn: &str) -> Option<Arc<str>> {
    document(arn).map(|held| held.document)
}

/// The document that this crate holds for an AWS-managed policy.
pub(crate) fn document(arn: &str) -> Option<Held> {
    let mut parts = arn.splitn(6, ':');
    let name = parts.nth(5).filter(|_| arn.contains("::aws:"))?;
    let policies = json::values(POLICIES).next()?.get("policies")?;
    let policy = policies.elements().find(|policy| {
        let held = policy.get("name").and_then(|held| held.string());
        held.as_deref() == Some(name)
    })?;
    let approximate = policy
        .get("approximate")
        .is_some_and(|flag| flag.text == "true");
    let document = policy.get("document")?.compact()?.into();
    Some(Held {
        document,
        approximate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_held_policy_is_a_whole_document() {
        let file = json::values(POLICIES).next().unwrap();
        assert_eq!(file.defect(), None);
        let mut count = 0;
        for policy in file.get("policies").unwrap().elements() {
            let name = policy.get("name").unwrap().string().unwrap();
            let held = document(&format!("arn:aws:iam::aws:{name}")).unwrap();
            let parsed: serde_json::Value = serde_json::from_str(&held.document).unwrap();
            for statement in parsed["Statement"].as_array().unwrap() {
                let effect = statement["Effect"].as_str();
                assert!(matches!(effect, Some("Allow" | "Deny")), "{name}");
                assert!(statement["Resource"].is_string() || statement["Resource"].is_array());
            }
            count += 1;
        }
        assert!(count >= 15);
        assert!(
            !document("arn:aws:iam::aws:policy/AdministratorAccess")
                .unwrap()
                .approximate
        );
        assert!(document("arn:aws:iam::111122223333:policy/AdministratorAccess").is_none());
    }
}
