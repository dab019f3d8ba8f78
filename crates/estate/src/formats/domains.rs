//! Domain names registered with Route 53.

use portreeve_model::{Entity, EntityKind};

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.domains",
    title: "registered domain names",
    command: "aws route53domains list-domains --region us-east-1",
    without: "which domain names can be moved to another registrar",
    wanted: Wanted::Optional,
    recognise: |document| {
        document.get("Domains").is_some_and(|domains| {
            let first = domains.elements().next();
            domains.is_array()
                && first.is_none_or(|domain| {
                    domain.get("DomainName").is_some() && domain.get("TransferLock").is_some()
                })
        })
    },
    read,
    ..FormatFile::DEFAULT
};

/// A domain name has no ARN of AWS's own; it gets one in the form that others of its account have.
fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut domains = document.list("Domains", reader);
    while let Some(domain) = domains.next(reader) {
        let Some(name) = domain.required(&["DomainName"], reader) else {
            continue;
        };
        let account = reader.account.clone().unwrap_or_default();
        let id = format!("arn:aws:route53domains::{account}:domain/{name}");
        let mut entity = Entity::new(id, EntityKind::Other);
        domain.keep(
            &["AutoRenew", "TransferLock", "Expiry"],
            &mut entity,
            reader,
        );
        reader.add(entity);
    }
}
