use serde_json::{Map, Value};

use super::presto;

/// Columns that hold a whole record as text, in lower case without punctuation.
const WHOLE: &[&str] = &[
    "eventjson",
    "cloudtrailevent",
    "raw",
    "message",
    "rawevent",
    "eventoriginal",
    "event",
];

/// Column, in lower case without punctuation, and the field that it is.
const COLUMNS: &[(&str, &str)] = &[
    ("additionaleventdata", "additionalEventData"),
    ("addendum", "addendum"),
    ("apiversion", "apiVersion"),
    ("awsaccesskey", "userIdentity.accessKeyId"),
    ("awsregion", "awsRegion"),
    ("errorcode", "errorCode"),
    ("errormessage", "errorMessage"),
    ("eventcategory", "eventCategory"),
    ("eventid", "eventID"),
    ("eventname", "eventName"),
    ("eventsource", "eventSource"),
    ("eventtime", "eventTime"),
    ("eventtype", "eventType"),
    ("eventversion", "eventVersion"),
    ("insightdetails", "insightDetails"),
    ("managementevent", "managementEvent"),
    ("readonly", "readOnly"),
    ("recipientaccountid", "recipientAccountId"),
    ("region", "awsRegion"),
    ("requestid", "requestID"),
    ("requestparameters", "requestParameters"),
    ("resources", "resources"),
    ("responseelements", "responseElements"),
    ("serviceeventdetails", "serviceEventDetails"),
    (
        "sessioncredentialfromconsole",
        "sessionCredentialFromConsole",
    ),
    ("sharedeventid", "sharedEventID"),
    ("sourceip", "sourceIPAddress"),
    ("sourceipaddress", "sourceIPAddress"),
    ("tlsdetails", "tlsDetails"),
    ("useragent", "userAgent"),
    ("useridentity", "userIdentity"),
    ("useridentityaccesskeyid", "userIdentity.accessKeyId"),
    ("useridentityaccountid", "userIdentity.accountId"),
    ("useridentityarn", "userIdentity.arn"),
    ("useridentitycredentialid", "userIdentity.credentialId"),
    (
        "useridentityidentityprovider",
        "userIdentity.identityProvider",
    ),
    ("useridentityinvokedby", "userIdentity.invokedBy"),
    (
        "useridentityonbehalfofuserid",
        "userIdentity.onBehalfOf.userId",
    ),
    ("useridentityprincipalid", "userIdentity.principalId"),
    (
        "useridentitysessioncontextattributescreationdate",
        "userIdentity.sessionContext.attributes.creationDate",
    ),
    (
        "useridentitysessioncontextattributesmfaauthenticated",
        "userIdentity.sessionContext.attributes.mfaAuthenticated",
    ),
    (
        "useridentitysessioncontextsessionissueraccountid",
        "userIdentity.sessionContext.sessionIssuer.accountId",
    ),
    (
        "useridentitysessioncontextsessionissuerarn",
        "userIdentity.sessionContext.sessionIssuer.arn",
    ),
    (
        "useridentitysessioncontextsessionissuertype",
        "userIdentity.sessionContext.sessionIssuer.type",
    ),
    (
        "useridentitysessioncontextsessionissuerusername",
        "userIdentity.sessionContext.sessionIssuer.userName",
    ),
    (
        "useridentitysessioncontextsourceidentity",
        "userIdentity.sessionContext.sourceIdentity",
    ),
    ("useridentitytype", "userIdentity.type"),
    ("useridentityusername", "userIdentity.userName"),
    ("username", "userIdentity.userName"),
    ("vpcendpointaccountid", "vpcEndpointAccountId"),
    ("vpcendpointid", "vpcEndpointId"),
];

/// Names inside CloudTrail's own structures as CloudTrail writes them; tables have them in lower
/// case.
const NAMES: &[&str] = &[
    "accessKeyId",
    "accountId",
    "attributes",
    "cipherSuite",
    "clientProvidedHostHeader",
    "creationDate",
    "credentialId",
    "ec2RoleDelivery",
    "federatedProvider",
    "identityProvider",
    "identityStoreArn",
    "inScopeOf",
    "invokedBy",
    "issuerType",
    "mfaAuthenticated",
    "onBehalfOf",
    "principalId",
    "sessionContext",
    "sessionIssuer",
    "sourceIdentity",
    "tlsVersion",
    "userId",
    "userName",
    "webIdFederationData",
];

/// A column's name in lower case, without punctuation: `userIdentity.type`, `user_identity_type`
/// and `useridentitytype` are one.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Whether a column may hold a whole record.
pub(super) fn holds_record(column: &str) -> bool {
    WHOLE.contains(&plain(column).as_str())
}

/// How many of a table's columns are CloudTrail's, and whether the name of the call is among them.
pub(super) fn known_columns<'a>(columns: impl Iterator<Item = &'a str>) -> (usize, bool) {
    let mut known = 0;
    let mut named = false;
    for column in columns {
        let plain = plain(column);
        named |= plain == "eventname";
        known += usize::from(COLUMNS.iter().any(|(column, _)| *column == plain));
    }
    (known, named)
}

/// A row as CloudTrail writes the record; `None` where it does not name a call.
pub(super) fn canonical(row: Map<String, Value>) -> Option<Vec<u8>> {
    let mut record = Map::new();
    for (name, value) in row {
        let plain = plain(&name);
        let Some((_, path)) = COLUMNS.iter().find(|(column, _)| *column == plain) else {
            continue;
        };
        let Some(value) = cell(path, value) else {
            continue;
        };
        insert(&mut record, path, value);
    }
    record.get("eventName")?.as_str()?;
    serde_json::to_vec(&Value::Object(record)).ok()
}

/// The value of a cell; `None` where it is empty.
fn cell(path: &str, value: Value) -> Option<Value> {
    let structured = matches!(
        path,
        "userIdentity"
            | "requestParameters"
            | "responseElements"
            | "additionalEventData"
            | "serviceEventDetails"
            | "resources"
            | "tlsDetails"
            | "insightDetails"
            | "addendum"
    );
    let value = match value {
        Value::Null => return None,
        Value::String(text) => match text.trim() {
            "" | "null" | "NULL" | "-" => return None,
            text if structured => serde_json::from_str(text)
                .ok()
                .or_else(|| presto::parse(text))?,
            text => match path {
                "readOnly" | "managementEvent" => match text {
                    _ if text.eq_ignore_ascii_case("true") => Value::Bool(true),
                    _ if text.eq_ignore_ascii_case("false") => Value::Bool(false),
                    _ => return None,
                },
                _ => Value::String(text.to_owned()),
            },
        },
        other => other,
    };
    Some(match path {
        "userIdentity" | "tlsDetails" => restore(value, false),
        "resources" => restore(value, true),
        _ => value,
    })
}

/// Gives the names in a structure their capitals back. Its depth is bounded by the parsers that
/// made it.
fn restore(value: Value, resources: bool) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let name = match name.as_str() {
                        "arn" if resources => "ARN".to_owned(),
                        "arnprefix" if resources => "ARNPrefix".to_owned(),
                        _ => NAMES
                            .iter()
                            .find(|proper| proper.eq_ignore_ascii_case(&name))
                            .map_or(name, |proper| (*proper).to_owned()),
                    };
                    (name, restore(value, resources))
                })
                .collect(),
        ),
        Value::Array(elements) => Value::Array(
            elements
                .into_iter()
                .map(|element| restore(element, resources))
                .collect(),
        ),
        other => other,
    }
}

/// Puts a value at a dotted path; what is there already stays.
fn insert(record: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => match record.get_mut(path) {
            // A structure and columns of its parts may both be there, in either order.
            Some(Value::Object(there)) => {
                if let Value::Object(more) = value {
                    for (name, value) in more {
                        there.entry(name).or_insert(value);
                    }
                }
            }
            Some(_) => {}
            None => {
                record.insert(path.to_owned(), value);
            }
        },
        Some((first, rest)) => {
            let inner = record
                .entry(first)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Value {
        let row = serde_json::from_str(json).unwrap();
        serde_json::from_slice(&canonical(row).unwrap()).unwrap()
    }

    #[test]
    fn athena_columns_become_fields() {
        let record = row(
            r#"{"eventname":"GetObject","eventsource":"s3.amazonaws.com","readonly":"true",
                "useridentity":"{type=AssumedRole, principalid=AROA:bob, accesskeyid=ASIAX, sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-03-03T07:01:12Z}, sessionissuer={type=Role, arn=arn:aws:iam::111122223333:role/x}}}",
                "requestparameters":"{\"bucketName\":\"b\",\"key\":\"k\"}",
                "resources":"[{arn=arn:aws:s3:::b/k, accountid=null, type=AWS::S3::Object}]",
                "errorcode":"","unknown_column":"x"}"#,
        );
        assert_eq!(record["readOnly"], true);
        assert_eq!(record["userIdentity"]["accessKeyId"], "ASIAX");
        let context = &record["userIdentity"]["sessionContext"];
        assert_eq!(context["attributes"]["mfaAuthenticated"], "false");
        assert_eq!(
            context["sessionIssuer"]["arn"],
            "arn:aws:iam::111122223333:role/x"
        );
        assert_eq!(record["requestParameters"]["bucketName"], "b");
        assert_eq!(record["resources"][0]["ARN"], "arn:aws:s3:::b/k");
        assert!(record.get("errorCode").is_none());
    }

    #[test]
    fn flattened_columns_become_a_structure() {
        let record = row(
            r#"{"Event name":"ListUsers","useridentity.type":"IAMUser","useridentity_arn":"a",
                "User name":"bob","AWS access key":"AKIAX"}"#,
        );
        assert_eq!(record["userIdentity"]["type"], "IAMUser");
        assert_eq!(record["userIdentity"]["arn"], "a");
        assert_eq!(record["userIdentity"]["userName"], "bob");
        assert_eq!(record["userIdentity"]["accessKeyId"], "AKIAX");
    }

    #[test]
    fn rows_without_a_call_are_none() {
        assert_eq!(
            canonical(serde_json::from_str(r#"{"user":"bob"}"#).unwrap()),
            None
        );
    }
}
