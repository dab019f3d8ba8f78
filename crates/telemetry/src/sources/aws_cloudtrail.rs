//! AWS CloudTrail, in every shape in which people hold it: as S3 delivers it (`Records`), NDJSON,
//! arrays, `lookup-events`, EventBridge envelopes, CloudWatch Logs exports and subscriptions,
//! CloudTrail Lake and Athena rows, records inside the export of a SIEM.

#[path = "aws_cloudtrail/arn.rs"]
mod arn;
#[path = "aws_cloudtrail/effects/mod.rs"]
mod effects;
#[path = "aws_cloudtrail/fields.rs"]
mod fields;
#[path = "aws_cloudtrail/identity.rs"]
mod identity;
#[path = "aws_cloudtrail/kind.rs"]
mod kind;
#[path = "aws_cloudtrail/mint.rs"]
mod mint;
#[path = "aws_cloudtrail/outcome.rs"]
mod outcome;
#[path = "aws_cloudtrail/policy_change.rs"]
mod policy_change;
#[path = "aws_cloudtrail/presto.rs"]
mod presto;
#[path = "aws_cloudtrail/reader.rs"]
mod reader;
#[path = "aws_cloudtrail/recognise.rs"]
mod recognise;
#[path = "aws_cloudtrail/revoke.rs"]
mod revoke;
#[path = "aws_cloudtrail/rows.rs"]
mod rows;
#[path = "aws_cloudtrail/table.rs"]
mod table;
#[path = "aws_cloudtrail/targets.rs"]
mod targets;
#[path = "aws_cloudtrail/time.rs"]
mod time;
#[path = "aws_cloudtrail/unwrap.rs"]
mod unwrap;
#[path = "aws_cloudtrail/wanted.rs"]
mod wanted;

use std::io::Read;

use portreeve_model::Activity;
use portreeve_record::Fields;

use crate::{LogSource, OcsfClass, Reader, Recognition, Rows, Source};

const ID: &str = "aws.cloudtrail";

/// Keys whose array holds records, in the outputs that hold CloudTrail.
const ENVELOPES: &[&str] = &[
    "Records",         // S3 delivery; S3 and SQS notifications
    "Events",          // lookup-events
    "events",          // filter-log-events
    "logEvents",       // CloudWatch Logs subscriptions and get-log-events
    "QueryResultRows", // CloudTrail Lake
    "results",         // CloudWatch Logs Insights, Splunk
    "hits.hits",       // OpenSearch, Elasticsearch
    "records",
];

/// The source.
pub(crate) static SOURCE: CloudTrail = CloudTrail;

/// AWS CloudTrail.
#[derive(Debug)]
pub(crate) struct CloudTrail;

impl Source for CloudTrail {
    fn id(&self) -> &'static str {
        ID
    }

    fn title(&self) -> &'static str {
        "AWS CloudTrail"
    }

    fn logsource(&self) -> LogSource {
        LogSource {
            product: Some("aws"),
            category: None,
            service: Some("cloudtrail"),
        }
    }

    fn declared_fields(&self) -> &'static [&'static str] {
        fields::DECLARED
    }

    fn envelopes(&self) -> &'static [&'static str] {
        ENVELOPES
    }

    fn recognise(&self, head: &[u8]) -> Option<Recognition> {
        recognise::recognise(head)
    }

    fn rows<'s>(&self, reader: Box<dyn Read + 's>) -> Option<Box<dyn Rows + 's>> {
        Some(Box::new(rows::CsvRows::new(reader)))
    }

    fn prepare(&self, fields: &mut Fields) -> Box<dyn Reader> {
        Box::new(reader::CloudTrailReader::new(fields))
    }

    fn ocsf(&self, activity: &Activity<'_>) -> OcsfClass {
        if activity.operation == "ConsoleLogin" {
            return OcsfClass {
                class_uid: 3002,
                activity_id: 1,
                activity_name: "Logon",
            };
        }
        // The verb that a call's name begins with; OCSF knows four.
        const VERBS: &[(&[&str], u8, &str)] = &[
            (
                &[
                    "Create", "Put", "Run", "Allocate", "Import", "Register", "Add",
                ],
                1,
                "Create",
            ),
            (
                &[
                    "Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet",
                ],
                2,
                "Read",
            ),
            (
                &[
                    "Update", "Modify", "Set", "Attach", "Detach", "Enable", "Disable",
                ],
                3,
                "Update",
            ),
            (
                &["Delete", "Remove", "Terminate", "Deregister"],
                4,
                "Delete",
            ),
        ];
        let (activity_id, activity_name) = VERBS
            .iter()
            .find(|(verbs, ..)| {
                verbs
                    .iter()
                    .any(|verb| activity.operation.starts_with(verb))
            })
            .map_or((99, "Other"), |(_, id, name)| (*id, *name));
        OcsfClass {
            class_uid: 6003,
            activity_id,
            activity_name,
        }
    }
}
