use serde_json::{Value, json};

use crate::organisation::{Account, GLOBAL_REGION, HOME_REGION, Role, WEB};
use crate::session::Identity;

/// One call to the provider, before anyone makes it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) region: &'static str,
    pub(crate) request: Value,
    pub(crate) response: Value,
    pub(crate) additional: Value,
    pub(crate) resources: Value,
    pub(crate) details: Value,
    pub(crate) error: Option<(String, String)>,
    pub(crate) event_type: &'static str,
}

impl Call {
    /// A call by service and operation, as `ec2:DescribeInstances`, with the parameters that such
    /// a call usually has.
    pub(crate) fn named(name: &str) -> Self {
        let (service, operation) = name.split_once(':').unwrap_or((name, ""));
        let global = matches!(service, "iam" | "cloudfront" | "organizations" | "route53");
        Self {
            service: service.to_owned(),
            operation: operation.to_owned(),
            region: if global { GLOBAL_REGION } else { HOME_REGION },
            request: usual_request(service, operation),
            response: Value::Null,
            additional: Value::Null,
            resources: Value::Null,
            details: Value::Null,
            error: None,
            event_type: "AwsApiCall",
        }
    }

    pub(crate) fn request(mut self, request: Value) -> Self {
        self.request = request;
        self
    }

    pub(crate) fn response(mut self, response: Value) -> Self {
        self.response = response;
        self
    }

    pub(crate) fn additional(mut self, additional: Value) -> Self {
        self.additional = additional;
        self
    }

    pub(crate) fn resources(mut self, resources: Value) -> Self {
        self.resources = resources;
        self
    }

    pub(crate) fn region(mut self, region: &'static str) -> Self {
        self.region = region;
        self
    }

    /// The call on resources of another account than the production one.
    pub(crate) fn in_account(mut self, account: Account) -> Self {
        for resource in self.resources.as_array_mut().into_iter().flatten() {
            if resource.get("accountId").is_some() {
                resource["accountId"] = account.id.into();
            }
        }
        self
    }

    /// An event of a service rather than a call of its API.
    pub(crate) fn service_event(mut self, details: Value) -> Self {
        self.event_type = "AwsServiceEvent";
        self.details = details;
        self
    }

    pub(crate) fn failed(mut self, code: &str, message: &str) -> Self {
        self.error = Some((code.to_owned(), message.to_owned()));
        self.response = Value::Null;
        self
    }

    /// The call refused for want of a permission.
    pub(crate) fn denied(self, identity: &Identity) -> Self {
        let action = self.action();
        self.refused(
            identity,
            &format!("because no identity-based policy allows the {action} action"),
        )
    }

    /// The call refused by a statement that says so.
    pub(crate) fn forbidden(self, identity: &Identity) -> Self {
        self.refused(
            identity,
            "with an explicit deny in an identity-based policy",
        )
    }

    fn refused(self, identity: &Identity, why: &str) -> Self {
        if self.service == "ec2" {
            let message = "You are not authorized to perform this operation.";
            return self.failed("Client.UnauthorizedOperation", message);
        }
        let on = self
            .resources
            .pointer("/0/ARN")
            .and_then(Value::as_str)
            .unwrap_or("*");
        let message = format!(
            "User: {} is not authorized to perform: {} on resource: {on} {why}",
            identity.arn,
            self.action(),
        );
        self.failed("AccessDenied", &message)
    }

    /// The action that a policy would name.
    fn action(&self) -> String {
        let dated = |last: char| last.is_ascii_digit() || last == '_';
        format!(
            "{}:{}",
            self.service,
            self.operation.trim_end_matches(dated)
        )
    }

    /// A call on a bucket as a whole.
    pub(crate) fn bucket(name: &str, bucket: &str) -> Self {
        let call = Self::named(name);
        let parameter = match call.operation.as_str() {
            "GetBucketPolicy" => "policy",
            "GetBucketVersioning" => "versioning",
            "GetBucketWebsite" => "website",
            "GetBucketAcl" => "acl",
            "GetBucketLocation" => "location",
            "GetBucketTagging" => "tagging",
            "GetBucketEncryption" => "encryption",
            "GetBucketPublicAccessBlock" => "publicAccessBlock",
            "GetBucketLogging" => "logging",
            _ => "list-type",
        };
        let host = format!("{bucket}.s3.{HOME_REGION}.amazonaws.com");
        call.request(json!({"bucketName": bucket, "Host": host, parameter: ""}))
            .additional(transfer(0, 320))
            .resources(json!([{"accountId": WEB.id, "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}")}]))
    }

    /// A call on an object: a record of the data plane.
    pub(crate) fn object(name: &str, bucket: &str, key: &str, bytes: i64) -> Self {
        let call = Self::named(name);
        let writes = call.operation.starts_with("Put");
        let host = format!("{bucket}.s3.{HOME_REGION}.amazonaws.com");
        let call = call
            .request(json!({"bucketName": bucket, "Host": host, "key": key}))
            .additional(if writes { transfer(bytes, 0) } else { transfer(0, bytes) })
            .resources(json!([
                {"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}")},
                {"accountId": WEB.id, "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}")},
            ]));
        if writes {
            call.response(json!({"x-amz-server-side-encryption": "AES256"}))
        } else {
            call
        }
    }

    /// The reading of a secret's value. CloudTrail shows which, never what.
    pub(crate) fn secret(arn: &str) -> Self {
        Self::named("secretsmanager:GetSecretValue").request(json!({"secretId": arn}))
    }

    /// A call on an image repository.
    pub(crate) fn repository(name: &str, account: &str, repository: &str, request: Value) -> Self {
        let arn = format!("arn:aws:ecr:{HOME_REGION}:{account}:repository/{repository}");
        let mut request = request;
        request["repositoryName"] = repository.into();
        request["registryId"] = account.into();
        Self::named(name)
            .request(request)
            .resources(json!([{"accountId": account, "ARN": arn}]))
    }

    /// The putting of an image under a tag.
    pub(crate) fn put_image(
        account: &str,
        repository: &str,
        tag: &str,
        digest: &str,
        layers: &[String],
    ) -> Self {
        let media = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023, "digest": format!("sha256:{}", layers.first().map_or("", String::as_str))},
            "layers": layers.iter().map(|layer| json!({
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": 2_811_478,
                "digest": format!("sha256:{layer}"),
            })).collect::<Vec<_>>(),
        })
        .to_string();
        let request =
            json!({"imageTag": tag, "imageManifest": manifest, "imageManifestMediaType": media});
        Self::repository("ecr:PutImage", account, repository, request).response(json!({
            "image": {
                "repositoryName": repository, "registryId": account,
                "imageId": {"imageDigest": format!("sha256:{digest}"), "imageTag": tag},
                "imageManifestMediaType": media,
            },
        }))
    }

    /// The minting of a role session: request and response, with the key that comes back.
    pub(crate) fn assume_role(
        name: &str,
        role: &Role,
        session: &str,
        minted: &Minted<'_>,
        request: Value,
    ) -> Self {
        let mut parameters = json!({"roleArn": role.arn, "roleSessionName": session});
        if let (Some(parameters), Some(more)) = (parameters.as_object_mut(), request.as_object()) {
            parameters.extend(more.clone());
        }
        Self::named(name)
            .request(parameters)
            .response(json!({
                "credentials": minted.credentials(),
                "assumedRoleUser": {
                    "assumedRoleId": format!("{}:{session}", role.id),
                    "arn": format!("arn:aws:sts::{}:assumed-role/{}/{session}", role.account.id, role.name),
                },
            }))
            .resources(json!([{"accountId": role.account.id, "type": "AWS::IAM::Role", "ARN": role.arn}]))
    }

    /// Whether the call only reads, as CloudTrail says it.
    pub(crate) fn reads(&self) -> bool {
        const READS: [&str; 10] = [
            "Get",
            "List",
            "Describe",
            "Head",
            "BatchGet",
            "BatchCheck",
            "Lookup",
            "Assume",
            "Simulate",
            "Decrypt",
        ];
        let name = self.operation.as_str();
        (READS.iter().any(|start| name.starts_with(start))
            || matches!(name, "GenerateDataKey" | "Sign" | "Search"))
            && !matches!(name, "GetFederationToken" | "GetSigninToken")
    }

    /// Whether it is a record of the data plane.
    pub(crate) fn is_data(&self) -> bool {
        matches!(
            (self.service.as_str(), self.operation.as_str()),
            (
                "s3",
                "GetObject" | "PutObject" | "HeadObject" | "DeleteObject" | "CopyObject"
            ) | ("lambda", "Invoke")
        )
    }
}

/// The credential that a call to STS gives.
pub(crate) struct Minted<'a> {
    pub(crate) key: &'a str,
    pub(crate) token: &'a str,
    pub(crate) expires: i64,
}

impl Minted<'_> {
    /// As a response shows it.
    pub(crate) fn credentials(&self) -> Value {
        json!({
            "accessKeyId": self.key, "sessionToken": self.token,
            "expiration": crate::time::spoken(self.expires),
        })
    }
}

/// What S3 says of a transfer. The request's own id is added when the call is made.
fn transfer(bytes_in: i64, bytes_out: i64) -> Value {
    json!({
        "SignatureVersion": "SigV4", "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": bytes_in, "AuthenticationMethod": "AuthHeader",
        "bytesTransferredOut": bytes_out,
    })
}

/// The parameters of calls that name nothing in particular.
fn usual_request(service: &str, operation: &str) -> Value {
    match (service, operation) {
        ("ec2", "DescribeInstances") => {
            json!({"maxResults": 1000, "instancesSet": {}, "filterSet": {}})
        }
        ("ec2", _) => json!({"maxResults": 500, "filterSet": {}}),
        ("iam", "ListUsers" | "ListRoles" | "ListGroups") => json!({"maxItems": 1000}),
        ("iam", "ListPolicies") => json!({"scope": "Local", "onlyAttached": false}),
        ("lambda", _) if operation.starts_with("ListFunctions") => json!({"maxItems": 50}),
        ("logs", "DescribeLogGroups") => json!({"limit": 50}),
        ("cloudwatch" | "monitoring", _) => json!({"maxRecords": 100}),
        ("rds", "DescribeDBInstances") => json!({"maxRecords": 100}),
        ("ecs", "ListServices" | "ListTasks" | "DescribeServices") => {
            json!({"cluster": "prod-core"})
        }
        ("eks", "DescribeCluster") => json!({"name": "prod-core"}),
        ("secretsmanager", "ListSecrets") => json!({"maxResults": 100}),
        ("ssm", "DescribeParameters") => json!({"maxResults": 50}),
        ("cloudtrail", "LookupEvents") => json!({"maxResults": 50}),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_calls_are_told() {
        assert!(
            Call::named("iam:ListUsers").reads()
                && Call::named("iam:ListUsers").region == "us-east-1"
        );
        assert!(!Call::named("s3:PutObject").reads() && Call::named("s3:PutObject").is_data());
        assert!(!Call::named("s3:GetBucketPolicy").is_data());
    }
}
