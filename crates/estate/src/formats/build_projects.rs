//! CodeBuild projects.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.build-projects",
    title: "CodeBuild projects",
    command: "aws codebuild batch-get-projects --names $(aws codebuild list-projects --query projects --output text)",
    without: "which roles are reached through a build",
    wanted: Wanted::EachAccount,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[Listing {
    service: "codebuild",
    kind: EntityKind::BuildProject,
    members: &["projects", "Projects", "BuildProjects"],
    id: &["arn", "Arn"],
    name: &["name"],
    resource: "project/",
    roles: &["serviceRole", "ServiceRole", "resourceAccessRole"],
    images: &["environment.image"],
    kept: &[
        "description",
        "source.type",
        "source.location",
        "projectVisibility",
    ],
    ..Listing::DEFAULT
}];
