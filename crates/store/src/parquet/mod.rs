//! The activity archive's files: activities of the Open Cybersecurity Schema Framework in Parquet.
//!
//! Columns are attributes of schema 1.6.0, nested as the schema nests them (`actor.user.uid`), so that
//! whatever queries Parquet (Athena, DuckDB, Spark) can ask by them. `raw_data` holds the record as it
//! arrived, with the names of the schema's own attribute for it; [`raw_records`] reads those back, so that
//! what is in the archive is hunted through by the same rules as the log itself.
//!
//! ```
//! use portreeve_model::{Activity, Actor, Origin, Outcome};
//! use portreeve_store::parquet::{ActivityFile, Archived, Class, raw_records};
//!
//! # let activity = Activity {
//! #     source: "aws.cloudtrail", event_id: None, time: None, service: "s3".into(),
//! #     operation: "GetObject".into(), read_only: None, account: None, region: None,
//! #     actor: Actor::default(), credential: None, targets: Default::default(),
//! #     origin: Origin::default(), client: None, outcome: Outcome::Success, minted: None,
//! #     policy_change: None, effects: Vec::new(), revoked: None,
//! # };
//! let mut file = ActivityFile::new(Vec::new())?;
//! file.add(&Archived {
//!     activity: &activity,
//!     class: Class { class_uid: 6003, activity_id: 2, activity_name: "Read" },
//!     product: "AWS CloudTrail",
//!     file: "logs/a.json",
//!     index: 0,
//!     offset: 12,
//!     raw: br#"{"eventName":"GetObject"}"#,
//! });
//! let bytes = file.finish()?;
//! let mut records = raw_records(bytes.into())?;
//! assert_eq!(records.next().unwrap()?, br#"{"eventName":"GetObject"}"#);
//! assert!(records.next().is_none());
//! # Ok::<(), portreeve_store::parquet::ParquetError>(())
//! ```

mod columns;
mod read;
mod write;

use portreeve_model::Activity;

pub use bytes::Bytes;
pub use parquet::errors::ParquetError;
pub use read::{RawRecords, raw_records};
pub use write::ActivityFile;

/// One activity as it is archived.
#[derive(Clone, Copy, Debug)]
pub struct Archived<'a, 'r> {
    /// What happened.
    pub activity: &'a Activity<'r>,
    /// Its class in the schema.
    pub class: Class,
    /// The product that logged it, as `AWS CloudTrail`.
    pub product: &'a str,
    /// The file or input that brought its record.
    pub file: &'a str,
    /// The record's number there.
    pub index: u64,
    /// The record's first byte there, decompressed.
    pub offset: u64,
    /// The record.
    pub raw: &'a [u8],
}

/// An activity's class in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// 6003 is API Activity, 3002 Authentication.
    pub class_uid: u32,
    /// `activity_id` in the class.
    pub activity_id: u8,
    /// Its name: `Create`, `Read`, `Logon`.
    pub activity_name: &'static str,
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use portreeve_model::{
        Actor, CredentialKind, CredentialRef, Origin, OriginKind, Outcome, PrincipalKind,
    };

    use super::*;

    fn activity() -> Activity<'static> {
        Activity {
            source: "aws.cloudtrail",
            event_id: Some("e-1".into()),
            time: "2026-03-04T05:06:07.25Z".parse().ok(),
            service: "s3".into(),
            operation: "GetObject".into(),
            read_only: Some(true),
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            actor: Actor {
                principal: "arn:aws:iam::111122223333:role/build".into(),
                kind: PrincipalKind::Pipeline,
                session: Some("run-7".into()),
                ..Actor::default()
            },
            credential: Some(CredentialRef {
                id: "ASIAEXAMPLE".into(),
                kind: CredentialKind::Session,
                created: None,
                mfa: Some(false),
                console: false,
            }),
            targets: ["arn:aws:s3:::a".into(), "arn:aws:s3:::a/b".into()].into(),
            origin: Origin {
                address: "198.51.100.7".into(),
                kind: OriginKind::Public,
                vpc_endpoint: None,
            },
            client: Some("aws-cli/2".into()),
            outcome: Outcome::Denied("AccessDenied".into()),
            minted: None,
            policy_change: None,
            effects: Vec::new(),
            revoked: None,
        }
    }

    fn file(records: u64, group: usize) -> Bytes {
        let mut file = ActivityFile::new(Vec::new()).unwrap();
        let (full, mut bare) = (activity(), activity());
        bare.time = None;
        bare.credential = None;
        bare.targets.clear();
        bare.operation = "ConsoleLogin".into();
        bare.origin.kind = OriginKind::Service;
        for index in 0..records {
            let (class_uid, activity_id, activity_name) = match index % 2 {
                0 => (6003, 2, "Read"),
                _ => (3002, 1, "Logon"),
            };
            file.add(&Archived {
                activity: if index % 2 == 0 { &full } else { &bare },
                class: Class {
                    class_uid,
                    activity_id,
                    activity_name,
                },
                product: "AWS CloudTrail",
                file: "a.json",
                index,
                offset: index * 100,
                raw: format!("{{\"n\":{index}}}").as_bytes(),
            });
            if file.gathered() >= group {
                file.flush().unwrap();
            }
        }
        file.finish().unwrap().into()
    }

    #[test]
    fn attributes_stand_where_the_schema_has_them() {
        let file = SerializedFileReader::new(file(2, usize::MAX)).unwrap();
        let rows: Vec<String> = file
            .get_row_iter(None)
            .unwrap()
            .map(|row| row.unwrap().to_string())
            .collect();
        for part in [
            r#"{class_uid: 6003, class_name: "API Activity", category_uid: 6, category_name: "Application Activity", activity_id: 2, activity_name: "Read", type_uid: 600302, "#,
            r#"status_id: 2, status: "Failure", status_code: "AccessDenied", time: 1772600767250, time_dt: 2026-03-04 05:06:07"#,
            r#"metadata: {version: "1.6.0", uid: "e-1", log_name: "aws.cloudtrail", product: {name: "AWS CloudTrail", vendor_name: "AWS"}}"#,
            r#"cloud: {provider: "AWS", region: "eu-west-1", account: {uid: "111122223333"}}"#,
            r#"api: {operation: "GetObject", service: {name: "s3"}, response: {error: "AccessDenied"}}"#,
            r#"user: {type: "pipeline", uid: "arn:aws:iam::111122223333:role/build", name: "run-7", account: {uid: null}, credential_uid: "ASIAEXAMPLE"}"#,
            r#"is_mfa: false"#,
            r#"src_endpoint: {ip: "198.51.100.7", domain: null, "#,
            r#"http_request: {user_agent: "aws-cli/2"}, resources: [{uid: "arn:aws:s3:::a"}, {uid: "arn:aws:s3:::a/b"}]"#,
            r#"unmapped: {read_only: true, file: "a.json", index: 0, offset: 0}, raw_data: "{"n":0}"}"#,
        ] {
            assert!(rows[0].contains(part), "{part} in {}", rows[0]);
        }
        for part in [
            r#"{class_uid: 3002, class_name: "Authentication", category_uid: 3, "#,
            r#"time: null, time_dt: null"#,
            r#"user: {uid: "arn:aws:iam::111122223333:role/build"}"#,
            r#"src_endpoint: {ip: null, domain: "198.51.100.7", "#,
            r#"resources: []"#,
        ] {
            assert!(rows[1].contains(part), "{part} in {}", rows[1]);
        }
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn records_come_back_in_order_over_all_row_groups() {
        for group in [1, 20_000, usize::MAX] {
            let records = if group == 1 { 40 } else { 5_000 };
            let back: Vec<Vec<u8>> = raw_records(file(records, group))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(back.len() as u64, records);
            for (index, record) in back.iter().enumerate() {
                assert_eq!(*record, format!("{{\"n\":{index}}}").into_bytes());
            }
        }
        assert_eq!(raw_records(file(0, 1)).unwrap().count(), 0);
    }

    #[test]
    fn what_breaks_off_is_told() {
        let whole = file(40, 300);
        assert!(raw_records(Bytes::from_static(b"PAR1 and no more")).is_err());
        for length in (0..whole.len()).step_by(101) {
            assert!(raw_records(whole.slice(..length)).is_err());
        }
    }

    proptest::proptest! {
        /// Whatever bytes are changed, of pages or of the index at the end, a file is read or refused.
        #[test]
        fn what_is_damaged_is_read_or_refused(
            changes in proptest::collection::vec((0..usize::MAX, 1..=u8::MAX, proptest::bool::ANY), 1..6),
        ) {
            static WHOLE: std::sync::LazyLock<Bytes> = std::sync::LazyLock::new(|| file(40, 300));
            let mut bytes = WHOLE.to_vec();
            let index = bytes.len() - 8 - u32::from_le_bytes(
                bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap(),
            ) as usize;
            for (place, change, is_of_index) in changes {
                let from = if is_of_index { index } else { 0 };
                let place = from + place % (bytes.len() - from);
                bytes[place] ^= change;
            }
            if let Ok(records) = raw_records(bytes.into()) {
                let read = records.take(100).take_while(Result::is_ok).count();
                assert!(read <= 40, "{read} records where there were 40");
            }
        }
    }
}
