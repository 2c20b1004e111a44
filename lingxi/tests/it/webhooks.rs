//! What bots' webhooks are told, and what they are not.

use serde_json::{Value, json};

use crate::bots::bot;
use crate::harness::database::Source;
use crate::harness::{Answer, Deployment, Hook, Mode, Rest, User, until};

behaviours!(
    it_is_told_what_the_bot_is_told,
    it_is_told_from_when_it_is_set_on,
    it_is_told_no_more_of_a_group_that_the_bot_has_left,
    every_conversation_is_in_order,
    it_is_told_at_once,
    a_server_that_wants_no_more_is_left_alone,
    redirects_are_not_followed,
    private_addresses_are_not_posted_to,
);

/// A deployment whose webhooks may be on this machine, with short waits; an operator, alice, and a bot with a webhook.
pub(crate) struct World {
    pub(crate) lx: Deployment,
    pub(crate) root: Rest,
    pub(crate) alice: User,
    pub(crate) robot: User,
    pub(crate) hook: Hook,
    pub(crate) secret: String,
}

impl World {
    pub(crate) async fn start(mode: Mode) -> Self {
        Self::with(mode, "0.2,0.2,0.2,0.2,0.2,0.2", 100).await
    }

    pub(crate) async fn with(mode: Mode, waits: &str, hold: i64) -> Self {
        let options = mode
            .with_operators()
            .with("LINGXI__WEBHOOKS__ALLOW_PRIVATE", "127.0.0.0/8")
            .with("LINGXI__WEBHOOKS__RETRY_SECONDS", waits)
            .with("LINGXI__WEBHOOKS__HOLD_ATTEMPTS", hold)
            .with("LINGXI__WEBHOOKS__TIMEOUT_MS", 1_000);
        let mut lx = options.start().await;
        let root = lx.root().await;
        let alice = lx.user("alice").await;
        let robot = bot(&lx, &root, "robot").await;
        let hook = Hook::start().await;
        let secret = set(&root, &hook.url()).await;
        Self {
            lx,
            root,
            alice,
            robot,
            hook,
            secret,
        }
    }

    /// The bot's webhook, as operators see it.
    pub(crate) async fn listed(&self) -> Value {
        let list = self.root.get("/api/admin/bot/list").await.ok();
        list["bots"][0]["webhook"].clone()
    }
}

/// Sets the robot's webhook; answers its secret.
pub(crate) async fn set(root: &Rest, url: &str) -> String {
    let body = json!({"username": "robot", "url": url});
    let set = root.put("/api/admin/bot/webhook", body).await.ok();
    set["secret"].as_str().expect("a secret").to_owned()
}

async fn it_is_told_what_the_bot_is_told(mode: Mode) {
    let world = World::start(mode).await;
    let (alice, robot, hook) = (&world.alice, &world.robot, &world.hook);
    let group = alice.create_group("g").await;
    robot.join(group).await.ok();
    let mut a = alice.connect().await;
    a.say("robot", "m1", "你好 \"robot\" 👋").await;
    let (id, seq) = a.stored("m1").await;
    let posted = hook.told("你好 \"robot\" 👋").await;
    assert!(posted.is_signed(&world.secret), "{posted:?}");
    assert!(!posted.is_signed(&format!("whsec_{}", "A".repeat(44))));
    assert_eq!(posted.header("content-type"), Some("application/json"));
    let timestamp = posted.header("webhook-timestamp").expect("a time");
    assert!(timestamp.parse::<u64>().is_ok(), "{timestamp}");
    let frame = posted.frame();
    let expected = json!({
        "type": 2, "id": id, "seq": seq, "conversation": frame["conversation"], "msg_id": "m1",
        "from": "alice", "to": "robot", "content": "你好 \"robot\" 👋", "created_at": frame["created_at"],
    });
    assert_eq!(frame, expected);
    let history = robot.history("username=alice").await;
    assert_eq!(history, [expected]);

    a.say_in(group, "m2", "hello all").await;
    let posted = hook.told("hello all").await;
    assert!(posted.is_signed(&world.secret));
    assert_eq!(posted.frame()["group_id"], json!(group));
    // Neither what it says itself, nor what is done about messages or members.
    let mut r = robot.connect().await;
    r.say("alice", "r1", "my own words").await;
    r.stored("r1").await;
    alice
        .put("message/edit", json!({"id": id, "content": "edited"}))
        .await
        .ok();
    let react = json!({"id": id, "emoji": "👍", "on": true});
    alice.post("message/react", react).await.ok();
    a.say("robot", "m3", "the last").await;
    hook.told("the last").await;
    let told = hook.contents();
    assert_eq!(told.len(), 3, "{told:?}");
    let ids: Vec<_> = hook.posted();
    let ids: std::collections::HashSet<_> =
        ids.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids.len(), 3);
}

async fn it_is_told_from_when_it_is_set_on(mode: Mode) {
    let world = World::start(mode).await;
    let (root, hook) = (&world.root, &world.hook);
    let mut a = world.alice.connect().await;
    a.say("robot", "m1", "first").await;
    hook.told("first").await;
    let path = "/api/admin/bot/webhook?username=robot";
    root.delete(path).await.ok();
    a.say("robot", "m2", "to nobody").await;
    a.stored("m2").await;
    let secret = set(root, &hook.url()).await;
    assert_ne!(secret, world.secret);
    a.say("robot", "m3", "third").await;
    let posted = hook.told("third").await;
    assert!(posted.is_signed(&secret));
    assert_eq!(hook.contents(), ["first", "third"]);
    // A new address goes on where the old one was; a secret of one's own is taken.
    let other = Hook::start().await;
    let own = format!("whsec_{}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let body = json!({"username": "robot", "url": other.url(), "secret": own});
    let set = root.put("/api/admin/bot/webhook", body).await.ok();
    assert_eq!(set["secret"], json!(own));
    a.say("robot", "m4", "fourth").await;
    // To the old address, where the message was faster than the change.
    until("it is told somewhere", async || {
        let told = [hook.contents(), other.contents()].concat();
        told.contains(&"fourth".to_owned())
    })
    .await;
    until("the new address is told", async || {
        a.say("robot", &uuid::Uuid::new_v4().to_string(), "again")
            .await;
        other.contents().contains(&"again".to_owned())
    })
    .await;
    assert!(other.told("again").await.is_signed(&own));
}

async fn it_is_told_no_more_of_a_group_that_the_bot_has_left(mode: Mode) {
    let world = World::start(mode).await;
    let (alice, hook) = (&world.alice, &world.hook);
    let group = alice.create_group("g").await;
    let mut a = alice.connect().await;
    a.say_in(group, "m0", "before").await;
    a.stored("m0").await;
    world.robot.join(group).await.ok();
    a.say_in(group, "m1", "within").await;
    hook.told("within").await;
    alice.kick(group, "robot").await.ok();
    a.say_in(group, "m2", "after").await;
    a.stored("m2").await;
    // When the webhook was told all that the bot saw, nothing behind it was.
    let behind = format!(
        "SELECT w.seq FROM webhook_cursors w JOIN members m ON m.conversation = w.conversation \
         AND m.user_id = w.bot_id WHERE w.conversation = 'g:{group}' AND w.seq >= m.left_seq"
    );
    let database = Source::of(&world.lx);
    until("it was told of the kick's place", async || {
        !database.query(&behind).is_empty()
    })
    .await;
    assert_eq!(hook.contents(), ["within"]);
    alice.invite(group, "robot").await.ok();
    a.say_in(group, "m3", "back").await;
    hook.told("back").await;
    a.say("robot", "m4", "private").await;
    hook.told("private").await;
    assert_eq!(hook.contents(), ["within", "back", "private"]);
}

async fn every_conversation_is_in_order(mode: Mode) {
    let world = World::start(mode).await;
    let (alice, hook) = (&world.alice, &world.hook);
    let bob = world.lx.user("bob").await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let failures = [500, 503, 429, 404, 301].map(|status| Answer::Status(status, String::new()));
    hook.answer(failures);
    for number in 0..40 {
        a.say("robot", &format!("a{number}"), &format!("a{number}"))
            .await;
        b.say("robot", &format!("b{number}"), &format!("b{number}"))
            .await;
    }
    for (letter, user) in [("a", alice), ("b", &bob)] {
        hook.told(&format!("{letter}39")).await;
        let told = hook.posted();
        let of = |one: &crate::harness::Posted| one.frame()["from"] == user.name.as_str();
        let mut contents: Vec<_> = told
            .iter()
            .filter(|one| of(one))
            .map(|one| one.content())
            .collect();
        // What failed came again, under the same id, and nothing behind it before.
        contents.dedup();
        let expected: Vec<_> = (0..40).map(|number| format!("{letter}{number}")).collect();
        assert_eq!(contents, expected);
    }
    let posted = hook.posted();
    assert_eq!(posted.len(), 85, "five attempts failed");
    let ids: std::collections::HashSet<_> =
        posted.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids.len(), 80);
}

/// Not when everything is compared with the store, which is every ten seconds.
async fn it_is_told_at_once(mode: Mode) {
    let world = World::start(mode).await;
    let group = world.alice.create_group("g").await;
    world.robot.join(group).await.ok();
    let mut a = world.alice.connect().await;
    a.say("robot", "m0", "m0").await;
    world.hook.told("m0").await;
    let begin = std::time::Instant::now();
    for number in 1..=4 {
        let (private, public) = (format!("m{number}"), format!("g{number}"));
        a.say("robot", &private, &private).await;
        world.hook.told(&private).await;
        a.say_in(group, &public, &public).await;
        world.hook.told(&public).await;
    }
    let took = begin.elapsed();
    assert!(took.as_secs() < 10, "{took:?}");
}

async fn a_server_that_wants_no_more_is_left_alone(mode: Mode) {
    let world = World::start(mode).await;
    let hook = &world.hook;
    let mut a = world.alice.connect().await;
    hook.answer([Answer::Status(410, String::new())]);
    a.say("robot", "m1", "go away").await;
    hook.told("go away").await;
    until("it is disabled", async || {
        world.listed().await["state"] == "disabled"
    })
    .await;
    a.say("robot", "m2", "into the void").await;
    a.stored("m2").await;
    // Set again, it begins anew.
    set(&world.root, &hook.url()).await;
    assert_eq!(world.listed().await["state"], "active");
    a.say("robot", "m3", "welcome back").await;
    hook.told("welcome back").await;
    assert_eq!(hook.contents(), ["go away", "welcome back"]);
}

async fn redirects_are_not_followed(mode: Mode) {
    let world = World::start(mode).await;
    let elsewhere = Hook::start().await;
    let mut a = world.alice.connect().await;
    for status in [301, 302, 307, 308] {
        let to = format!("location: {}\r\n", elsewhere.url());
        world.hook.answer([Answer::Status(status, to)]);
    }
    a.say("robot", "m1", "stay here").await;
    until("it was tried until it was taken", async || {
        world.hook.posted().len() == 5
    })
    .await;
    assert!(elsewhere.posted().is_empty());
}

async fn private_addresses_are_not_posted_to(mode: Mode) {
    let mut world = World::with(mode, "0.1,0.1", 1).await;
    let mut a = world.alice.connect().await;
    a.say("robot", "m1", "allowed").await;
    world.hook.told("allowed").await;
    a.close().await;
    // Whoever runs the server allows no private network any more: what was set before is not posted to either.
    world.lx.sigterm();
    world.lx.exit().await;
    world.lx.set("LINGXI__WEBHOOKS__ALLOW_PRIVATE", "");
    world.lx.restart().await;
    let mut a = world.alice.connect().await;
    a.say("robot", "m2", "forbidden").await;
    until("it was given up", async || {
        world.listed().await["dead"] == 1
    })
    .await;
    assert_eq!(world.hook.contents(), ["allowed"]);
    let row =
        Source::of(&world.lx).query("SELECT state, attempts, last_error FROM webhook_deliveries");
    assert_eq!((row[0][0].as_str(), row[0][1].as_str()), ("dead", "3"));
    assert!(row[0][2].contains("private"), "{row:?}");
}
