use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portreeve_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// What a [`Problem`] is sent as.
pub(crate) const PROBLEM: &str = "application/problem+json";

/// Why a request was not answered as asked (RFC 9457). No secret and nothing of the machine is in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says what kind of problem it is (section 4.2.1).
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name of the status.
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, in a sentence.
    detail: String,
}

/// A refusal, with its status. The answer that is made of it carries it on, for what stands before a page to
/// draw it as one.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    detail: String,
    retry_after: Option<u32>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            retry_after: None,
        }
    }

    pub(crate) fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    pub(crate) fn later(status: StatusCode, detail: impl Into<String>, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(status, detail)
        }
    }

    /// Nobody said who they are.
    pub(crate) fn unknown() -> Self {
        let words = "this needs a token: Authorization: Bearer …";
        Self::new(StatusCode::UNAUTHORIZED, words)
    }

    /// Nothing is known yet.
    pub(crate) fn starting() -> Self {
        let words = "the watch is reading what was taken in before; try again in a moment";
        Self::later(StatusCode::SERVICE_UNAVAILABLE, words, 2)
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn words(&self) -> &str {
        &self.detail
    }

    /// Gives an answer, whatever it is drawn as, the status and headers of this refusal.
    pub(crate) fn upon(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let value = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let words = match error {
            StoreError::Locked | StoreError::Full => error.to_string(),
            // What else the database says may name places of this machine.
            _ => {
                "the store cannot be used at the moment; the log of the server says why".to_owned()
            }
        };
        Self::later(StatusCode::SERVICE_UNAVAILABLE, words, 5)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Refused"),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
        };
        let mut response = self.upon(Json(problem).into_response());
        let kind = HeaderValue::from_static(PROBLEM);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.extensions_mut().insert(self);
        response
    }
}
