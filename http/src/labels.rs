//! Labels of metrics. Each value is from a closed set: one that a client chooses would be a series for ever.

use axum::http::{Method, StatusCode};

/// The name of a known method; `other` for what else a client sends.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The number of a status that this system answers with; `other` for any other.
pub(crate) fn status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        101 => "101",
        200 => "200",
        204 => "204",
        206 => "206",
        301 => "301",
        303 => "303",
        304 => "304",
        307 => "307",
        308 => "308",
        400 => "400",
        401 => "401",
        403 => "403",
        404 => "404",
        405 => "405",
        408 => "408",
        409 => "409",
        413 => "413",
        415 => "415",
        416 => "416",
        421 => "421",
        426 => "426",
        429 => "429",
        431 => "431",
        500 => "500",
        501 => "501",
        502 => "502",
        503 => "503",
        504 => "504",
        507 => "507",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_invents_is_other() {
        assert_eq!(method(&Method::PUT), "PUT");
        assert_eq!(method(&Method::from_bytes(b"AAAA0001").unwrap()), "other");
        assert_eq!(status(StatusCode::CONFLICT), "409");
        assert_eq!(status(StatusCode::from_u16(799).unwrap()), "other");
        for code in lingxi_domain::ErrorCode::ALL {
            let named = status(StatusCode::from_u16(code.status()).unwrap());
            assert_ne!(named, "other", "{code}");
        }
    }
}
