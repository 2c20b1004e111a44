//! A group with many members, of whom one joins and leaves in a loop, another invites strangers by force, and a third types
//! all the time: every entry goes to everybody.

use std::time::Duration;

use serde_json::json;

use crate::{
    attack::{flood::keep_going, kind::Prepared, stage::Stage},
    client::{Group, Socket},
};

/// Members beside the attackers.
const MEMBERS: usize = 300;

pub(in crate::attack) async fn prepare(stage: &Stage) -> anyhow::Result<Prepared> {
    let people = stage.several(MEMBERS + 3).await?;
    let (attackers, members) = people.split_at(3);
    let rest = stage.rest().clone();
    let group = Group::create(&rest, &attackers[0], 5_000).await?;
    group.join(&rest, members).await?;
    group.join(&rest, &attackers[2..]).await?;
    let endpoint = stage.endpoint.clone();
    let attackers = attackers.to_vec();
    let (rest, names): (_, Vec<String>) =
        (rest, members.iter().map(|m| m.username.clone()).collect());
    Ok(Prepared::new(async move |until, tally| {
        keep_going(6, until, |number| {
            let (rest, tally, endpoint) = (rest.clone(), tally.clone(), endpoint.clone());
            let (attackers, name) = (attackers.clone(), names[number % names.len()].clone());
            async move {
                let id = group.id;
                match number % 3 {
                    0 => {
                        for path in ["group/join", "group/leave"] {
                            let body = json!({"group_id": id});
                            match rest.status(path, &attackers[1].token, &body).await {
                                Ok(status) => tally.count(format!("{path} {status}")),
                                Err(_) => tally.count("failed"),
                            }
                        }
                    }
                    1 => {
                        // Out and in again, by the owner.
                        for path in ["group/kick", "group/invite"] {
                            let body = json!({"group_id": id, "target_username": name});
                            match rest.status(path, &attackers[0].token, &body).await {
                                Ok(status) => tally.count(format!("{path} {status}")),
                                Err(_) => tally.count("failed"),
                            }
                        }
                    }
                    _ => {
                        let Ok(mut socket) =
                            Socket::connect(&endpoint, &attackers[2].token, 0).await
                        else {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                            return;
                        };
                        for _ in 0..200 {
                            socket
                                .outbox
                                .text(format!(r#"{{"type":9,"group_id":{id}}}"#).as_bytes());
                            if socket.flush().is_err() {
                                return;
                            }
                            tally.count("typing");
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                    }
                }
            }
        })
        .await;
    }))
}
