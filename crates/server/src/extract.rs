//! What handlers take out of a request. As axum's own of the same names, but what cannot be read is refused
//! as every other bad request is: with a [`Problem`](crate::error::Problem).

use axum::extract::rejection::{BytesRejection, FormRejection, JsonRejection};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::Refused;

/// The parameters of the path.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

/// The query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// A body in JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// A form that a browser sent.
#[derive(Debug)]
pub(crate) struct Form<T>(pub(crate) T);

/// A body as it is.
#[derive(Debug)]
pub(crate) struct Bytes(pub(crate) axum::body::Bytes);

/// What axum says where it cannot read a request. It tells what is no JSON from JSON of another form than is
/// wanted; to whoever sent it either is a bad request.
fn refused(status: StatusCode, words: String) -> Refused {
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => Refused::bad(words),
        status => Refused::new(status, words),
    }
}

macro_rules! refuses_by {
    ($($rejection:ty),*) => {$(
        impl From<$rejection> for Refused {
            fn from(rejection: $rejection) -> Self {
                refused(rejection.status(), rejection.body_text())
            }
        }
    )*};
}

refuses_by!(
    PathRejection,
    QueryRejection,
    JsonRejection,
    FormRejection,
    BytesRejection
);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let axum::extract::Path(value) =
            axum::extract::Path::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let axum::extract::Query(value) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let axum::Form(value) = axum::Form::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync> FromRequest<S> for Bytes {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        Ok(Self(axum::body::Bytes::from_request(request, state).await?))
    }
}
