//! CloudTrail trails, what they select, and whether they log.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.trails",
    title: "CloudTrail trails",
    command: "aws cloudtrail describe-trails (with get-trail-status, get-event-selectors and get-insight-selectors of each)",
    without: "which calls are logged, and whether the logs can be trusted",
    wanted: Wanted::Optional,
    recognise: |document| TRAILS.is_in(document),
    read: |document, reader| {
        TRAILS.read(document, reader);
    },
    ..FormatFile::DEFAULT
};

const TRAILS: Listing = Listing {
    service: "cloudtrail",
    kind: EntityKind::Other,
    // The document itself: `get-event-selectors` and `get-insight-selectors`.
    members: &["", "trailList", "Trails"],
    id: &["TrailARN"],
    kept: &[
        "Name",
        "S3BucketName",
        "HomeRegion",
        "IsMultiRegionTrail",
        "IsOrganizationTrail",
        "IncludeGlobalServiceEvents",
        "HasInsightSelectors",
    ],
    whole: &[
        "KmsKeyId",
        "LogFileValidationEnabled",
        "CloudWatchLogsLogGroupArn",
        "Status.IsLogging",
        "Status.LatestDeliveryError",
        "Status.LatestCloudWatchLogsDeliveryTime",
        "EventSelectors",
        "AdvancedEventSelectors",
        "InsightSelectors",
    ],
    ..Listing::DEFAULT
};
