use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use portreeve_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not answered as asked. No secret and nothing of the machine is in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What is wrong, in a sentence.
    pub error: String,
}

/// A refusal, with its status.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    error: String,
    retry_after: Option<u32>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
            retry_after: None,
        }
    }

    pub(crate) fn bad(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    pub(crate) fn later(status: StatusCode, error: impl Into<String>, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(status, error)
        }
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
        &self.error
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
        let problem = Problem { error: self.error };
        let mut response = (self.status, Json(problem)).into_response();
        if let Some(seconds) = self.retry_after {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let value = HeaderValue::from_static("Bearer");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}
