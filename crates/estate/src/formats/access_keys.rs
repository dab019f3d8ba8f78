//! `list-access-keys` of users: the ids of long-lived keys.

use portreeve_model::{Entity, EntityKind};

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.access-keys",
    title: "ids of users' access keys",
    command: "aws iam list-access-keys --user-name USER (for each user)",
    without: "whose a key id in the logs is, where the logs do not tell",
    wanted: Wanted::Optional,
    recognise: |document| {
        document
            .get("AccessKeyMetadata")
            .is_some_and(|keys| keys.is_array())
    },
    read,
    ..FormatFile::DEFAULT
};

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let mut keys = document.list("AccessKeyMetadata", reader);
    while let Some(key) = keys.next(reader) {
        let Some(id) = key.required(&["AccessKeyId"], reader) else {
            continue;
        };
        let mut entity = Entity::new(&*id, EntityKind::AccessKey);
        entity.account = reader.account.clone();
        // `complete` finds the user of this name.
        key.keep(&["UserName", "Status", "CreateDate"], &mut entity, reader);
        reader.add(entity);
    }
}
