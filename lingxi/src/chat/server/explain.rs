//! What went wrong on the way to a server, in one line.

use std::error::Error;

use super::Refused;

/// Says why `server` was not reached.
pub(super) fn explain(server: &str, error: &(dyn Error + 'static)) -> Refused {
    let mut causes = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        causes.push(error);
        // An I/O error hides what it was made from, and stands for it in the chain.
        let inner = error.downcast_ref::<std::io::Error>();
        next = match inner.and_then(|error| error.get_ref()) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    let tls = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<rustls::Error>());
    let io = causes
        .iter()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>());
    let message = match (tls, io) {
        (Some(rustls::Error::InvalidCertificate(why)), _) => format!(
            "{server} has a certificate that is not trusted ({why}); --ca FILE names the authority of a private one"
        ),
        (Some(error), _) => {
            format!("{server} does not speak TLS as expected: {error}; is it http, and not https?")
        }
        (None, Some(error)) => format!("cannot reach {server}: {error}; is the server running?"),
        (None, None) => {
            let last = causes.last().map(ToString::to_string);
            format!(
                "cannot talk to {server}: {}; is it a Lingxi server?",
                last.unwrap_or_default()
            )
        }
    };
    Refused::new("unreachable", message.replace(['\n', '\r'], " "))
}
