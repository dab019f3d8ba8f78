//! The IAM credential report: CSV, or the JSON of `get-credential-report` that holds it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use portreeve_model::{Entity, EntityKind, Relation};

use crate::arn;
use crate::format::FormatFile;
use crate::object::Object;
use crate::reader::Reader;

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.credential-report",
    title: "IAM credential report",
    command: "aws iam generate-credential-report; aws iam get-credential-report > credentials-ACCOUNT.json",
    without: "which users have a password, a second factor or long-lived keys, how old the keys are, and so which users are people",
    recognise: |document| document.has("Content") && document.has("ReportFormat"),
    read,
    recognise_text,
    read_text,
    ..FormatFile::DEFAULT
};

fn recognise_text(head: &str) -> bool {
    head.trim_start().starts_with("user,arn,user_creation_time")
}

fn read(document: &Object<'_>, reader: &mut Reader<'_>) {
    let Some(content) = document.text("Content", reader) else {
        return;
    };
    let offset = document.json.offset;
    let path = format!("{}.Content", document.path);
    let text = if recognise_text(&content) {
        Some(content.into_owned())
    } else {
        let joined: String = content.split_whitespace().collect();
        let bytes = STANDARD.decode(joined).ok();
        bytes.and_then(|bytes| String::from_utf8(bytes).ok())
    };
    match text {
        Some(text) if recognise_text(&text) => read_text(&text, reader),
        _ => reader.letter(offset, &path, "is not a credential report in base64"),
    }
}

fn read_text(text: &str, reader: &mut Reader<'_>) {
    let text = text.trim_start();
    let mut csv = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let Ok(columns) = csv.headers().cloned() else {
        reader.letter(0, "row 0", "has no readable column names");
        return;
    };
    for (index, row) in csv.records().enumerate() {
        let path = format!("row {}", index + 1);
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let offset = error.position().map_or(0, csv::Position::byte);
                reader.letter(offset as usize, &path, format!("is broken: {error}"));
                continue;
            }
        };
        let offset = row.position().map_or(0, csv::Position::byte) as usize;
        let cells: BTreeMap<&str, &str> = columns.iter().zip(row.iter()).collect();
        match cells.get("arn").filter(|id| arn::parts(id).is_some()) {
            Some(id) => read_row(id, &cells, reader),
            None => reader.letter(offset, &path, "has no ARN in the column `arn`"),
        }
    }
}

fn read_row(id: &str, cells: &BTreeMap<&str, &str>, reader: &mut Reader<'_>) {
    let cell = |name: &str| {
        let absent = ["", "N/A", "not_supported", "no_information"];
        let value = cells.get(name).copied();
        value.filter(|value| !absent.contains(value))
    };
    let keep = |entity: &mut Entity, names: &[(&str, &str)]| {
        for (attribute, column) in names {
            if let Some(value) = cell(column) {
                entity
                    .attributes
                    .insert((*attribute).to_owned(), value.to_owned());
            }
        }
    };
    let is_root = id.ends_with(":root");
    let kind = if is_root {
        EntityKind::Account
    } else {
        EntityKind::User
    };
    let mut user = Entity::new(id, kind);
    if !is_root && let Some(name) = cell("user") {
        user.attributes
            .insert("UserName".to_owned(), name.to_owned());
    }
    keep(
        &mut user,
        &[
            ("CreateDate", "user_creation_time"),
            ("PasswordLastUsed", "password_last_used"),
        ],
    );
    reader.add(user);
    let mut credential = |credential: &str, kind: EntityKind, names: &[(&str, &str)]| {
        let mut entity = Entity::new(credential, kind);
        entity.account = arn::parts(id).map(|parts| parts[3].to_owned());
        keep(&mut entity, names);
        reader.add(entity);
        reader.relate(Relation::Proves {
            credential: credential.into(),
            principal: id.into(),
        });
    };
    // The root user always has a password, which the report does not say.
    if is_root || cell("password_enabled") == Some("true") {
        credential(
            &format!("password:{id}"),
            EntityKind::Password,
            &[
                ("LastUsed", "password_last_used"),
                ("LastChanged", "password_last_changed"),
            ],
        );
    }
    if cell("mfa_active") == Some("true") {
        credential(&format!("{id}#mfa"), EntityKind::MfaDevice, &[]);
    }
    for number in ["1", "2"] {
        let column = |name: &str| format!("access_key_{number}_{name}");
        let active = column("active");
        let rotated = column("last_rotated");
        if cell(&active) == Some("true") || cell(&rotated).is_some() {
            credential(
                &format!("{id}#access-key-{number}"),
                EntityKind::AccessKey,
                &[
                    ("Active", &active),
                    ("LastRotated", &rotated),
                    ("LastUsed", &column("last_used_date")),
                    ("LastUsedRegion", &column("last_used_region")),
                    ("LastUsedService", &column("last_used_service")),
                ],
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use portreeve_model::{EntityKind, Estate, PrincipalKind, Relation};

    const REPORT: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated\n\
        <root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,no_information,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A\n\
        ana,arn:aws:iam::111122223333:user/staff/ana,2021-01-01T00:00:00+00:00,true,2026-01-01T00:00:00+00:00,2025-01-01T00:00:00+00:00,N/A,true,true,2024-01-01T00:00:00+00:00,2026-01-02T00:00:00+00:00,eu-west-1,s3,false,N/A\n\
        broken,not an arn,x\n\
        bot,arn:aws:iam::111122223333:user/bot,2021-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2022-01-01T00:00:00+00:00,N/A,N/A,N/A,false,2021-01-01T00:00:00+00:00\n";

    fn check(bytes: &[u8]) {
        let format = crate::recognise(bytes).expect("recognised");
        assert_eq!(format.id(), "aws.credential-report");
        let mut estate = Estate::default();
        let letters = crate::read("report", bytes, &mut estate);
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert!(letters[0].reason.contains("row 3"));
        crate::complete(&mut estate);
        let ana = "arn:aws:iam::111122223333:user/staff/ana";
        let key = estate.get(&format!("{ana}#access-key-1")).unwrap();
        assert_eq!(key.attributes["LastUsedService"], "s3");
        assert!(estate.get(&format!("{ana}#access-key-2")).is_none());
        assert!(estate.get(&format!("{ana}#mfa")).is_some());
        let bot = "arn:aws:iam::111122223333:user/bot";
        let old = estate.get(&format!("{bot}#access-key-2")).unwrap();
        assert_eq!(old.attributes["Active"], "false");
        let kinds: Vec<_> = estate
            .relations()
            .iter()
            .filter_map(|relation| match relation {
                Relation::Kind { principal, kind } => Some((principal.as_str(), *kind)),
                _ => None,
            })
            .collect();
        assert_eq!(kinds, [(ana, PrincipalKind::Human)]);
        let root = estate.get("password:arn:aws:iam::111122223333:root");
        assert_eq!(root.unwrap().kind, EntityKind::Password);
    }

    #[test]
    fn the_report_reads_as_csv_and_inside_json() {
        use base64::Engine;
        check(REPORT.as_bytes());
        let content = base64::engine::general_purpose::STANDARD.encode(REPORT);
        let json = format!(r#"{{"Content": "{content}", "ReportFormat": "text/csv"}}"#);
        check(json.as_bytes());
    }
}
