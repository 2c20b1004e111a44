//! The routes from request to answer, on a real store in a temporary folder.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, header};
use lingxi_bus::local::LocalBus;
use lingxi_cache::local::LocalCache;
use lingxi_im::{Deps, Im, ImConfig};
use lingxi_runtime::budget::Budget;
use lingxi_store::{Location, Store};
use serde_json::{Value, json};
use tower::ServiceExt as _;

struct Api {
    router: Router,
    _folder: tempfile::TempDir,
}

impl Api {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Location::Sqlite(folder.path().join("lingxi.db")))
            .await
            .unwrap();
        let im = Im::new(Deps {
            store,
            bus: LocalBus::shared(4),
            cache: LocalCache::shared(),
            files: lingxi_im::Blobs::none(),
            config: ImConfig {
                jwt_secret: b"a secret of the tests, long enough to be accepted".to_vec(),
                jwt_ttl_hours: 1,
                bcrypt_cost: 4,
                rate_limits: true,
                rates: lingxi_im::Rates {
                    logins_per_minute: 20,
                    registers_per_minute: 20,
                    ..Default::default()
                },
                groups_per_user: 1000,
                runs: lingxi_im::RunLimits::default(),
                files: Default::default(),
                partitions: 4,
                webhooks: Default::default(),
            },
        });
        let routes = lingxi_http::routes(super::endpoints()).with_state(im.clone());
        let bound = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
        let options = lingxi_http::Options::default();
        let budget = Budget::new(1 << 20);
        Self {
            router: lingxi_http::app(routes, &options, im, budget, bound),
            _folder: folder,
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .extension(ConnectInfo(address));
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
        let response = self
            .router
            .clone()
            .oneshot(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        self.ask(Method::GET, &format!("/api/v1/{path}"), token, None)
            .await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> (u16, Value) {
        self.ask(Method::POST, &format!("/api/v1/{path}"), token, Some(body))
            .await
    }

    /// A new user's token.
    async fn user(&self, name: &str) -> String {
        let body = json!({"username": name, "password": "correct horse"});
        assert_eq!(self.post("user/register", "", body.clone()).await.0, 200);
        let (status, login) = self.post("user/login", "", body).await;
        assert_eq!(status, 200, "{login}");
        login["token"].as_str().unwrap().to_owned()
    }
}

#[track_caller]
fn fails((status, body): (u16, Value), expected: u16, code: &str) {
    assert_eq!(
        (status, body["error"].as_str()),
        (expected, Some(code)),
        "{body}"
    );
    assert!(body["message"].as_str().unwrap().ends_with('.'), "{body}");
}

#[tokio::test]
async fn accounts_and_contacts() {
    let api = Api::new().await;
    let alice = api.user("alice").await;
    let bob = api.user("bob").await;
    let (_, me) = api.get("user/me", &alice).await;
    assert_eq!(
        (&me["username"], &me["nickname"]),
        (&json!("alice"), &json!("alice"))
    );
    assert_eq!(me["role"], "user");
    let (_, found) = api.get("user/search?keyword=b", &alice).await;
    assert_eq!(found["users"][0]["username"], "bob");
    assert!(found["users"][0].get("role").is_none(), "{found}");

    let added = api
        .post(
            "contact/add",
            &alice,
            json!({"username": "BOB", "remark": "r"}),
        )
        .await;
    assert_eq!(added, (200, json!({"message": "contact added"})));
    let (_, list) = api.get("contact/list", &alice).await;
    assert_eq!(list["contacts"][0]["remark"], "r");
    assert_eq!(list["contacts"][0]["online"], false);
    let deleted = api
        .post("contact/delete", &alice, json!({"username": "bob"}))
        .await;
    assert_eq!(deleted, (200, json!({"message": "contact deleted"})));

    fails(api.get("user/me", "x.y.z").await, 401, "unauthorized");
    fails(api.get("contact/list", "").await, 401, "unauthorized");
    assert_eq!(
        api.post("user/logout", &bob, json!({})).await.1,
        json!({"message": "logout success"})
    );
    fails(api.get("user/me", &bob).await, 401, "unauthorized");
}

#[tokio::test]
async fn groups_and_their_history() {
    let api = Api::new().await;
    let alice = api.user("alice").await;
    let bob = api.user("bob").await;
    let (status, made) = api.post("group/create", &alice, json!({"name": "g"})).await;
    assert_eq!(status, 200, "{made}");
    let id = made["id"].as_i64().unwrap();
    assert_eq!(made["conversation"], format!("g:{id}"));
    let body = json!({"group_id": id});
    fails(
        api.get(&format!("group/members?group_id={id}"), &bob).await,
        403,
        "not_member",
    );
    assert_eq!(
        api.post("group/join", &bob, body.clone()).await.1["message"],
        "group joined"
    );
    fails(
        api.post("group/join", &bob, body.clone()).await,
        409,
        "already_member",
    );
    let (_, info) = api.get(&format!("group/info?group_id={id}"), &bob).await;
    assert_eq!(
        (&info["member_count"], &info["role"]),
        (&json!(2), &json!("member"))
    );
    let (_, mine) = api.get("group/mygroups", &bob).await;
    assert_eq!(mine["groups"][0], info);
    let (_, log) = api
        .get(
            &format!("message/history?group_id={id}&entries=all"),
            &alice,
        )
        .await;
    assert_eq!(log["messages"][1]["event"], "group_joined");
    assert_eq!(
        (&log["messages"][1]["target"], &log["has_more"]),
        (&json!("bob"), &json!(false))
    );
    let (_, rows) = api.get("message/conversations", &alice).await;
    let row = &rows["conversations"][0];
    assert_eq!(
        (&row["type"], &row["name"], &row["last_message"]),
        (&json!("group"), &json!("g"), &Value::Null)
    );
    let (_, read) = api
        .post(
            "message/read",
            &bob,
            json!({"conversation": format!("g:{id}")}),
        )
        .await;
    assert_eq!(read["read_seq"], 2);
    let target = json!({"group_id": id, "target_username": "bob"});
    assert_eq!(
        api.post("group/kick", &alice, target.clone()).await.1,
        json!({"message": "member kicked"})
    );
    assert_eq!(
        api.post("group/invite", &alice, target).await.1,
        json!({"message": "member invited"})
    );
    assert_eq!(
        api.post("group/leave", &bob, body).await.1,
        json!({"message": "group left"})
    );
}

#[tokio::test]
async fn what_names_no_conversation_is_refused() {
    let api = Api::new().await;
    let alice = api.user("alice").await;
    fails(
        api.get("message/history", &alice).await,
        400,
        "invalid_request",
    );
    fails(
        api.get("message/history?username=a&group_id=1", &alice)
            .await,
        400,
        "invalid_request",
    );
    fails(
        api.get("message/history?username=nobody", &alice).await,
        404,
        "user_not_found",
    );
    fails(
        api.get("message/history?group_id=9", &alice).await,
        404,
        "group_not_found",
    );
    fails(
        api.post("message/read", &alice, json!({"conversation": "d:8:9"}))
            .await,
        403,
        "forbidden",
    );
    fails(
        api.post("message/read", &alice, json!({"conversation": "x"}))
            .await,
        400,
        "invalid_request",
    );
    fails(
        api.post("message/recall", &alice, json!({"id": 5})).await,
        404,
        "message_not_found",
    );
}

#[tokio::test]
async fn logins_and_registrations_are_limited_by_address() {
    let api = Api::new().await;
    api.user("alice").await;
    for _ in 0..8 {
        let body = json!({"username": "alice", "password": "wrong horse"});
        fails(
            api.post("user/login", "", body).await,
            401,
            "invalid_credentials",
        );
    }
    for _ in 0..20 {
        api.post("user/login", "", json!({"username": "x", "password": "y"}))
            .await;
    }
    let body = json!({"username": "alice", "password": "correct horse"});
    fails(api.post("user/login", "", body).await, 429, "rate_limited");
}

#[tokio::test]
async fn everything_else_is_an_error_of_the_contract() {
    let api = Api::new().await;
    fails(api.get("nothing/here", "").await, 404, "not_found");
    fails(api.get("user/me/", "").await, 404, "not_found");
    fails(api.get("%ff", "").await, 404, "not_found");
    fails(
        api.ask(Method::DELETE, "/api/v1/user/login", "", None)
            .await,
        405,
        "method_not_allowed",
    );
}

#[tokio::test]
async fn every_route_is_documented() {
    let api = Api::new().await;
    let (status, document) = api.ask(Method::GET, "/api/openapi.json", "", None).await;
    assert_eq!(status, 200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    for (_, documented, _) in super::endpoints() {
        assert!(!documented.paths.is_empty());
        for path in documented.paths.keys() {
            assert!(paths.contains_key(path), "{path}");
        }
    }
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            let open = path.ends_with("/register") || path.ends_with("/login");
            assert_eq!(operation.get("security").is_none(), open, "{method} {path}");
        }
    }
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
    assert_eq!(api.ask(Method::GET, "/docs/", "", None).await.0, 200);
}

#[tokio::test]
async fn every_shape_has_a_name_of_its_own_that_says_what_it_is() {
    let mut endpoints = super::endpoints();
    let schemas = endpoints.iter().flat_map(|endpoint| &endpoint.0);
    for (name, _) in schemas {
        let bare = [
            "Create",
            "Created",
            "Delete",
            "Add",
            "Join",
            "Joined",
            "Register",
            "Recall",
            "Recalled",
            "Which",
            "Target",
            "Credentials",
            "Session",
            "Cursor",
            "Page",
        ];
        assert!(!bare.contains(&name.as_str()), "{name}: of what?");
    }
    assert_eq!(
        lingxi_http::name_conflicts(&endpoints),
        Vec::<String>::new()
    );
    // Planted: another shape under a name that is taken.
    let taken = endpoints[0].0[0].0.clone();
    endpoints[1]
        .0
        .push((taken.clone(), utoipa::openapi::Schema::default().into()));
    assert_eq!(lingxi_http::name_conflicts(&endpoints), [taken]);
}
