use portreeve_model::Outcome;
use portreeve_record::Record;

use super::wanted::{Wanted, text};

/// Parts of the error codes by which services refuse a caller. Codes differ by service:
/// `AccessDenied`, `AccessDeniedException`, `Client.UnauthorizedOperation`,
/// `S3.AccessDeniedFault`.
const DENIALS: &[&str] = &[
    "AccessDenied",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "NotAuthorized",
    "AuthorizationError",
    "Forbidden",
];

/// How a call ended.
pub(super) fn read<'a>(wanted: &Wanted, record: &'a dyn Record, operation: &str) -> Outcome<'a> {
    let message = text(record, wanted.error_message);
    if operation == "ConsoleLogin"
        && (text(record, wanted.login) == Some("Failure")
            || message.is_some_and(|message| message.contains("Failed authentication")))
    {
        return Outcome::Denied(
            text(record, wanted.error_code)
                .or(message)
                .unwrap_or("Failed authentication")
                .into(),
        );
    }
    match (text(record, wanted.error_code), message) {
        (Some(code), _) if is_denial(code) => Outcome::Denied(code.into()),
        (Some(code), _) => Outcome::Failed(code.into()),
        (None, Some(message)) if message.contains("is not authorized to perform") => {
            Outcome::Denied("AccessDenied".into())
        }
        (None, Some(message)) => Outcome::Failed(message.into()),
        (None, None) => Outcome::Success,
    }
}

fn is_denial(code: &str) -> bool {
    code == "Unauthorized" || DENIALS.iter().any(|denial| code.contains(denial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_refuse_in_many_words() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "Client.UnauthorizedOperation",
            "KMS.AccessDenied.Explicit",
            "UnauthorizedOperation",
            "NotAuthorizedException",
        ] {
            assert!(is_denial(code), "{code}");
        }
        for code in [
            "NoSuchBucket",
            "ExpiredToken",
            "Throttling",
            "Client.InvalidInstanceID",
        ] {
            assert!(!is_denial(code), "{code}");
        }
    }
}
