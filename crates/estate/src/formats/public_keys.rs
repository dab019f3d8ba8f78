//! Public keys of KMS keys on the curve of wallets: whoever may use the key signs for the address that
//! follows from it.

use portreeve_model::{Entity, EntityKind};

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.public-keys",
    title: "Public keys of KMS keys that sign for wallets",
    command: "aws kms get-public-key --key-id KEY (of each key of spec ECC_SECG_P256K1)",
    without: "which wallet a key signs for, unless the wallet policy says it",
    wanted: Wanted::Optional,
    recognise,
    read,
    ..FormatFile::DEFAULT
};

/// Lists of answers: as an export wraps them, or beside what else is listed of keys.
const LISTS: [&str; 2] = ["PublicKeys", "Keys"];

fn recognise(document: &Object<'_>) -> bool {
    let is_answer = |answer: &Object<'_>| answer.has("PublicKey") && answer.has("KeyId");
    is_answer(document)
        || LISTS.iter().any(|list| {
            let list = document.get(list);
            let mut answers = list.iter().flat_map(|list| list.elements());
            answers.any(|answer| is_answer(&Object::new(answer, String::new())))
        })
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    if document.has("PublicKey") {
        answer(document, reader);
    }
    for list in LISTS {
        if document.get(list).is_none() {
            continue;
        }
        let mut answers = document.list(list, reader);
        while let Some(one) = answers.next(reader) {
            if one.has("PublicKey") {
                answer(&one, reader);
            }
        }
    }
}

/// One key. Those of other curves sign for no wallet.
fn answer(answer: &Object<'_>, reader: &mut Reader<'_>) {
    let spec = answer.first(&["KeySpec", "CustomerMasterKeySpec"], reader);
    if spec.is_some_and(|spec| spec != "ECC_SECG_P256K1") {
        return;
    }
    // The service answers with the ARN, whatever it was asked by.
    let id = answer.arn(&["Arn", "KeyArn", "KeyId"], reader);
    if let Some(id) = id {
        let mut entity = Entity::new(&*id, EntityKind::Key);
        answer.keep(&["PublicKey", "KeySpec", "KeyUsage"], &mut entity, reader);
        reader.add(entity);
    }
}
