//! Which names a server answers to while it serves its own machine only. A web page can make a name of its own mean
//! 127.0.0.1 (DNS rebinding) and would then be on the same origin as the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::ErrorCode;

use crate::ApiError;

/// The names that are answered to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Option<Arc<[String]>>);

impl Hosts {
    /// Those of a server that is bound to `address`: loopback and `named`, where that is loopback. Elsewhere any name is
    /// answered to, and so is it behind a load balancer on the same machine, unless names are given: the balancer
    /// passes on whatever name the client used.
    pub(crate) fn of(address: SocketAddr, named: &[String], behind_balancer: bool) -> Self {
        let local = address.ip().to_canonical().is_loopback();
        let checked = local && !(behind_balancer && named.is_empty());
        Self(checked.then(|| named.iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    fn allows(&self, host: &str) -> bool {
        let Some(named) = &self.0 else { return true };
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let host = authority.host().to_ascii_lowercase();
        let plain = host.trim_start_matches('[').trim_end_matches(']');
        let address = plain.parse::<IpAddr>().ok();
        let name = host.trim_end_matches('.');
        address.is_some_and(|address| address.to_canonical().is_loopback())
            || name == "localhost"
            || name.ends_with(".localhost")
            || named
                .iter()
                .any(|allowed| allowed == name || allowed == plain)
    }
}

/// Refuses requests to other names with 421. One without a name is no browser's.
pub(crate) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    let header = request.headers().get(header::HOST);
    let header = header.map(|host| host.to_str().unwrap_or("?"));
    let uri = request.uri().authority().map(Authority::as_str);
    if header.into_iter().chain(uri).all(|host| hosts.allows(host)) {
        return next.run(request).await;
    }
    ApiError::from(ErrorCode::HostNotAllowed).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(bound: &str, named: &[&str], balancer: bool) -> Hosts {
        let named: Vec<String> = named.iter().map(|&name| name.to_owned()).collect();
        Hosts::of(bound.parse().unwrap(), &named, balancer)
    }

    #[test]
    fn loopback_answers_to_loopback_and_to_what_is_configured() {
        let local = hosts("127.0.0.1:8080", &["Chat.Example"], false);
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.:1",
            "app.localhost",
            "127.0.0.1:8080",
            "127.0.0.2",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "chat.example:8080",
        ] {
            assert!(local.allows(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evillocalhost",
            "192.0.2.1",
            "0.0.0.0",
            "[2001:db8::1]",
            "",
            "?",
            "a b",
        ] {
            assert!(!local.allows(host), "{host}");
        }
        assert!(!hosts("[::1]:8080", &[], false).allows("evil.example"));
    }

    #[test]
    fn others_answer_to_any_name() {
        assert!(hosts("0.0.0.0:8080", &[], false).allows("chat.example"));
        assert!(hosts("127.0.0.1:8080", &[], true).allows("chat.example"));
        let named = hosts("127.0.0.1:8080", &["chat.example"], true);
        assert!(named.allows("chat.example") && !named.allows("evil.example"));
    }
}
