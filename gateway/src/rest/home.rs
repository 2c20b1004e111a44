//! What somebody sees who opens the address in a browser.

use axum::response::Html;

pub(crate) async fn home() -> Html<&'static str> {
    Html(include_str!("home.html"))
}
