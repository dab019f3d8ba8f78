use portreeve_record::{FieldId, Fields, Record, Value};

/// Declares the fields that activities are made of, each with its path.
macro_rules! wanted {
    ($($name:ident: $path:literal,)*) => {
        /// The fields that activities are made of, interned.
        #[derive(Debug)]
        pub(super) struct Wanted {
            $(pub(super) $name: FieldId,)*
        }

        impl Wanted {
            pub(super) fn new(fields: &mut Fields) -> Self {
                Self { $($name: fields.intern($path),)* }
            }
        }
    };
}

wanted! {
    event_source: "eventSource",
    event_name: "eventName",
    event_time: "eventTime",
    event_id: "eventID",
    request_id: "requestID",
    host_id: "additionalEventData.x-amz-id-2",
    event_type: "eventType",
    event_category: "eventCategory",
    management_event: "managementEvent",
    read_only: "readOnly",
    region: "awsRegion",
    recipient: "recipientAccountId",
    error_code: "errorCode",
    error_message: "errorMessage",
    address: "sourceIPAddress",
    user_agent: "userAgent",
    vpc_endpoint: "vpcEndpointId",
    from_console: "sessionCredentialFromConsole",
    insight_source: "insightDetails.eventSource",
    mfa_used: "additionalEventData.MFAUsed",
    switched_from: "additionalEventData.SwitchFrom",

    identity_type: "userIdentity.type",
    identity_arn: "userIdentity.arn",
    identity_principal: "userIdentity.principalId",
    identity_account: "userIdentity.accountId",
    identity_key: "userIdentity.accessKeyId",
    identity_user: "userIdentity.userName",
    identity_invoked_by: "userIdentity.invokedBy",
    identity_provider: "userIdentity.identityProvider",
    identity_credential: "userIdentity.credentialId",
    on_behalf_of: "userIdentity.onBehalfOf.userId",
    issuer_arn: "userIdentity.sessionContext.sessionIssuer.arn",
    issuer_account: "userIdentity.sessionContext.sessionIssuer.accountId",
    session_created: "userIdentity.sessionContext.attributes.creationDate",
    session_mfa: "userIdentity.sessionContext.attributes.mfaAuthenticated",
    session_source_identity: "userIdentity.sessionContext.sourceIdentity",
    session_provider: "userIdentity.sessionContext.webIdFederationData.federatedProvider",
    session_delivery: "userIdentity.sessionContext.ec2RoleDelivery",
    portal_account: "serviceEventDetails.account_id",
    portal_role: "serviceEventDetails.role_name",

    asked_role: "requestParameters.roleArn",
    asked_session: "requestParameters.roleSessionName",
    asked_name: "requestParameters.name",
    asked_user: "requestParameters.userName",
    asked_key: "requestParameters.accessKeyId",
    asked_status: "requestParameters.status",
    asked_role_name: "requestParameters.roleName",
    asked_policy: "requestParameters.policyDocument",
    asked_root: "requestParameters.targetPrincipal",
    asked_log_stream: "requestParameters.logStreamName",
    saml_provider: "requestParameters.principalArn",
    bucket: "requestParameters.bucketName",
    object: "requestParameters.key",
    resource_arn: "resources.ARN",
    resource_arn_lower: "resources.arn",

    login: "responseElements.ConsoleLogin",
    switched: "responseElements.SwitchRole",
    signin_token: "responseElements.GetSigninToken",
    minted_key: "responseElements.credentials.accessKeyId",
    minted_expiration: "responseElements.credentials.expiration",
    minted_token: "responseElements.credentials.sessionToken",
    assumed_arn: "responseElements.assumedRoleUser.arn",
    created_key: "responseElements.accessKey.accessKeyId",
    created_key_user: "responseElements.accessKey.userName",
    login_user: "responseElements.loginProfile.userName",
}

/// The first string of a field that is not empty.
pub(super) fn text(record: &dyn Record, field: FieldId) -> Option<&str> {
    record
        .values(field)
        .iter()
        .filter_map(Value::as_str)
        .find(|text| !text.is_empty())
}

/// A field that is true or false, written as such or as text.
pub(super) fn truth(record: &dyn Record, field: FieldId) -> Option<bool> {
    record.values(field).iter().find_map(|value| match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// The few fields by which a native record is told.
#[derive(Debug)]
pub(super) struct Native {
    raw: FieldId,
    event_name: FieldId,
    event_source: FieldId,
    event_version: FieldId,
    event_type: FieldId,
    event_time: FieldId,
    event_id: FieldId,
    region: FieldId,
    identity_type: FieldId,
}

impl Native {
    pub(super) fn new(fields: &mut Fields) -> Self {
        Self {
            raw: fields.intern("_raw"),
            event_name: fields.intern("eventName"),
            event_source: fields.intern("eventSource"),
            event_version: fields.intern("eventVersion"),
            event_type: fields.intern("eventType"),
            event_time: fields.intern("eventTime"),
            event_id: fields.intern("eventID"),
            region: fields.intern("awsRegion"),
            identity_type: fields.intern("userIdentity.type"),
        }
    }

    /// The fields that tell.
    pub(super) fn fields(&self) -> Vec<FieldId> {
        vec![
            self.raw,
            self.event_name,
            self.event_source,
            self.event_version,
            self.event_type,
            self.event_time,
            self.event_id,
            self.region,
            self.identity_type,
        ]
    }

    /// Whether a record is CloudTrail's own, with nothing around it.
    pub(super) fn holds(&self, record: &dyn Record) -> bool {
        let has = |field| !record.values(field).is_empty();
        // A wrapper may repeat fields of the record that it holds whole in `_raw`.
        if has(self.raw) {
            return false;
        }
        if text(record, self.event_type) == Some(INSIGHT) {
            return true;
        }
        // Notifications of S3, SQS and DynamoDB streams have the same names: `aws:s3`.
        if text(record, self.event_source).is_some_and(|source| source.starts_with("aws:")) {
            return false;
        }
        text(record, self.event_name).is_some()
            && (has(self.event_source)
                || has(self.event_version)
                || has(self.identity_type)
                || has(self.event_id)
                || has(self.region) && has(self.event_time))
    }
}

impl Wanted {
    /// Whether a record is about unusual rates of calls, and what was called. An insight is about calls,
    /// and is none: it must not count as one.
    pub(super) fn operation<'a>(&self, record: &'a dyn Record) -> (bool, &'a str) {
        if text(record, self.event_type) == Some(INSIGHT) {
            return (true, INSIGHT);
        }
        (false, text(record, self.event_name).unwrap_or_default())
    }

    /// What [`identity::read`](super::identity::read) and [`Wanted::operation`] ask for, and the event's
    /// id.
    pub(super) fn of_identity(&self) -> Vec<FieldId> {
        vec![
            self.event_id,
            self.event_type,
            self.event_name,
            self.address,
            self.from_console,
            self.identity_account,
            self.identity_arn,
            self.identity_credential,
            self.identity_invoked_by,
            self.identity_key,
            self.identity_principal,
            self.identity_provider,
            self.identity_type,
            self.identity_user,
            self.issuer_account,
            self.issuer_arn,
            self.mfa_used,
            self.on_behalf_of,
            self.region,
            self.saml_provider,
            self.session_created,
            self.session_delivery,
            self.session_mfa,
            self.session_provider,
            self.session_source_identity,
            self.switched_from,
        ]
    }
}

/// The `eventType` of a record that is about unusual rates of calls, and is no call.
pub(super) const INSIGHT: &str = "AwsCloudTrailInsight";
