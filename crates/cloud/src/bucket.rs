//! A bucket that is read, and the queue that tells of its new objects: S3 and what speaks like it, SQS.
//!
//! Nothing is written but that messages are taken off the queue. What has to be allowed: `s3:ListBucket`,
//! `s3:GetObject`, and `sqs:ReceiveMessage`, `sqs:DeleteMessage` where there is a queue. Another address than
//! AWS's is taken from the configuration (`AWS_ENDPOINT_URL`).

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::client::{Access, CallError, Client, Meaning, Plain, Session};
use crate::xml;

/// How many seconds a queue is waited at for messages; the most that SQS allows
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
const WAIT: u32 = 20;

/// For how many seconds a message is nobody else's: its objects have to be committed meanwhile.
const HIDDEN: u32 = 300;

/// Where the objects are, and who tells of new ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with.
    pub prefix: String,
    /// The queue's address, where there is one.
    pub queue: Option<String>,
}

/// A text that is no bucket.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no bucket: expected s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct LocationError(String);

impl std::str::FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let wrong = || LocationError(text.to_owned());
        let rest = text.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // "General purpose bucket naming rules", Amazon S3 user guide; others are laxer about the end.
        let is_name = (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte)
            });
        if !is_name {
            return Err(wrong());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            queue: None,
        })
    }
}

/// An object: key, size in bytes, entity tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size.
    pub size: u64,
    /// Its entity tag, without quotes.
    pub tag: String,
}

/// A message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// By which it is taken off the queue.
    pub receipt: String,
    /// The objects of this bucket, below this prefix, that it tells of.
    pub objects: Vec<Listed>,
}

/// A client of one bucket.
#[derive(Debug)]
pub struct Bucket {
    runtime: tokio::runtime::Runtime,
    client: Client,
    session: Session,
    region: String,
    location: Location,
}

impl Bucket {
    /// Makes ready to read a bucket, with the user's own credentials. Nothing is asked of it yet.
    ///
    /// # Errors
    /// Where there are no credentials, or the configuration asks for what is not supported.
    pub fn open(location: Location, access: &Access) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = runtime.block_on(Client::new(access, 1))?;
        let session = client.own()?;
        Ok(Self {
            region: client.region().to_owned(),
            runtime,
            client,
            session,
            location,
        })
    }

    /// The bucket and what its keys begin with.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Up to a thousand objects in order of key, behind a key.
    ///
    /// # Errors
    /// Where the service refuses or does not answer.
    pub fn list(&mut self, after: Option<&str>) -> Result<Vec<Listed>, CallError> {
        let mut query = vec![
            ("list-type", "2"),
            ("prefix", self.location.prefix.as_str()),
        ];
        query.extend(after.map(|after| ("start-after", after)));
        let query: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        let target = format!("/{}?{}", self.location.bucket, query.join("&"));
        let body = self.s3("ListObjectsV2", &target)?;
        listed(&String::from_utf8_lossy(&body)).map_err(|reason| CallError::NoAnswer {
            action: "s3:ListObjectsV2".to_owned(),
            reason,
        })
    }

    /// An object's content; `None` where it is gone.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub fn read(&mut self, key: &str) -> Result<Option<Vec<u8>>, CallError> {
        let path: Vec<String> = key.split('/').map(escape).collect();
        let target = format!("/{}/{}", self.location.bucket, path.join("/"));
        match self.s3("GetObject", &target) {
            Ok(body) => Ok(Some(body)),
            // A bucket that is gone is another matter than an object.
            Err(error) if error.code() == "NoSuchKey" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the queue has, waited for up to 20 seconds; `None` without a queue.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub fn messages(&mut self) -> Result<Option<Vec<Message>>, CallError> {
        let Some(queue) = self.location.queue.clone() else {
            return Ok(None);
        };
        let input = json!({
            "QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": WAIT,
            "VisibilityTimeout": HIDDEN,
        });
        let answer = self.sqs("ReceiveMessage", &queue, &input)?;
        let messages = answer["Messages"].as_array().map_or(&[][..], Vec::as_slice);
        let told = messages.iter().filter_map(|message| {
            let objects = told_of(message["Body"].as_str().unwrap_or_default());
            let own = |(bucket, object): (String, Listed)| {
                let is_own =
                    bucket == self.location.bucket && object.key.starts_with(&self.location.prefix);
                is_own.then_some(object)
            };
            Some(Message {
                receipt: message["ReceiptHandle"].as_str()?.to_owned(),
                objects: objects.into_iter().filter_map(own).collect(),
            })
        });
        Ok(Some(told.collect()))
    }

    /// Takes a message off the queue.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub fn delete(&mut self, receipt: &str) -> Result<(), CallError> {
        let Some(queue) = self.location.queue.clone() else {
            return Ok(());
        };
        let input = json!({"QueueUrl": queue, "ReceiptHandle": receipt});
        self.sqs("DeleteMessage", &queue, &input).map(drop)
    }

    /// Asks S3, in the region of the bucket: where that is another one, the service says so.
    fn s3(&mut self, operation: &'static str, target: &str) -> Result<Vec<u8>, CallError> {
        let ask = |region: &str| {
            let call = Plain {
                service: "s3",
                operation,
                region,
                method: "GET",
                target,
                headers: &[],
                body: String::new(),
                at: None,
            };
            self.runtime
                .block_on(self.client.plain(&self.session, &call))
        };
        let region = self.region.clone();
        match ask(&region) {
            Err(CallError::Refused {
                region: Some(other),
                ..
            }) if other != region => {
                let answer = ask(&other);
                self.region = other;
                answer
            }
            answer => answer,
        }
    }

    /// Asks SQS, by its JSON protocol, in the region that the queue's address names.
    fn sqs(
        &mut self,
        operation: &'static str,
        queue: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let host = queue.split("://").nth(1).unwrap_or_default();
        let named = host
            .strip_prefix("sqs.")
            .and_then(|rest| rest.split_once(".amazonaws."))
            .map(|(region, _)| region.to_owned());
        let region = named.unwrap_or_else(|| self.client.region().to_owned());
        let headers = [
            ("x-amz-target", format!("AmazonSQS.{operation}")),
            ("content-type", "application/x-amz-json-1.0".to_owned()),
        ];
        let origin = host.split('/').next().unwrap_or_default();
        let scheme = queue.split("://").next().unwrap_or("https");
        let call = Plain {
            service: "sqs",
            operation,
            region: &region,
            method: "POST",
            target: "/",
            headers: &headers,
            body: input.to_string(),
            at: Some(format!("{scheme}://{origin}")),
        };
        let body = self
            .runtime
            .block_on(self.client.plain(&self.session, &call))?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| CallError::NoAnswer {
            action: format!("sqs:{operation}"),
            reason: error.to_string(),
        })
    }
}

impl CallError {
    /// Whether there is no such bucket or queue, or no leave to use it: nothing that a moment mends.
    pub fn is_lasting(&self) -> bool {
        matches!(self.meaning(), Meaning::Absent | Meaning::Denied)
    }
}

fn escape(text: &str) -> String {
    crate::request::escape(text)
}

/// The objects of an answer to `ListObjectsV2`.
fn listed(text: &str) -> Result<Vec<Listed>, String> {
    let root = xml::parse(text).map_err(|error| error.to_string())?;
    if root.name != "ListBucketResult" {
        return Err(format!("an answer called {}", root.name));
    }
    let objects = root
        .children
        .iter()
        .filter(|child| child.name == "Contents");
    let text = |element: &xml::Element, name: &str| {
        let child = element.child(name);
        child.map(|child| child.text.clone()).unwrap_or_default()
    };
    Ok(objects
        .map(|object| Listed {
            key: text(object, "Key"),
            size: text(object, "Size").parse().unwrap_or(0),
            tag: text(object, "ETag").trim_matches('"').to_owned(),
        })
        .filter(|object| !object.key.is_empty() && !object.key.ends_with('/'))
        .collect())
}

/// The buckets and objects that a message tells of: S3's own notification
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>), the same in
/// one of SNS, or EventBridge's "Object Created". Any other message, as S3's test, tells of none.
fn told_of(body: &str) -> Vec<(String, Listed)> {
    let Ok(message) = serde_json::from_str::<Value>(body) else {
        return Vec::new();
    };
    if let Some(inner) = message["Message"]
        .as_str()
        .filter(|_| message["Type"] == "Notification")
    {
        // SNS wraps once; what is wrapped again is no notification.
        return match serde_json::from_str::<Value>(inner) {
            Ok(inner) if inner["Type"] != "Notification" => of_message(&inner),
            _ => Vec::new(),
        };
    }
    of_message(&message)
}

fn of_message(message: &Value) -> Vec<(String, Listed)> {
    let object = |bucket: &Value, object: &Value, key: String| {
        Some((
            bucket["name"].as_str()?.to_owned(),
            Listed {
                key,
                size: object["size"].as_u64().unwrap_or(0),
                tag: (object["eTag"].as_str().or(object["etag"].as_str()))
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            },
        ))
    };
    if message["detail-type"] == "Object Created" {
        let detail = &message["detail"];
        let key = detail["object"]["key"].as_str().map(str::to_owned);
        let told = key.and_then(|key| object(&detail["bucket"], &detail["object"], key));
        return told.into_iter().collect();
    }
    let records = message["Records"].as_array().map_or(&[][..], Vec::as_slice);
    records
        .iter()
        .filter(|record| {
            let name = record["eventName"].as_str().unwrap_or_default();
            name.trim_start_matches("s3:").starts_with("ObjectCreated:")
        })
        .filter_map(|record| {
            // Keys are written as in a form: spaces as `+`.
            let key = record["s3"]["object"]["key"].as_str()?.replace('+', " ");
            let key = percent_decode_str(&key).decode_utf8().ok()?.into_owned();
            object(&record["s3"]["bucket"], &record["s3"]["object"], key)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_or_refused() {
        let location: Location = "s3://trail-logs/AWSLogs/o-1/".parse().unwrap();
        assert_eq!(
            (location.bucket.as_str(), location.prefix.as_str()),
            ("trail-logs", "AWSLogs/o-1/")
        );
        assert_eq!("s3://trail".parse::<Location>().unwrap().prefix, "");
        for bad in ["trail", "s3://", "s3://A/b", "s3://a b/c", "https://trail"] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_are_read() {
        let text = r#"<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>
            <Contents><Key>a/b c.json.gz</Key><Size>12</Size><ETag>&quot;e1&quot;</ETag></Contents>
            <Contents><Key>a/</Key><Size>0</Size></Contents></ListBucketResult>"#;
        let object = Listed {
            key: "a/b c.json.gz".to_owned(),
            size: 12,
            tag: "e1".to_owned(),
        };
        assert_eq!(listed(text), Ok(vec![object]));
        assert!(listed("<Error/>").is_err());
    }

    #[test]
    fn messages_of_all_three_forms_are_understood() {
        let record = json!({"eventName": "ObjectCreated:Put", "s3": {
            "bucket": {"name": "trail"}, "object": {"key": "a/b+c%2Bd.gz", "size": 7, "eTag": "e"}}});
        let gone = json!({"eventName": "ObjectRemoved:Delete", "s3": {
            "bucket": {"name": "trail"}, "object": {"key": "x"}}});
        let own = json!({"Records": [record, gone]});
        let told = told_of(&own.to_string());
        assert_eq!(told.len(), 1);
        assert_eq!(
            (told[0].0.as_str(), told[0].1.key.as_str()),
            ("trail", "a/b c+d.gz")
        );
        let wrapped = json!({"Type": "Notification", "Message": own.to_string()});
        assert_eq!(told_of(&wrapped.to_string()), told);
        let bridge = json!({"detail-type": "Object Created", "detail": {
            "bucket": {"name": "trail"}, "object": {"key": "a/b c+d.gz", "size": 7, "etag": "e"}}});
        assert_eq!(told_of(&bridge.to_string()), told);
        for other in [
            "",
            "[]",
            r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#,
        ] {
            assert_eq!(told_of(other), [], "{other}");
        }
    }
}
