//! ECR repositories.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.image-repositories",
    title: "ECR repositories",
    command: "aws ecr describe-repositories (with get-repository-policy of each)",
    without: "who outside the account may push or pull an image, and whether a tag can be overwritten",
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
    service: "ecr",
    kind: EntityKind::ImageRepository,
    members: &["repositories", "Repositories", "ImageRepositories"],
    id: &["repositoryArn"],
    name: &["repositoryName"],
    resource: "repository/",
    policy: &["policyText", "Policy"],
    kept: &[
        "repositoryUri",
        "imageTagMutability",
        "imageScanningConfiguration.scanOnPush",
    ],
    ..Listing::DEFAULT
}];
