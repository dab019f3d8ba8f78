//! Requests as the protocols write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::model::{Location, Member, Model, Operation, Protocol, Shape};

/// What may stand unescaped (RFC 3986, section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A request before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path, and the query if there is one.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Why an input cannot be written: it is the caller's mistake, never the service's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{operation}: {reason}")]
pub(crate) struct RequestError {
    operation: String,
    reason: String,
}

/// Writes the request of an operation.
pub(crate) fn request(
    model: &Model,
    name: &str,
    operation: &Operation,
    input: &Value,
) -> Result<Request, RequestError> {
    let refuse = |reason: String| RequestError {
        operation: name.to_owned(),
        reason,
    };
    let empty = Map::new();
    let given = input.as_object().unwrap_or(&empty);
    let shape = operation.input.as_deref().unwrap_or_default();
    for key in given.keys() {
        if !model.members(shape).any(|(member, _)| member == key) {
            return Err(refuse(format!("has no parameter `{key}`")));
        }
    }
    let mut request = Request {
        method: operation.method.clone(),
        target: operation.uri.clone(),
        headers: Vec::new(),
        body: String::new(),
    };
    match model.protocol {
        Protocol::Json => {
            let target = format!("{}.{name}", model.target);
            request.headers.push(("x-amz-target".into(), target));
            let kind = format!("application/x-amz-json-{}", model.json);
            request.headers.push(("content-type".into(), kind));
            request.body = Value::Object(given.clone()).to_string();
        }
        Protocol::Query | Protocol::Ec2 => {
            let mut pairs = vec![
                ("Action".to_owned(), name.to_owned()),
                ("Version".to_owned(), model.version.clone()),
            ];
            structure(model, shape, given, "", &mut pairs);
            let pairs = pairs.iter().map(|(key, value)| pair(key, value));
            request.body = pairs.collect::<Vec<_>>().join("&");
            let kind = "application/x-www-form-urlencoded; charset=utf-8";
            request.headers.push(("content-type".into(), kind.into()));
        }
        Protocol::RestJson | Protocol::RestXml => {
            rest(model, operation, shape, given, &mut request).map_err(refuse)?;
        }
    }
    if operation.checksum {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
        let sum = STANDARD.encode(Sha256::digest(request.body.as_bytes()));
        request.headers.push(("x-amz-checksum-sha256".into(), sum));
        let name = "x-amz-sdk-checksum-algorithm";
        request.headers.push((name.into(), "SHA256".into()));
    }
    Ok(request)
}

pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn pair(key: &str, value: &str) -> String {
    format!("{}={}", escape(key), escape(value))
}

/// A scalar as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Pairs of the query protocols
/// (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>, and `aws-ec2-query-protocol`).
fn structure(
    model: &Model,
    shape: &str,
    given: &Map<String, Value>,
    prefix: &str,
    pairs: &mut Vec<(String, String)>,
) {
    for (key, member) in model.members(shape) {
        let Some(value) = given.get(key) else {
            continue;
        };
        let name = query_name(model, key, member);
        let path = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        };
        parameter(model, member, value, &path, pairs);
    }
}

fn query_name(model: &Model, key: &str, member: &Member) -> String {
    if model.protocol != Protocol::Ec2 {
        return member.name.clone().unwrap_or_else(|| key.to_owned());
    }
    let written = member.query.clone().or_else(|| {
        let name = member.name.as_deref()?;
        let first = name.get(..1)?.to_uppercase();
        Some(first + name.get(1..)?)
    });
    written.unwrap_or_else(|| key.to_owned())
}

fn parameter(
    model: &Model,
    member: &Member,
    value: &Value,
    path: &str,
    pairs: &mut Vec<(String, String)>,
) {
    match (model.shapes.get(&member.shape), value) {
        (Some(Shape::Structure { .. }), Value::Object(inner)) => {
            structure(model, &member.shape, inner, path, pairs);
        }
        (Some(Shape::List { element, .. }), Value::Array(values)) => {
            let flat = model.protocol == Protocol::Ec2 || model.is_flattened(member);
            let between = if flat {
                String::new()
            } else {
                format!(".{}", element.name.as_deref().unwrap_or("member"))
            };
            for (index, value) in values.iter().enumerate() {
                let path = format!("{path}{between}.{}", index + 1);
                parameter(model, element, value, &path, pairs);
            }
        }
        (Some(Shape::Map { key, value: of, .. }), Value::Object(entries)) => {
            let between = if model.is_flattened(member) {
                ""
            } else {
                ".entry"
            };
            for (index, (name, value)) in entries.iter().enumerate() {
                let path = format!("{path}{between}.{}", index + 1);
                let key = key.name.as_deref().unwrap_or("key");
                pairs.push((format!("{path}.{key}"), name.clone()));
                let at = of.name.as_deref().unwrap_or("value");
                parameter(model, of, value, &format!("{path}.{at}"), pairs);
            }
        }
        _ => pairs.extend(scalar(value).map(|text| (path.to_owned(), text))),
    }
}

/// Path, query, headers and body of the REST protocols
/// (<https://smithy.io/2.0/spec/http-bindings.html>).
fn rest(
    model: &Model,
    operation: &Operation,
    shape: &str,
    given: &Map<String, Value>,
    request: &mut Request,
) -> Result<(), String> {
    let mut query = Vec::new();
    let mut body = Map::new();
    for (key, member) in model.members(shape) {
        let name = member.name.as_deref().unwrap_or(key);
        let place = format!("{{{name}}}");
        let Some(value) = given.get(key) else {
            if member.location == Some(Location::Uri) {
                return Err(format!("needs the parameter `{key}`"));
            }
            continue;
        };
        match member.location {
            Some(Location::Uri) => {
                let text = scalar(value).filter(|text| !text.is_empty());
                let text = text.ok_or_else(|| format!("needs text as `{key}`"))?;
                request.target = request.target.replace(&place, &escape(&text));
            }
            Some(Location::QueryString) => {
                query.extend(scalar(value).map(|text| pair(name, &text)));
            }
            Some(Location::Header | Location::Headers) => {
                let text = scalar(value);
                request
                    .headers
                    .extend(text.map(|text| (name.to_lowercase(), text)));
            }
            Some(Location::StatusCode) => {}
            None => {
                body.insert(key.clone(), value.clone());
            }
        }
    }
    if !query.is_empty() {
        let joint = if request.target.contains('?') {
            '&'
        } else {
            '?'
        };
        request.target.push(joint);
        request.target.push_str(&query.join("&"));
    }
    if model.protocol == Protocol::RestJson {
        if !body.is_empty() {
            let kind = "application/json".to_owned();
            request.headers.push(("content-type".to_owned(), kind));
            request.body = Value::Object(body).to_string();
        }
        return Ok(());
    }
    let Some((name, payload)) = model.payload(shape) else {
        return match body.keys().next() {
            None => Ok(()),
            Some(key) => Err(format!("`{key}` has no place in the request")),
        };
    };
    match body.get(name) {
        Some(Value::String(text)) => request.body.clone_from(text),
        Some(value) => {
            let root = payload.name.as_deref().unwrap_or(name);
            element(model, payload, root, value, &mut request.body);
            let kind = "application/xml".to_owned();
            request.headers.push(("content-type".to_owned(), kind));
        }
        None if operation.method == "GET" => {}
        None => return Err(format!("needs the parameter `{name}`")),
    }
    Ok(())
}

/// One XML element and what is in it.
fn element(model: &Model, member: &Member, name: &str, value: &Value, out: &mut String) {
    if let (Some(Shape::List { element: of, .. }), Value::Array(values)) =
        (model.shapes.get(&member.shape), value)
        && model.is_flattened(member)
    {
        for value in values {
            element(model, of, name, value, out);
        }
        return;
    }
    out.push_str(&format!("<{name}>"));
    match (model.shapes.get(&member.shape), value) {
        (Some(Shape::Structure { .. }), Value::Object(inner)) => {
            for (key, member) in model.members(&member.shape) {
                if let Some(value) = inner.get(key) {
                    let name = member.name.as_deref().unwrap_or(key);
                    element(model, member, name, value, out);
                }
            }
        }
        (Some(Shape::List { element: of, .. }), Value::Array(values)) => {
            let name = of.name.as_deref().unwrap_or("member");
            for value in values {
                element(model, of, name, value, out);
            }
        }
        _ => {
            let text = scalar(value).unwrap_or_default();
            out.push_str(&quick_xml::escape::escape(text.as_str()));
        }
    }
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model;

    fn write(service: &str, name: &str, input: Value) -> Result<Request, RequestError> {
        let (model, operation) = model::operation(service, name).unwrap();
        request(model, name, operation, &input)
    }

    #[test]
    fn the_json_protocol_names_its_target() {
        let request = write("kms", "DescribeKey", json!({"KeyId": "k"})).unwrap();
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            ("POST", "/")
        );
        assert_eq!(request.body, r#"{"KeyId":"k"}"#);
        assert!(
            request
                .headers
                .contains(&("x-amz-target".into(), "TrentService.DescribeKey".into()))
        );
        assert!(
            request
                .headers
                .contains(&("content-type".into(), "application/x-amz-json-1.1".into()))
        );
    }

    #[test]
    fn the_query_protocols_number_their_lists() {
        let input = json!({"Filter": ["User", "LocalManagedPolicy"], "Marker": "a b"});
        let iam = write("iam", "GetAccountAuthorizationDetails", input).unwrap();
        assert_eq!(
            iam.body,
            "Action=GetAccountAuthorizationDetails&Version=2010-05-08&Filter.member.1=User\
             &Filter.member.2=LocalManagedPolicy&Marker=a%20b"
        );
        let input = json!({"Versions": ["$Default"], "MaxResults": 200});
        let ec2 = write("ec2", "DescribeLaunchTemplateVersions", input).unwrap();
        assert_eq!(
            ec2.body,
            "Action=DescribeLaunchTemplateVersions&Version=2016-11-15&MaxResults=200\
             &LaunchTemplateVersion.1=%24Default"
        );
    }

    #[test]
    fn the_rest_protocols_use_path_query_and_body() {
        let input = json!({"FunctionName": "a/b", "Qualifier": "1"});
        let policy = write("lambda", "GetPolicy", input).unwrap();
        assert_eq!(policy.method, "GET");
        assert_eq!(
            policy.target,
            "/2015-03-31/functions/a%2Fb/policy?Qualifier=1"
        );
        let input =
            json!({"Bucket": "b", "PublicAccessBlockConfiguration": {"BlockPublicAcls": true}});
        let block = write("s3", "PutPublicAccessBlock", input).unwrap();
        assert_eq!(block.target, "/b?publicAccessBlock");
        assert_eq!(
            block.body,
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
        );
        assert!(
            block
                .headers
                .iter()
                .any(|(name, _)| name == "x-amz-checksum-sha256")
        );
        let input = json!({"Bucket": "b", "Policy": "{}"});
        assert_eq!(write("s3", "PutBucketPolicy", input).unwrap().body, "{}");
    }

    #[test]
    fn what_has_no_place_is_refused() {
        assert!(write("kms", "DescribeKey", json!({"Key": "k"})).is_err());
        assert!(write("lambda", "GetPolicy", json!({})).is_err());
        assert!(write("lambda", "GetPolicy", json!({"FunctionName": ""})).is_err());
    }
}
