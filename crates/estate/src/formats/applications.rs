//! App Runner services.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.applications",
    title: "App Runner services",
    command: "aws apprunner describe-service --service-arn ARN (for each of list-services)",
    without: "which roles are reached by changing an App Runner service",
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
    service: "apprunner",
    kind: EntityKind::Application,
    members: &[
        "Service",
        "ServiceSummaryList",
        "Applications",
        "AppRunnerServices",
    ],
    id: &["ServiceArn"],
    name: &["ServiceName"],
    resource: "service/",
    roles: &[
        "InstanceConfiguration.InstanceRoleArn",
        "SourceConfiguration.AuthenticationConfiguration.AccessRoleArn",
    ],
    images: &["SourceConfiguration.ImageRepository.ImageIdentifier"],
    kept: &["ServiceUrl", "Status"],
    ..Listing::DEFAULT
}];
