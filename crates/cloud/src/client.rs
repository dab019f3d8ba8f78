//! Calls to AWS, by the official SDK's own runtime: its credentials, signing, retry with back-off,
//! timeouts and HTTP client. What to send and how to read the answer is in `models/`.

use std::sync::Arc;
use std::time::Duration;

use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::{SharedIdentityCache, SharedIdentityResolver};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::endpoint::endpoint;
use crate::model::{self, Model};
use crate::request::{Request, request};
use crate::response::{Refusal, output, refusal};

/// How often a call that was throttled or that failed in passing is made in all, unless the user's
/// environment says (`AWS_MAX_ATTEMPTS`). A large estate runs into the limits of IAM and
/// Organizations, which are a few calls a second.
const ATTEMPTS: u32 = 10;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// How long one attempt may take, and one connection.
const ATTEMPT: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);

/// Why a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The service refused.
    #[error("{action}: {code}: {message}")]
    Refused {
        /// The service and the operation, `kms:ListKeys`.
        action: String,
        /// The service's word for the error; the HTTP status where it has none.
        code: String,
        /// What it says beside.
        message: String,
        /// The region where the thing is, where the service says that it is in another.
        region: Option<String>,
    },
    /// No answer could be had: the network, the credentials, or an answer that cannot be read.
    #[error("{action}: {reason}")]
    NoAnswer {
        /// The service and the operation.
        action: String,
        /// What happened.
        reason: String,
    },
}

/// What follows from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// There is no such thing.
    Absent,
    /// The credentials do not allow it.
    Denied,
    /// The credentials have run out: no later call will be answered either.
    Expired,
    /// Anything else.
    Failed,
}

impl CallError {
    /// The service's word for the error; `NoAnswer` where there is none.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            CallError::Refused { code, .. } => code,
            CallError::NoAnswer { .. } => "NoAnswer",
        }
    }

    pub(crate) fn meaning(&self) -> Meaning {
        let CallError::Refused { code, .. } = self else {
            return Meaning::Failed;
        };
        let code = code.strip_suffix("Exception").unwrap_or(code);
        match code {
            "ExpiredToken" | "RequestExpired" | "TokenRefreshRequired" => Meaning::Expired,
            // Amazon SNS says `AuthorizationError`, EC2 `UnauthorizedOperation`; a region that the
            // account has not enabled refuses the token itself.
            "AccessDenied"
            | "AccessDeniedFault"
            | "UnauthorizedOperation"
            | "Unauthorized"
            | "AuthorizationError"
            | "NotAuthorized"
            | "AllAccessDisabled"
            | "OptInRequired"
            | "UnrecognizedClient"
            | "InvalidClientTokenId"
            | "AuthFailure"
            | "403" => Meaning::Denied,
            _ if code.starts_with("NoSuch") || code.contains("NotFound") => Meaning::Absent,
            // The organization does not exist, or the account is in none.
            "AWSOrganizationsNotInUse" => Meaning::Absent,
            // No preferences of sessions, no insights.
            "InvalidDocument" | "InsightNotEnabled" => Meaning::Absent,
            _ => Meaning::Failed,
        }
    }
}

/// Whose credentials calls are made with.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    resolver: SharedIdentityResolver,
    cache: SharedIdentityCache,
    /// Sets the retry budgets of sessions apart.
    name: String,
}

impl Session {
    fn new(provider: SharedCredentialsProvider, name: &str) -> Self {
        Self {
            resolver: SharedIdentityResolver::new(provider),
            cache: IdentityCache::lazy().build(),
            name: name.to_owned(),
        }
    }
}

/// Makes calls: so many at a time, each retried as the SDK does it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: SharedHttpClient,
    config: SdkConfig,
    limit: Arc<Semaphore>,
    attempts: u32,
}

/// Where credentials are to be had from.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// The profile in the user's configuration; otherwise what the SDK finds by itself.
    pub profile: Option<String>,
    /// The region to begin with; otherwise the one of the configuration.
    pub region: Option<String>,
}

impl Client {
    /// Reads the user's own configuration, as the SDK and the command line do.
    pub(crate) async fn new(access: &Access, at_once: usize) -> Result<Self, String> {
        use aws_smithy_http_client::{Builder, tls};
        let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let http = Builder::new().tls_provider(provider).build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let mut config = loader.load().await;
        if config.use_fips() == Some(true) || config.use_dual_stack() == Some(true) {
            return Err(
                "the configuration asks for FIPS or dual-stack endpoints, which are not \
                        supported: unset AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT"
                    .to_owned(),
            );
        }
        if config.region().is_none() {
            let region = Region::from_static("us-east-1");
            config = config.into_builder().region(region).build();
        }
        Ok(Self {
            http,
            config,
            limit: Arc::new(Semaphore::new(at_once)),
            attempts: std::env::var("AWS_MAX_ATTEMPTS")
                .ok()
                .and_then(|attempts| attempts.parse().ok())
                .unwrap_or(ATTEMPTS),
        })
    }

    /// The region of the configuration.
    pub(crate) fn region(&self) -> &str {
        self.config.region().map_or("us-east-1", AsRef::as_ref)
    }

    /// The session of the user's own credentials.
    pub(crate) fn own(&self) -> Result<Session, String> {
        match self.config.credentials_provider() {
            Some(provider) => Ok(Session::new(provider, "own")),
            None => Err("no AWS credentials are configured".to_owned()),
        }
    }

    /// The session of a role that the user's own credentials assume.
    pub(crate) async fn assume(&self, role: &str, external_id: Option<&str>) -> Session {
        let mut builder = AssumeRoleProvider::builder(role)
            .configure(&self.config)
            .session_name("portreeve");
        if let Some(id) = external_id {
            builder = builder.external_id(id);
        }
        let provider = builder.build().await;
        Session::new(SharedCredentialsProvider::new(provider), role)
    }

    /// Makes one call, and retries it; where S3 says that the bucket is in another region, there.
    pub(crate) async fn call(
        &self,
        session: &Session,
        service: &str,
        name: &str,
        region: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        match self.attempt(session, service, name, region, input).await {
            Err(CallError::Refused {
                region: Some(other),
                ..
            }) if other != region => self.attempt(session, service, name, &other, input).await,
            answer => answer,
        }
    }

    async fn attempt(
        &self,
        session: &Session,
        service: &str,
        name: &str,
        region: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let no_answer = |reason: String| CallError::NoAnswer {
            action: format!("{service}:{name}"),
            reason,
        };
        let (model, described) = model::operation(service, name)
            .ok_or_else(|| no_answer("is in no service model".to_owned()))?;
        let written =
            request(model, name, described, input).map_err(|error| no_answer(error.to_string()))?;
        // The limit is never closed.
        let _permit = self.limit.acquire().await;
        let at = endpoint(service, &model.prefix, region, self.config.endpoint_url());
        let url = match (&described.host, self.config.endpoint_url()) {
            (Some(host), None) => at
                .url
                .replacen("://", &format!("://{}", hosted(host, input)), 1),
            _ => at.url,
        };
        let operation = Operation::builder()
            .service_name(format!("{service} {region} {}", session.name))
            .operation_name(name.to_owned())
            .http_client(self.http.clone())
            .endpoint_url(&url)
            .standard_retry(&self.retries())
            .retry_classifier(TransientErrorClassifier::<Refused>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
            .timeout_config(timeouts())
            .runtime_plugin(signing(session, &model.signing, &at.region))
            .serializer(|written: Request| http(&written))
            .deserializer(move |response: &HttpResponse| answer(model, described, response))
            .build();
        operation
            .invoke(written)
            .await
            .map_err(|error| told(service, name, error))
    }

    fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts)
            .with_max_backoff(LONGEST_WAIT)
    }

    /// Makes a call that is in no model, and gives the body of its answer as it came.
    pub(crate) async fn plain(
        &self,
        session: &Session,
        call: &Plain<'_>,
    ) -> Result<Vec<u8>, CallError> {
        let Plain {
            service, operation, ..
        } = *call;
        // The limit is never closed.
        let _permit = self.limit.acquire().await;
        let at = endpoint(service, service, call.region, self.config.endpoint_url());
        let written = Request {
            method: call.method.to_owned(),
            target: call.target.to_owned(),
            headers: call
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            body: call.body.clone(),
        };
        let operation = Operation::builder()
            .service_name(format!("{service} {} {}", call.region, session.name))
            .operation_name(operation.to_owned())
            .http_client(self.http.clone())
            .endpoint_url(call.at.as_deref().unwrap_or(&at.url))
            .standard_retry(&self.retries())
            .retry_classifier(TransientErrorClassifier::<Refused>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(AwsErrorCodeClassifier::<Refused>::new())
            .timeout_config(timeouts())
            .runtime_plugin(signing(session, service, call.region))
            .serializer(|written: Request| http(&written))
            .deserializer(plain_answer)
            .build();
        operation
            .invoke(written)
            .await
            .map_err(|error| told(service, call.operation, error))
    }
}

/// A call that is in no model.
#[derive(Debug)]
pub(crate) struct Plain<'p> {
    /// The service, as it signs and as its host begins.
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) region: &'p str,
    pub(crate) method: &'static str,
    /// The path, escaped, and the query if there is one.
    pub(crate) target: &'p str,
    pub(crate) headers: &'p [(&'static str, String)],
    pub(crate) body: String,
    /// The address, where it is not the service's own.
    pub(crate) at: Option<String>,
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .build()
}

/// The body as it is; of a refusal the code, as XML or JSON says it.
fn plain_answer(response: &HttpResponse) -> Result<Vec<u8>, OrchestratorError<Refused>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(body.to_vec());
    }
    let text = String::from_utf8_lossy(body);
    let status = response.status().as_u16();
    let (mut code, mut message) = (String::new(), String::new());
    if let Ok(root) = crate::xml::parse(&text) {
        let of = |name| {
            root.find(name)
                .map(|it| it.text.clone())
                .unwrap_or_default()
        };
        (code, message) = (of("Code"), of("Message"));
    } else if let Ok(json) = serde_json::from_slice::<Value>(body) {
        let of = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        // Names stand behind a name space: `com.amazonaws.sqs#QueueDoesNotExist`.
        code = of("__type")
            .rsplit('#')
            .next()
            .unwrap_or_default()
            .to_owned();
        message = of("message");
    }
    if code.is_empty() {
        code = status.to_string();
    }
    Err(OrchestratorError::operation(Refused {
        metadata: ErrorMetadata::builder().code(code).message(message).build(),
        region: response
            .headers()
            .get("x-amz-bucket-region")
            .map(str::to_owned),
    }))
}

/// The beginning of a host's name, with the members of the input that it names: an account's number.
fn hosted(host: &str, input: &Value) -> String {
    let members = input.as_object().into_iter().flatten();
    members.fold(host.to_owned(), |host, (name, value)| {
        // Nothing but digits can lead to another host.
        let value = value
            .as_str()
            .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        host.replace(&format!("{{{name}}}"), value.unwrap_or_default())
    })
}

/// Signature Version 4 with the session's credentials.
fn signing(session: &Session, service: &str, region: &str) -> StaticRuntimePlugin {
    let mut components = RuntimeComponentsBuilder::new("signing");
    let schemes = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)));
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_identity_cache(Some(session.cache.clone()));
    components.set_identity_resolver(SCHEME_ID, session.resolver.clone());
    let mut options = SigningOptions::default();
    if service == "s3" {
        // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html: paths are
        // escaped once, and the body's hash is a header.
        options.double_uri_encode = false;
        options.normalize_uri_path = false;
        options.content_sha256_header = true;
    }
    let mut layer = Layer::new("signing");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(Region::new(region.to_owned()))),
        name: Some(SigningName::from(service.to_owned())),
        signing_options: options,
        ..SigV4OperationSigningConfig::default()
    });
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

fn http(written: &Request) -> Result<HttpRequest, BoxError> {
    let mut request = http::Request::builder()
        .method(written.method.as_str())
        .uri(written.target.as_str())
        .header(
            "user-agent",
            concat!("portreeve/", env!("CARGO_PKG_VERSION")),
        )
        .header("content-length", written.body.len());
    for (name, value) in &written.headers {
        request = request.header(name, value);
    }
    Ok(request
        .body(SdkBody::from(written.body.as_str()))?
        .try_into()?)
}

fn answer(
    model: &Model,
    operation: &model::Operation,
    response: &HttpResponse,
) -> Result<Value, OrchestratorError<Refused>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return output(model, operation, body).map_err(OrchestratorError::other);
    }
    let header = |name| response.headers().get(name);
    let Refusal { mut code, message } = refusal(model, header("x-amzn-errortype"), body);
    if code.is_empty() {
        code = response.status().as_u16().to_string();
    }
    Err(OrchestratorError::operation(Refused {
        metadata: ErrorMetadata::builder().code(code).message(message).build(),
        region: header("x-amz-bucket-region").map(str::to_owned),
    }))
}

fn told(service: &str, name: &str, error: SdkError<Refused, HttpResponse>) -> CallError {
    let action = format!("{service}:{name}");
    match error.as_service_error() {
        Some(refused) => CallError::Refused {
            action,
            code: refused.metadata.code().unwrap_or_default().to_owned(),
            message: refused.metadata.message().unwrap_or_default().to_owned(),
            region: refused.region.clone(),
        },
        None => CallError::NoAnswer {
            action,
            reason: DisplayErrorContext(&error).to_string(),
        },
    }
}

/// A service's refusal, as the SDK's classifiers of what may be retried want it.
#[derive(Debug)]
struct Refused {
    metadata: ErrorMetadata,
    region: Option<String>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.metadata.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_services_say() {
        let meaning = |code: &str| {
            let error = CallError::Refused {
                action: String::new(),
                code: code.to_owned(),
                message: String::new(),
                region: None,
            };
            error.meaning()
        };
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "AuthorizationError",
            "UnrecognizedClientException",
        ] {
            assert_eq!(meaning(code), Meaning::Denied, "{code}");
        }
        for code in [
            "NoSuchBucketPolicy",
            "NoSuchEntity",
            "ResourceNotFoundException",
            "NotFoundException",
            "RepositoryPolicyNotFoundException",
            "NoSuchPublicAccessBlockConfiguration",
            "AWSOrganizationsNotInUseException",
        ] {
            assert_eq!(meaning(code), Meaning::Absent, "{code}");
        }
        assert_eq!(meaning("ExpiredTokenException"), Meaning::Expired);
        assert_eq!(meaning("ThrottlingException"), Meaning::Failed);
    }
}
