//! SQS queues.

use portreeve_model::{Entity, EntityKind};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.queues",
    title: "SQS queues",
    command: "aws sqs list-queues (with get-queue-attributes --attribute-names All of each)",
    without: "who may send to a queue or read from it",
    wanted: Wanted::Optional,
    recognise: |document| {
        document.has("QueueUrls") || LISTINGS.iter().any(|listing| listing.is_in(document))
    },
    read,
    ..FormatFile::DEFAULT
};

const LISTINGS: &[Listing] = &[
    Listing {
        service: "sqs",
        kind: EntityKind::Queue,
        members: &["Queues", "queues"],
        id: &["QueueArn", "Attributes.QueueArn"],
        policy: &["Policy", "Attributes.Policy"],
        kept: &["QueueUrl"],
        ..Listing::DEFAULT
    },
    // The output of `get-queue-attributes`.
    Listing {
        service: "sqs",
        kind: EntityKind::Queue,
        members: &["Attributes"],
        id: &["QueueArn"],
        policy: &["Policy"],
        ..Listing::DEFAULT
    },
];

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    for listing in LISTINGS {
        listing.read(document, reader);
    }
    let mut urls = document.list("QueueUrls", reader);
    while let Some((url, path)) = urls.next_value() {
        match url.string().as_deref().and_then(queue_of_url) {
            Some(id) => reader.add(Entity::new(id, EntityKind::Queue)),
            None => reader.letter(url.offset, &path, "is no address of a queue"),
        }
    }
}

/// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`.
fn queue_of_url(url: &str) -> Option<String> {
    let mut parts = url.strip_prefix("https://sqs.")?.splitn(3, '/');
    let region = parts.next()?.split('.').next()?;
    let account = parts.next().filter(|account| arn::is_account(account))?;
    let name = parts.next()?;
    let partition = arn::partition(region);
    Some(format!("arn:{partition}:sqs:{region}:{account}:{name}"))
}
