//! GuardDuty detectors.

use portreeve_model::{Entity, EntityKind};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::listing::Listing;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.detectors",
    title: "GuardDuty detectors",
    command: "aws guardduty list-detectors (with get-detector of each, in each region)",
    without: "where GuardDuty watches, and over what",
    wanted: Wanted::Optional,
    recognise: |document| DETECTORS.is_in(document) || document.has("DetectorIds"),
    read: |document, reader| {
        DETECTORS.read(document, reader);
        listed(document, reader);
        reader.mark_region(FORMAT.id);
    },
    ..FormatFile::DEFAULT
};

const DETECTORS: Listing = Listing {
    service: "guardduty",
    kind: EntityKind::Other,
    members: &["Detectors"],
    name: &["DetectorId"],
    resource: "detector/",
    kept: &["Status"],
    whole: &["Features", "DataSources"],
    ..Listing::DEFAULT
};

/// `list-detectors` names detectors, and says nothing of their state.
fn listed(document: &Object<'_>, reader: &mut Reader<'_>) {
    let place = reader.account.clone().zip(reader.region.clone());
    let (Some((account, region)), Some(ids)) = (place, document.get("DetectorIds")) else {
        return;
    };
    let partition = arn::partition(&region);
    for id in ids.strings() {
        let id = format!("arn:{partition}:guardduty:{region}:{account}:detector/{id}");
        reader.add(Entity::new(id, EntityKind::Other));
    }
}
