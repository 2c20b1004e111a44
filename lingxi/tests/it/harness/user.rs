//! A registered user with a token.

use serde_json::{Value, json};

use super::rest::{Reply, Rest};
use super::socket::Link;
use super::ws::Ws;

/// What every test's users have as a password.
const PASSWORD: &str = "correct horse";

/// A logged-in user on one gateway.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) password: String,
    pub(crate) token: String,
    pub(crate) rest: Rest,
}

impl User {
    /// Registers and logs in.
    pub(crate) async fn register(http: reqwest::Client, base: String, name: &str) -> Self {
        let rest = Rest::new(http, base);
        rest.register(name, PASSWORD).await.ok();
        Self::login(&rest, name, PASSWORD).await
    }

    /// Logs in a user who exists.
    pub(crate) async fn login(rest: &Rest, name: &str, password: &str) -> Self {
        let login = rest.login(name, password).await.ok();
        let token = login["token"].as_str().expect("a token").to_owned();
        Self {
            name: name.to_owned(),
            id: login["user"]["id"].as_u64().expect("the user's id"),
            password: password.to_owned(),
            rest: rest.with_token(&token),
            token,
        }
    }

    /// Logs in again: the same user with another token.
    pub(crate) async fn again(&self) -> Self {
        Self::login(&self.rest, &self.name, &self.password).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.rest.get(path).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.rest.post(path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        self.rest.put(path, body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.rest.delete(path).await
    }

    /// How to connect as this user.
    pub(crate) fn link(&self) -> Link {
        Link::new(&self.rest.base, &self.token)
    }

    /// A connected WebSocket that is registered: what is sent to this user from now on is pushed to it.
    pub(crate) async fn connect(&self) -> Ws {
        let mut ws = Ws::open(&self.link()).await;
        ws.alive().await;
        ws
    }

    /// The history with `query`, such as `username=bob&limit=10`.
    pub(crate) async fn history(&self, query: &str) -> Vec<Value> {
        let page = self.get(&format!("message/history?{query}")).await.ok();
        page["messages"].as_array().expect("messages").clone()
    }

    /// The whole log of a conversation, pulled page by page: `of` is `username=…` or `group_id=…`.
    pub(crate) async fn log(&self, of: &str) -> Vec<Value> {
        let mut log: Vec<Value> = Vec::new();
        loop {
            let after = log
                .last()
                .map_or(0, |entry| entry["seq"].as_u64().expect("a seq"));
            let path = format!("message/history?{of}&entries=all&limit=200&after={after}");
            let page = self.get(&path).await.ok();
            let entries = page["messages"].as_array().expect("messages");
            log.extend(entries.iter().cloned());
            if page["has_more"] != true {
                return log;
            }
            assert!(!entries.is_empty(), "{path}: has_more and nothing");
        }
    }

    /// This user's row of the list of conversations.
    pub(crate) async fn conversation(&self, key: &str) -> Option<Value> {
        let list = self.get("message/conversations").await.ok();
        let rows = list["conversations"].as_array().expect("conversations");
        rows.iter().find(|row| row["conversation"] == key).cloned()
    }

    /// Creates a group and answers its id.
    pub(crate) async fn create_group(&self, name: &str) -> u64 {
        let made = self.post("group/create", json!({"name": name})).await.ok();
        made["id"].as_u64().expect("the group's id")
    }

    pub(crate) async fn join(&self, group: u64) -> Reply {
        self.post("group/join", json!({"group_id": group})).await
    }

    pub(crate) async fn invite(&self, group: u64, name: &str) -> Reply {
        self.post(
            "group/invite",
            json!({"group_id": group, "target_username": name}),
        )
        .await
    }

    pub(crate) async fn kick(&self, group: u64, name: &str) -> Reply {
        self.post(
            "group/kick",
            json!({"group_id": group, "target_username": name}),
        )
        .await
    }
}
