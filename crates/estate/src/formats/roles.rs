//! `list-roles` and `get-role`: how long a role's sessions may last, which
//! `get-account-authorization-details` leaves out.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.roles",
    title: "roles with the length of their sessions",
    command: "aws iam list-roles",
    without: "how long a role's sessions may last",
    wanted: Wanted::Optional,
    recognise: |document| {
        let roles = document.get("Roles").or(document.get("Role"));
        let first = roles.and_then(|roles| match roles.is_array() {
            true => roles.elements().next(),
            false => Some(roles),
        });
        first.is_some_and(|role| {
            role.get("Arn").is_some() && role.get("MaxSessionDuration").is_some()
        })
    },
    read: |document, reader| ROLES.read(document, reader),
    ..FormatFile::DEFAULT
};

const ROLES: Listing = Listing {
    service: "iam",
    kind: EntityKind::Role,
    members: &["Roles", "Role"],
    id: &["Arn"],
    kept: &["RoleName", "MaxSessionDuration", "Description"],
    ..Listing::DEFAULT
};
