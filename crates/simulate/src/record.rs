use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A CloudTrail record, its fields in the order in which CloudTrail writes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record<'a> {
    pub(crate) event_version: &'a str,
    pub(crate) user_identity: &'a RawValue,
    pub(crate) event_time: &'a str,
    pub(crate) event_source: &'a str,
    pub(crate) event_name: &'a str,
    pub(crate) aws_region: &'a str,
    #[serde(rename = "sourceIPAddress")]
    pub(crate) source_ip_address: &'a str,
    pub(crate) user_agent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_message: Option<&'a str>,
    pub(crate) request_parameters: &'a Value,
    pub(crate) response_elements: &'a Value,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) additional_event_data: &'a Value,
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<&'a str>,
    #[serde(rename = "eventID")]
    pub(crate) event_id: &'a str,
    pub(crate) read_only: bool,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) resources: &'a Value,
    pub(crate) event_type: &'a str,
    pub(crate) management_event: bool,
    pub(crate) recipient_account_id: &'a str,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) service_event_details: &'a Value,
    pub(crate) event_category: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls_details: Option<TlsDetails<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session_credential_from_console: Option<&'a str>,
}

/// How the connection was secured.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsDetails<'a> {
    pub(crate) tls_version: &'a str,
    pub(crate) cipher_suite: &'a str,
    pub(crate) client_provided_host_header: &'a str,
}
