//! SNS topics.

use portreeve_model::EntityKind;

use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.topics",
    title: "SNS topics",
    command: "aws sns list-topics (with get-topic-attributes of each)",
    without: "who may publish to a topic",
    wanted: Wanted::Optional,
    recognise: |document| LISTINGS.iter().any(|listing| listing.is_in(document)),
    read: |document, reader| {
        for listing in LISTINGS {
            listing.read(document, reader);
        }
    },
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        service: "sns",
        kind: EntityKind::Topic,
        members: &["Topics", "topics"],
        id: &["TopicArn", "Attributes.TopicArn"],
        policy: &["Policy", "Attributes.Policy"],
        kept: &["DisplayName", "Attributes.DisplayName"],
        ..Listing::DEFAULT
    },
    // The output of `get-topic-attributes`.
    Listing {
        service: "sns",
        kind: EntityKind::Topic,
        members: &["Attributes"],
        id: &["TopicArn"],
        policy: &["Policy"],
        kept: &["DisplayName"],
        ..Listing::DEFAULT
    },
];
