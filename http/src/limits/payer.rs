//! Who pays for a request.

use axum::extract::Request;
use axum::http::Uri;
use lingxi_im::{Identity, Im};

use crate::bearer::bearer;
use crate::extract::{Asker, authenticate};

/// Finds out whose request it is, and leaves the answer to [`crate::Auth`] and [`crate::Operator`]. A WebSocket brings its token in the query:
/// that one pays too, but opens no other route.
pub(super) async fn find(im: &Im, request: &mut Request) -> Option<Identity> {
    if let Some(token) = bearer(request.headers()) {
        let known = authenticate(im, request.uri().path(), token).await;
        let identity = known.as_ref().ok().cloned();
        let asker = Asker(known);
        request.extensions_mut().insert(asker);
        return identity;
    }
    let token = token_of(request.uri())?;
    im.accounts().authenticate(&token).await.ok()
}

fn token_of(uri: &Uri) -> Option<String> {
    let query = uri.query().filter(|query| query.contains("token="))?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, token) = pairs.find(|(key, _)| key == "token")?;
    Some(token.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_query_is_found() {
        let token = |uri: &str| token_of(&uri.parse().unwrap());
        assert_eq!(token("/ws?a=1&token=x.y").as_deref(), Some("x.y"));
        assert_eq!(token("/ws?tokens=x"), None);
        assert_eq!(token("/ws"), None);
    }
}
