//! Where records are handed in.

use std::io::Read;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Extension, Json};
use flate2::read::MultiGzDecoder;
use portreeve_engine::serve::{Receipt, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use super::apart;
use crate::access::Caller;
use crate::app::App;
use crate::error::Refused;
use crate::extract::Bytes;

/// The largest body as it is sent, and the largest that may come of it.
pub(crate) const BODY: usize = 16 << 20;
const DECOMPRESSED: u64 = 128 << 20;

/// What was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Taken {
    /// How many records.
    records: usize,
    /// How many parts could not be read; they are told with the dead letters.
    dead_letters: usize,
    /// The commit that holds them.
    revision: u64,
}

/// Takes records in: lines of JSON, an array, an envelope as the source writes them; gzip where the header
/// `Content-Encoding` says so. The answer comes once the records and what follows from them are stored.
/// Records may be sent again after any other answer: one that was taken before counts once.
#[utoipa::path(post, path = "/api/v1/records", request_body(content = String, content_type = "application/x-ndjson"), responses(
    (status = 200, body = Taken),
    (status = 413, description = "larger than 16 MiB, or than 128 MiB decompressed"),
    (status = 429, description = "more is waiting than is taken in, or too many requests from this address")))]
pub(crate) async fn take(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    Bytes(body): Bytes,
) -> Result<Json<Taken>, Refused> {
    let encoding = headers.get(header::CONTENT_ENCODING).cloned();
    apart(move || {
        let encoding = encoding.as_ref().map(|value| value.as_bytes());
        let body = match encoding {
            None | Some(b"identity") => body,
            Some(b"gzip") => decompressed(&body)?,
            Some(_) => {
                let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                return Err(Refused::new(status, "Content-Encoding is gzip, or absent"));
            }
        };
        let receipt = app
            .intake
            .offer(&format!("http:{}", caller.name), &body)
            .map_err(refused)?;
        let revision = receipt.wait().ok_or_else(|| refused(Refusal::Ended))?;
        let Receipt {
            records,
            dead_letters,
            ..
        } = receipt;
        Ok(Json(Taken {
            records,
            dead_letters,
            revision,
        }))
    })
    .await
}

fn decompressed(body: &[u8]) -> Result<axum::body::Bytes, Refused> {
    let mut whole = Vec::new();
    let read = MultiGzDecoder::new(body)
        .take(DECOMPRESSED + 1)
        .read_to_end(&mut whole);
    match read {
        Err(error) => Err(Refused::bad(format!("the body is no gzip: {error}"))),
        Ok(count) if count as u64 > DECOMPRESSED => Err(Refused::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "more than 128 MiB decompressed",
        )),
        Ok(_) => Ok(whole.into()),
    }
}

fn refused(refusal: Refusal) -> Refused {
    let words = refusal.to_string();
    match refusal {
        Refusal::Busy => Refused::later(StatusCode::TOO_MANY_REQUESTS, words, 5),
        Refusal::Unknown => Refused::bad(words),
        Refusal::Ended => Refused::later(StatusCode::SERVICE_UNAVAILABLE, words, 10),
    }
}
