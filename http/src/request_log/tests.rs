use std::io::Write;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use parking_lot::Mutex;
use tower::ServiceExt;
use tracing::subscriber::DefaultGuard;

use super::*;

/// What this test's thread logs, as JSON lines.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn begin() -> (Self, DefaultGuard) {
        let captured = Self::default();
        let writer = captured.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone())
            .finish();
        (captured, tracing::subscriber::set_default(subscriber))
    }

    fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn router() -> Router {
    Router::new()
        .route(
            "/echo",
            post(|id: axum::Extension<RequestId>, body: String| async move {
                format!("{} {body}", id.0.0)
            }),
        )
        .route("/refuse", post(|| async { StatusCode::FORBIDDEN }))
        .route(
            "/fail",
            get(|| async {
                let mut response =
                    (StatusCode::INTERNAL_SERVER_ERROR, "table users is gone").into_response();
                response
                    .extensions_mut()
                    .insert(Cause("table users is gone".to_owned()));
                response
            }),
        )
        .layer(from_fn(log))
}

async fn send(request: axum::http::request::Builder, body: &str) -> (u16, String, String) {
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let id = response.headers()[REQUEST_ID].to_str().unwrap().to_owned();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 24)
        .await
        .unwrap();
    (status, id, String::from_utf8(bytes.to_vec()).unwrap())
}

fn json_post(path: &str) -> axum::http::request::Builder {
    Request::post(path).header("content-type", "application/json; charset=utf-8")
}

#[tokio::test]
async fn a_line_has_what_the_design_names_and_no_secret() {
    let (captured, _guard) = Captured::begin();
    let body = r#"{"username":"bob","password":"hunter2"}"#;
    let request = json_post("/echo?token=hunter2&a=1").header("x-request-id", "abc-1");
    let (status, id, answer) = send(request, body).await;
    assert_eq!(
        (status, id.as_str(), answer),
        (200, "abc-1", format!("abc-1 {body}"))
    );
    let lines = captured.lines();
    let [line] = lines.as_slice() else {
        panic!("one line: {lines:?}")
    };
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["request_id"], "abc-1");
    assert_eq!(
        (&line["method"], &line["status"]),
        (&"POST".into(), &200.into())
    );
    assert!(line["path"].as_str().unwrap().contains("/echo"));
    assert!(line["latency_ms"].as_f64().unwrap() >= 0.0);
    assert!(line["body"].as_str().unwrap().contains("bob"));
    assert!(!line.to_string().contains("hunter2"), "{line}");
}

#[tokio::test]
async fn levels_follow_the_status_and_causes_stay_inside() {
    let (captured, _guard) = Captured::begin();
    assert_eq!(send(json_post("/refuse"), "{}").await.0, 403);
    let (status, _, answer) = send(Request::get("/fail"), "").await;
    assert!(
        status == 500 && answer.contains("\"internal\"") && !answer.contains("users"),
        "{answer}"
    );
    let lines = captured.lines();
    assert_eq!(
        (&lines[0]["level"], &lines[1]["level"]),
        (&"WARN".into(), &"ERROR".into())
    );
    assert_eq!(lines[1]["cause"], "table users is gone");
}

#[tokio::test]
async fn unusable_request_ids_are_replaced() {
    for given in ["", "a b", "x\"y", &"a".repeat(65)] {
        let (_, id, _) = send(json_post("/echo").header("x-request-id", given), "{}").await;
        assert_ne!(id, given);
        assert_eq!(id.len(), 36);
    }
}

#[tokio::test]
async fn large_bodies_pass_and_other_types_are_not_logged() {
    let (captured, _guard) = Captured::begin();
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1_000_000));
    let (status, _, answer) = send(json_post("/echo").header("x-request-id", "i"), &large).await;
    assert_eq!((status, answer.len()), (200, large.len() + 2));
    let (status, _, _) = send(json_post("/echo"), &"x".repeat(3_000_000)).await;
    assert_eq!(status, 413);
    send(
        Request::post("/echo").header("content-type", "text/plain"),
        "private",
    )
    .await;
    let lines = captured.lines();
    assert!(lines[0]["body"].as_str().unwrap().chars().count() <= 210);
    assert!(!lines[2].to_string().contains("private"));
}

#[tokio::test]
async fn what_comes_from_outside_is_escaped_and_cut() {
    let (captured, _guard) = Captured::begin();
    let long = "a".repeat(5000);
    let request = Request::builder()
        .method("A".repeat(500).as_str())
        .uri(format!(
            "/x\u{9b}31m\u{202e}{long}?q=\u{9b}{long}&token=hunter2"
        ));
    assert_eq!(send(request, "").await.0, 404);
    let token_first = Request::get(format!("/x?token={long}hunter2"));
    assert_eq!(send(token_first, "").await.0, 404);
    for line in captured.lines() {
        let text = line.to_string();
        assert!(text.len() < 2500, "{} bytes", text.len());
        assert!(
            !text.contains("hunter2") && !text.contains(&long[..300]),
            "{text}"
        );
        for character in ['\u{9b}', '\u{202e}', '\u{1b}'] {
            assert!(!text.contains(character), "{text}");
        }
    }
}
