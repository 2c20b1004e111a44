//! Hides secrets in what is logged of a request: bodies, also broken ones, and query strings.

mod scan;
mod secret;
#[cfg(test)]
mod tests;

use scan::{Scan, next};
use secret::is_secret;

/// The mark that some editors and libraries put before a text.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The first 200 characters of a JSON body, with the value of every key that names a secret (`password`,
/// `old_password`, `new_password`, `secret`, `token`, `api_key` and whatever ends in one) replaced by `***`, at any
/// depth. `body` may be cut off or not be JSON at all: from the first thing that JSON does not allow on, nothing is
/// shown. Control characters become spaces, so that a body cannot forge a line of the log.
#[must_use]
pub(crate) fn body(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.strip_prefix(BOM).unwrap_or(body));
    let mut scan = Scan::default();
    let mut rest = text.as_ref();
    while !rest.is_empty() && !scan.is_full() {
        let read = next(rest).and_then(|(token, after)| {
            rest = after;
            scan.take(token)
        });
        if read.is_none() {
            scan.stop(rest);
            break;
        }
    }
    scan.shown()
}

/// A query string with the values of secret parameters replaced by `***`.
#[must_use]
pub(crate) fn query(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    for pair in query.split_inclusive(['&', ';']) {
        let separator = pair.rfind(['&', ';']).unwrap_or(pair.len());
        match pair.split_once('=') {
            Some((key, _)) if is_secret(&percent_decoded(key)) => {
                out.push_str(key);
                out.push_str("=***");
                out.push_str(&pair[separator..]);
            }
            _ => out.push_str(pair),
        }
    }
    out
}

fn percent_decoded(text: &str) -> String {
    url::form_urlencoded::parse(text.as_bytes())
        .map(|(key, _)| key.into_owned())
        .collect()
}
