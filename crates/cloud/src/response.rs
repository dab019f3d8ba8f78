//! Answers of services, in the shape in which the AWS command line prints them.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use crate::model::{Member, Model, Operation, Protocol, Shape};
use crate::xml::{self, Element};

/// Deeper nesting than this is left out: no shape here is that deep but one that holds itself.
const DEEPEST: usize = 32;

/// Why an answer cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerError {
    #[error("the answer is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the answer is no XML: {0}")]
    Xml(#[from] xml::XmlError),
    #[error("the answer is no UTF-8")]
    Text,
}

/// What a service says when it refuses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its word for the error, `AccessDenied`; empty where it has none.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The output of an operation.
pub(crate) fn output(
    model: &Model,
    operation: &Operation,
    body: &[u8],
) -> Result<Value, AnswerError> {
    let Some(shape) = operation.output.as_deref() else {
        return Ok(Value::Object(Map::new()));
    };
    let text = std::str::from_utf8(body).map_err(|_| AnswerError::Text)?;
    if matches!(model.protocol, Protocol::Json | Protocol::RestJson) {
        let text = if text.trim().is_empty() { "{}" } else { text };
        let value: Value = serde_json::from_str(text)?;
        return Ok(from_json(model, shape, &value, 0));
    }
    if let Some((name, payload)) = model.payload(shape) {
        let value = if model.shapes.contains_key(&payload.shape) {
            from_xml(model, payload, &[&xml::parse(text)?], 0)
        } else {
            Value::String(text.to_owned())
        };
        return Ok(Value::Object(Map::from_iter([(name.to_owned(), value)])));
    }
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let root = xml::parse(text)?;
    let result = match &operation.wrapper {
        Some(wrapper) => root.child(wrapper).unwrap_or(&root),
        None => &root,
    };
    Ok(structure(model, shape, result, 0))
}

/// The error in an answer: `header` is its `x-amzn-errortype`, if it has one.
pub(crate) fn refusal(model: &Model, header: Option<&str>, body: &[u8]) -> Refusal {
    let text = String::from_utf8_lossy(body);
    if matches!(model.protocol, Protocol::Json | Protocol::RestJson) {
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let member = |names: &[&str]| {
            let found = names.iter().find_map(|name| value.get(name)?.as_str());
            found.map(str::to_owned)
        };
        let code = header.map(str::to_owned);
        let code = code.or_else(|| member(&["__type", "code", "Code"]));
        return Refusal {
            code: code.as_deref().map(bare_code).unwrap_or_default(),
            message: member(&["message", "Message", "errorMessage"]).unwrap_or_default(),
        };
    }
    let Ok(root) = xml::parse(&text) else {
        return Refusal::default();
    };
    let error = root.find("Error").unwrap_or(&root);
    let text = |name| error.find(name).map(|found| found.text.trim().to_owned());
    Refusal {
        code: text("Code").unwrap_or_default(),
        message: text("Message").unwrap_or_default(),
    }
}

/// `AccessDeniedException` of `com.amazonaws.kms#AccessDeniedException:http://…`.
fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().unwrap_or_default().to_owned()
}

fn from_json(model: &Model, shape: &str, value: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    match (model.shapes.get(shape), value) {
        (Some(Shape::Structure { .. }), Value::Object(given)) => {
            let mut out = Map::new();
            for (key, member) in model.members(shape) {
                let name = member.name.as_deref().unwrap_or(key);
                if let Some(value) = given.get(name).filter(|value| !value.is_null()) {
                    out.insert(
                        key.clone(),
                        from_json(model, &member.shape, value, depth + 1),
                    );
                }
            }
            Value::Object(out)
        }
        (Some(Shape::List { element, .. }), Value::Array(values)) => values
            .iter()
            .map(|value| from_json(model, &element.shape, value, depth + 1))
            .collect(),
        (Some(Shape::Map { value: of, .. }), Value::Object(entries)) => {
            let entries = entries
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), from_json(model, &of.shape, value, depth + 1)));
            Value::Object(entries.collect())
        }
        (None, Value::Number(seconds)) if shape == "timestamp" => {
            let time = seconds.as_f64().and_then(|seconds| {
                Timestamp::from_microsecond((seconds * 1e6).round() as i64).ok()
            });
            time.map_or_else(|| value.clone(), |time| Value::String(written(time)))
        }
        (None, Value::String(text)) => from_text(shape, text),
        _ => value.clone(),
    }
}

fn structure(model: &Model, shape: &str, element: &Element, depth: usize) -> Value {
    let mut out = Map::new();
    for (key, member) in model.members(shape) {
        if member.location.is_some() {
            continue;
        }
        let mut name = member.name.as_deref().unwrap_or(key);
        if model.is_flattened(member)
            && let Some(Shape::List { element, .. }) = model.shapes.get(&member.shape)
        {
            name = element.name.as_deref().unwrap_or(name);
        }
        let found: Vec<&Element> = element
            .children
            .iter()
            .filter(|child| child.name == name)
            .collect();
        if !found.is_empty() {
            out.insert(key.clone(), from_xml(model, member, &found, depth + 1));
        }
    }
    Value::Object(out)
}

/// The value of a member that stands in these elements: several only where it is flattened.
fn from_xml(model: &Model, member: &Member, found: &[&Element], depth: usize) -> Value {
    let Some(first) = found.first().filter(|_| depth <= DEEPEST) else {
        return Value::Null;
    };
    let flattened = model.is_flattened(member);
    let inner: Vec<&Element> = if flattened {
        found.to_vec()
    } else {
        first.children.iter().collect()
    };
    match model.shapes.get(&member.shape) {
        Some(Shape::Structure { .. }) => structure(model, &member.shape, first, depth),
        Some(Shape::List { element, .. }) => inner
            .iter()
            .map(|child| from_xml(model, element, &[child], depth + 1))
            .collect(),
        Some(Shape::Map { key, value, .. }) => {
            let key = key.name.as_deref().unwrap_or("key");
            let name = value.name.as_deref().unwrap_or("value");
            let entries = inner.iter().filter_map(|entry| {
                let key = entry.child(key)?.text.clone();
                let found = entry.child(name)?;
                Some((key, from_xml(model, value, &[found], depth + 1)))
            });
            Value::Object(entries.collect())
        }
        None => from_text(&member.shape, &first.text),
    }
}

/// A scalar of this type; text where it is not of it.
fn from_text(shape: &str, text: &str) -> Value {
    let value = match shape {
        "boolean" => text.parse().ok().map(Value::Bool),
        "integer" => text
            .parse::<i64>()
            .ok()
            .map(|number| Value::Number(number.into())),
        "float" => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::Number),
        "timestamp" => text.parse().ok().map(|time| Value::String(written(time))),
        "policy" => percent_decode_str(text)
            .decode_utf8()
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok()),
        _ => None,
    };
    value.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// As the command line writes it: `2024-05-01T12:00:00.250000+00:00`.
fn written(time: Timestamp) -> String {
    let whole = time.subsec_microsecond() == 0 && time.subsec_millisecond() == 0;
    let format = if whole {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f+00:00"
    };
    time.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model;

    fn read(service: &str, name: &str, body: &str) -> Value {
        let (model, operation) = model::operation(service, name).unwrap();
        output(model, operation, body.as_bytes()).unwrap()
    }

    #[test]
    fn json_answers_get_the_command_lines_times() {
        let body = r#"{"KeyMetadata": {"KeyId": "k", "CreationDate": 1714564800.25, "Enabled": true, "Unknown": 1, "Description": null}}"#;
        assert_eq!(
            read("kms", "DescribeKey", body),
            json!({"KeyMetadata": {"KeyId": "k", "CreationDate": "2024-05-01T12:00:00.250000+00:00", "Enabled": true}})
        );
    }

    #[test]
    fn query_answers_get_lists_types_and_documents() {
        let body = "<GetAccountAuthorizationDetailsResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">
          <GetAccountAuthorizationDetailsResult><IsTruncated>false</IsTruncated><UserDetailList><member>
          <UserName>a</UserName><CreateDate>2024-05-01T12:00:00Z</CreateDate><GroupList/>
          <UserPolicyList><member><PolicyName>p</PolicyName>
          <PolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</PolicyDocument></member></UserPolicyList>
          <Tags><member><Key>k</Key><Value>true</Value></member></Tags>
          </member></UserDetailList></GetAccountAuthorizationDetailsResult></GetAccountAuthorizationDetailsResponse>";
        assert_eq!(
            read("iam", "GetAccountAuthorizationDetails", body),
            json!({"IsTruncated": false, "UserDetailList": [{
                "UserName": "a", "CreateDate": "2024-05-01T12:00:00+00:00", "GroupList": [],
                "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": []}}],
                "Tags": [{"Key": "k", "Value": "true"}]}]})
        );
    }

    #[test]
    fn ec2_answers_get_the_command_lines_names() {
        let body = "<DescribeInstancesResponse><reservationSet><item><ownerId>111122223333</ownerId><instancesSet><item>
            <instanceId>i-1</instanceId><amiLaunchIndex>0</amiLaunchIndex><tagSet><item><key>k</key><value>1</value></item></tagSet>
            </item></instancesSet></item></reservationSet></DescribeInstancesResponse>";
        assert_eq!(
            read("ec2", "DescribeInstances", body),
            json!({"Reservations": [{"OwnerId": "111122223333", "Instances": [{
                "InstanceId": "i-1", "AmiLaunchIndex": 0, "Tags": [{"Key": "k", "Value": "1"}]}]}]})
        );
    }

    #[test]
    fn rest_answers_may_be_their_payload() {
        assert_eq!(
            read("s3", "GetBucketPolicy", "{\"a\": 1}"),
            json!({"Policy": "{\"a\": 1}"})
        );
        let body = "<DistributionList><Quantity>1</Quantity><IsTruncated>false</IsTruncated><Items><DistributionSummary><Id>E1</Id></DistributionSummary></Items></DistributionList>";
        assert_eq!(
            read("cloudfront", "ListDistributions", body),
            json!({"DistributionList": {"Quantity": 1, "IsTruncated": false, "Items": [{"Id": "E1"}]}})
        );
    }

    #[test]
    fn errors_are_told_by_code() {
        let of = |service: &str, name: &str, header, body: &str| {
            let (model, _) = model::operation(service, name).unwrap();
            refusal(model, header, body.as_bytes())
        };
        let denied = of(
            "kms",
            "ListKeys",
            None,
            r#"{"__type": "com.amazonaws.kms#AccessDeniedException", "Message": "no"}"#,
        );
        assert_eq!(
            (denied.code.as_str(), denied.message.as_str()),
            ("AccessDeniedException", "no")
        );
        let header = Some("ResourceNotFoundException:http://x");
        assert_eq!(
            of("lambda", "GetPolicy", header, "{}").code,
            "ResourceNotFoundException"
        );
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>m</Message></Error></ErrorResponse>";
        assert_eq!(of("iam", "GetRole", None, xml).code, "AccessDenied");
        let xml = "<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>";
        assert_eq!(
            of("ec2", "DescribeInstances", None, xml).code,
            "UnauthorizedOperation"
        );
        assert_eq!(of("s3", "GetBucketPolicy", None, "").code, "");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_stops_it(body in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            for (service, name) in [("kms", "ListKeys"), ("iam", "GetRole"), ("ec2", "DescribeInstances"), ("s3", "ListBuckets")] {
                let (model, operation) = model::operation(service, name).unwrap();
                let _ = (output(model, operation, &body), refusal(model, None, &body));
            }
        }
    }
}
