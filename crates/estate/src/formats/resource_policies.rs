//! Resource policies of any kind of resource, by ARN: `{"ResourcePolicies": [{"Resource": ARN,
//! "Policy": {…}, "Account": "…"}]}`.

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.resource-policies",
    title: "resource policies by ARN",
    command: "see `ResourcePolicies` in docs/inventory.md",
    without: "who outside an account reaches its resources",
    wanted: Wanted::Optional,
    recognise: |document| {
        document
            .get("ResourcePolicies")
            .is_some_and(|policies| policies.is_array())
    },
    read,
    ..FormatFile::DEFAULT
};

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut policies = document.list("ResourcePolicies", reader);
    while let Some(policy) = policies.next(reader) {
        let Some(resource) = policy.arn(&["Resource", "ResourceArn", "Arn"], reader) else {
            continue;
        };
        let (id, kind) = match arn::entity(&resource) {
            Some((id, kind)) => (id, kind),
            None => (&*resource, EntityKind::Other),
        };
        let mut entity = Entity::new(id, kind);
        let account = policy.first(&["Account", "AccountId"], reader);
        if entity.account.is_none() {
            entity.account = account.map(|account| account.into_owned());
        }
        if let Some(text) = policy.document("Policy", reader) {
            reader.policy(id, PolicyLayer::Resource, "resource policy", text);
            entity
                .attributes
                .insert("Policy".to_owned(), "given".to_owned());
        }
        reader.add(entity);
    }
}
