//! The operators' API under `/api/admin`: for now, logging in.
//!
//! [`run`] serves it as a process of its own; [`routes`] are served beside a gateway's when everything runs in one. Either
//! way `lingxi_http` is around them. An endpoint is a file in `endpoints`, and one list names them all.

mod endpoints;

use lingxi_http::Routes;
use lingxi_im::Im;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::listener::Listener;
use lingxi_runtime::shutdown::Shutdown;

/// How the operators' API behaves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its port.
    pub http: lingxi_http::Options,
}

/// What it works with.
#[derive(Clone)]
pub struct Deps {
    /// What users can do.
    pub im: Im,
    /// Bytes that this process may hold for its clients.
    pub budget: Budget,
}

/// The sockets that it serves, bound by the caller.
pub struct Listeners {
    /// For operators.
    pub public: Listener,
}

/// Why it cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The listener has no local address.
    #[error("the listener of the operators' API failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Starts the operators' API on the caller's listener, and returns when it serves. When `shutdown` is triggered it
/// finishes the requests that are under way and stops listening, as a task of `shutdown`.
///
/// # Errors
/// [`Error`], when the listener has no local address.
pub async fn run(
    options: Options,
    deps: Deps,
    listeners: Listeners,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let public = listeners.public.local_addr()?;
    let routes = routes(deps.im.clone());
    let app = lingxi_http::app(routes, &options.http, deps.im, deps.budget.clone(), public);
    let serving = lingxi_http::serve(
        listeners.public,
        app,
        options.http,
        deps.budget,
        shutdown.token(),
        shutdown.tasks("connection"),
    );
    shutdown.spawn("operators' port", serving);
    tracing::info!(%public, "the operators' API listens");
    Ok(())
}

/// The routes of the operators' API.
pub fn routes(im: Im) -> Routes {
    lingxi_http::routes(endpoints::list()).with_state(im)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shape_has_a_name_of_its_own() {
        let conflicts = lingxi_http::name_conflicts(&crate::endpoints::list());
        assert!(conflicts.is_empty(), "{conflicts:?}");
    }
}
