//! `list-mfa-devices` and `list-virtual-mfa-devices`: second factors.

use portreeve_model::{Entity, EntityKind, Relation};

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.mfa-devices",
    title: "second factors of users",
    command: "aws iam list-virtual-mfa-devices; aws iam list-mfa-devices --user-name USER",
    without: "which second factor belongs to whom",
    wanted: Wanted::Optional,
    recognise: |document| document.has("MFADevices") || document.has("VirtualMFADevices"),
    read,
    ..FormatFile::DEFAULT
};

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    for list in ["MFADevices", "VirtualMFADevices"] {
        let mut devices = document.list(list, reader);
        while let Some(device) = devices.next(reader) {
            let Some(id) = device.required(&["SerialNumber"], reader) else {
                continue;
            };
            let mut entity = Entity::new(&*id, EntityKind::MfaDevice);
            if entity.account.is_none() {
                entity.account = reader.account.clone();
            }
            device.keep(&["UserName", "EnableDate"], &mut entity, reader);
            reader.add(entity);
            let user = device.object("User", reader);
            if let Some(user) = user.and_then(|user| user.text("Arn", reader)) {
                reader.relate(Relation::Proves {
                    credential: (&*id).into(),
                    principal: (&*user).into(),
                });
            }
        }
    }
}
