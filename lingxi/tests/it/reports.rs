//! Messages that users report to the operators.

use serde_json::{Value, json};

use crate::harness::{Mode, Reply, User};

behaviours!(
    a_report_reaches_the_operators,
    what_cannot_be_reported,
    too_many_reports_wait,
);

async fn report(user: &User, id: u64, reason: &str) -> Reply {
    let body = json!({"id": id, "reason": reason});
    user.post("message/report", body).await
}

async fn a_report_reaches_the_operators(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let mut ids = Vec::new();
    for text in ["<b>rude</b>", "ruder"] {
        a.say("bob", text, text).await;
        ids.push(a.stored(text).await.0);
    }
    let done = report(&bob, ids[0], "  insults ").await.ok();
    assert_eq!(done, json!({"message": "message reported"}));
    report(&bob, ids[1], "more of it").await.ok();
    // Again, with other words: there is one report.
    report(&bob, ids[0], "again").await.ok();
    // What becomes of the message later does not change what was reported.
    alice
        .post("message/recall", json!({"id": ids[0]}))
        .await
        .ok();

    let sessions = lx.operators(&[("eve", "viewer"), ("root", "admin")]).await;
    for operator in &sessions {
        let list = operator.get("/api/admin/report/list").await.ok();
        let reports = list["reports"].as_array().expect("reports");
        assert_eq!(
            (&list["total"], &list["has_more"]),
            (&json!(2), &json!(false))
        );
        let shown = |report: &Value| {
            json!([
                report["message_id"],
                report["reporter"],
                report["author"],
                report["content"],
                report["reason"],
                report["state"]
            ])
        };
        let shown: Vec<Value> = reports.iter().map(shown).collect();
        let expected = [
            json!([ids[1], "bob", "alice", "ruder", "more of it", "open"]),
            json!([ids[0], "bob", "alice", "<b>rude</b>", "insults", "open"]),
        ];
        assert_eq!(shown, expected, "the newest first");
        let page = operator
            .get("/api/admin/report/list?limit=1&state=open")
            .await
            .ok();
        assert_eq!(
            (&page["reports"][0], &page["has_more"]),
            (&reports[0], &json!(true))
        );
        let next = format!("/api/admin/report/list?limit=1&before={}", reports[0]["id"]);
        let page = operator.get(&next).await.ok();
        assert_eq!(
            (&page["reports"][0], &page["has_more"]),
            (&reports[1], &json!(false))
        );
        let none = operator
            .get("/api/admin/report/list?state=handled")
            .await
            .ok();
        assert_eq!((&none["reports"], &none["total"]), (&json!([]), &json!(0)));
        let wrong = operator.get("/api/admin/report/list?state=lost").await;
        wrong.fails(400, "invalid_request");
    }
}

async fn what_cannot_be_reported(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let mut a = alice.connect().await;
    a.say("bob", "1", "hello").await;
    let (id, _) = a.stored("1").await;
    report(&alice, id, "mine")
        .await
        .fails(400, "invalid_request");
    report(&carol, id, "not hers")
        .await
        .fails(404, "message_not_found");
    report(&bob, 1, "none")
        .await
        .fails(404, "message_not_found");
    for reason in ["", "  ", "two\nlines", &"x".repeat(513)] {
        let refused = report(&bob, id, reason).await;
        refused.fails(400, "invalid_request");
        refused.blames("reason");
    }
    alice.post("message/recall", json!({"id": id})).await.ok();
    report(&bob, id, "gone")
        .await
        .fails(404, "message_not_found");
}

async fn too_many_reports_wait(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let mut ids = Vec::new();
    for number in 0..101 {
        let msg_id = number.to_string();
        a.say("bob", &msg_id, "hello").await;
        ids.push(a.stored(&msg_id).await.0);
    }
    for id in &ids[..100] {
        report(&bob, *id, "spam").await.ok();
    }
    report(&bob, ids[100], "spam")
        .await
        .fails(409, "too_many_reports");
    report(&bob, ids[0], "spam").await.ok();
}
