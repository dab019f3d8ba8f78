//! The permissions that collecting needs, and nothing else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::run::{DISCOVER_ACCOUNTS, DISCOVER_ORGANIZATION};
use crate::surface::{Call, SURFACES, Scope};

/// The name of the role that is assumed in each account, where the user names none.
pub const ROLE: &str = "PortreeveCollect";

/// The least policy with which everything is seen: for the role in each account its first
/// statement, for the user's own credentials in the management account all three. `role` is the name
/// of the role that is assumed.
#[must_use]
pub fn policy(role: &str) -> Value {
    let actions = |organization: bool, discover: &[Call]| {
        let surfaces = SURFACES
            .iter()
            .filter(|surface| (surface.scope == Scope::Organization) == organization);
        let calls = surfaces.flat_map(|surface| surface.calls).chain(discover);
        let actions: BTreeSet<String> = calls.map(Call::action).collect();
        actions
    };
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadInventory",
                "Effect": "Allow",
                "Action": actions(false, DISCOVER_ACCOUNTS),
                "Resource": "*",
            },
            {
                "Sid": "ReadOrganization",
                "Effect": "Allow",
                "Action": actions(true, DISCOVER_ORGANIZATION),
                "Resource": "*",
            },
            {
                "Sid": "AssumeRoles",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Resource": format!("arn:*:iam::*:role/{role}"),
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_small_enough_for_a_managed_policy() {
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space
        // does not count.
        assert!(policy(ROLE).to_string().len() <= 6_144);
    }
}
