//! What `portreeve collect` says beside what it read: what it could not see, and whether it ended.

use portreeve_model::{BlindSpot, Entity, EntityKind};

use crate::arn;
use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.collection",
    title: "what a collection could not see",
    command: "portreeve collect aws --out DIR",
    without: "which calls of a collection were refused",
    wanted: Wanted::Optional,
    recognise: |document| is_part(document) || is_manifest(document),
    read,
    ..FormatFile::DEFAULT
};

fn is_part(document: &Object<'_>) -> bool {
    document.has("Surface") && document.has("Formats") && document.has("Unseen")
}

fn is_manifest(document: &Object<'_>) -> bool {
    document.get("Collection.Finished").is_some() && document.has("Parts")
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    if is_manifest(document) {
        read_manifest(document, reader);
        return;
    }
    let Some(account) = reader.account.clone() else {
        let reason = "has no `Account`";
        reader.letter(document.json.offset, &document.path, reason);
        return;
    };
    let mut seen = true;
    let mut entity = Entity::new(arn::account(&account), EntityKind::Account);
    let region = reader.region.clone().unwrap_or_default();
    let mut unseen = document.list("Unseen", reader);
    while let Some(one) = unseen.next(reader) {
        seen = false;
        let Some(action) = one.required(&["Action"], reader) else {
            continue;
        };
        // `complete` makes one blind spot of what several accounts and regions lack.
        let code = one.text("Code", reader).unwrap_or_default();
        entity
            .attributes
            .insert(format!("Unseen:{action}:{region}"), code.into_owned());
    }
    reader.add(entity);
    // What was looked for and is not there is no blind spot: an organization, Identity Center.
    let mut formats = document.list("Formats", reader);
    while let Some((format, _)) = formats.next_value() {
        if let Some(format) = format.string().filter(|_| seen) {
            reader.mark(&account, &format);
        }
    }
}

fn read_manifest(document: &Object<'_>, reader: &mut Reader<'_>) {
    if let Some(collection) = document.object("Collection", reader)
        && collection.text("Finished", reader).as_deref() != Some("true")
    {
        reader.blind_spot(BlindSpot {
            missing: "the rest of a collection that did not end".to_owned(),
            consequence: "accounts, regions and resources that it had not come to are not seen"
                .to_owned(),
            remedy: "run the same `portreeve collect aws --out DIR` again: it goes on".to_owned(),
        });
    }
    let mut unreachable = document.list("Unreachable", reader);
    while let Some(one) = unreachable.next(reader) {
        let (Some(account), Some(action)) = (
            one.required(&["Account"], reader),
            one.text("Action", reader),
        ) else {
            continue;
        };
        reader.blind_spot(BlindSpot {
            missing: format!("all of account {account}: {action} was refused"),
            consequence: "nothing of this account is seen".to_owned(),
            remedy: "let the collecting principal assume the role in it (docs/collect.md)"
                .to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use portreeve_model::Estate;

    fn spots(files: &[&str]) -> Vec<String> {
        let mut estate = Estate::default();
        for file in files {
            let format = crate::recognise(file.as_bytes()).map(crate::Format::id);
            assert!(format.is_some(), "{file}");
            assert_eq!(crate::read("part.json", file.as_bytes(), &mut estate), []);
        }
        crate::complete(&mut estate);
        let spots = estate.blind_spots.into_iter();
        spots.map(|spot| spot.missing).collect()
    }

    #[test]
    fn what_was_refused_is_named_once_for_all_places() {
        let part = |account: &str, region: &str| {
            format!(
                r#"{{"Account": "{account}", "Region": "{region}", "Surface": "keys", "Formats": ["aws.keys"],
                    "Unseen": [{{"Action": "kms:ListKeys", "Code": "AccessDenied", "Message": "", "Count": 1}}]}}"#
            )
        };
        let files = [
            part("111122223333", "eu-west-1"),
            part("111122223333", "us-east-1"),
            part("444455556666", "eu-west-1"),
        ];
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let spots = spots(&files);
        let refused: Vec<_> = spots
            .iter()
            .filter(|spot| spot.contains("kms:ListKeys"))
            .collect();
        assert_eq!(refused.len(), 1, "{spots:#?}");
        assert!(
            refused[0].contains(
                "111122223333 in eu-west-1, 111122223333 in us-east-1, 444455556666 in eu-west-1"
            ),
            "{refused:?}"
        );
        assert!(
            spots
                .iter()
                .any(|spot| spot.starts_with("KMS keys with policies"))
        );
    }

    #[test]
    fn what_was_looked_for_in_vain_is_no_blind_spot() {
        let none = r#"{"Account": "111122223333", "Surface": "organization", "Formats": ["aws.organizations"], "Unseen": []}"#;
        assert!(
            !spots(&[none])
                .iter()
                .any(|spot| spot.starts_with("AWS Organizations"))
        );
        assert!(
            spots(&[])
                .iter()
                .any(|spot| spot.starts_with("AWS Organizations"))
        );
    }

    #[test]
    fn a_collection_that_did_not_end_is_named() {
        let manifest = |finished: bool| {
            format!(
                r#"{{"Collection": {{"Version": 1, "Finished": {finished}}}, "Parts": [],
                    "Unreachable": [{{"Account": "777788889999", "Action": "sts:AssumeRole", "Message": "no"}}]}}"#
            )
        };
        let open = spots(&[&manifest(false)]);
        assert!(
            open.iter()
                .any(|spot| spot.starts_with("the rest of a collection"))
        );
        assert!(
            open.iter()
                .any(|spot| spot.starts_with("all of account 777788889999"))
        );
        assert!(
            !spots(&[&manifest(true)])
                .iter()
                .any(|spot| spot.starts_with("the rest"))
        );
    }
}
