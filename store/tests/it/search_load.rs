use std::time::{Duration, Instant};

use lingxi_store::conformance::mysql;
use lingxi_store::{Location, Store};

const N: usize = 300_000;

fn rows() -> String {
    format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {N}) ")
}

fn insert(my: bool) -> String {
    let cat = |parts: &[&str]| {
        if my {
            format!("CONCAT({})", parts.join(","))
        } else {
            parts.join("||")
        }
    };
    let name = cat(&["'user'", "i"]);
    let nick = cat(&[
        "CASE i % 5 WHEN 0 THEN 'Мария ' WHEN 1 THEN '李明 ' WHEN 2 THEN 'Jürgen ' WHEN 3 THEN 'Anna ' ELSE 'Bob ' END",
        "i * 7919 % 1000003",
    ]);
    let select = format!("SELECT {name}, {name}, '', {nick}, 1 FROM n");
    let into = "INSERT INTO users (username, username_key, password_hash, nickname, created_at) ";
    if my {
        format!(
            "SET SESSION max_recursive_iterations = 1000000; {into}{}{select}",
            rows()
        )
    } else {
        format!("{}{into}{select};", rows())
    }
}

fn pct(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |p: usize| times[(times.len() - 1) * p / 1000];
    format!(
        "n={} p50={:?} p99={:?} max={:?}",
        times.len(),
        at(500),
        at(990),
        at(1000)
    )
}

async fn measure(store: &Store, what: &str) {
    for keyword in [
        "мария 12",
        "user2999",
        "99",
        "a",
        "李",
        "r 10",
        "no such",
        "user",
    ] {
        let start = Instant::now();
        let mut last = 0;
        for _ in 0..20 {
            let page = store.search_users(keyword, -1, None, 50).await.unwrap();
            last = page.rows.len();
        }
        println!(
            "{what} {keyword:?}: {last} rows, {:?} each",
            start.elapsed() / 20
        );
    }
    let alone = others(store, Duration::from_secs(3)).await;
    println!("{what} others alone: {}", pct(alone));
    let until = Instant::now() + Duration::from_secs(8);
    let searches: Vec<_> = (0..16)
        .map(|n: usize| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut times = Vec::new();
                let mut k = n * 7919;
                while Instant::now() < until {
                    k = k * 31 % 99_991;
                    let keyword = match k % 4 {
                        0 => format!("{k}"),
                        1 => "a".into(),
                        2 => format!("мария {}", k % 100),
                        _ => "zzz".into(),
                    };
                    let start = Instant::now();
                    store.search_users(&keyword, -1, None, 50).await.unwrap();
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    let beside = others(store, Duration::from_secs(7)).await;
    let mut all = Vec::new();
    for s in searches {
        all.extend(s.await.unwrap());
    }
    println!("{what} 16 searchers: {}", pct(all));
    println!("{what} others beside: {}", pct(beside));
}

async fn others(store: &Store, long: Duration) -> Vec<Duration> {
    let until = Instant::now() + long;
    let mut times = Vec::new();
    while Instant::now() < until {
        let start = Instant::now();
        store.user_by_key("user777").await.unwrap();
        times.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let location = Location::Sqlite(path.clone());
    Store::open(&location).await.unwrap().close().await;
    let run = |sql: &str| {
        let out = std::process::Command::new("sqlite3")
            .arg(&path)
            .arg(sql)
            .output()
            .unwrap();
        assert!(out.status.success(), "{out:?}");
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    run(&insert(false));
    let start = Instant::now();
    for keyword in ["мария 12", "99", "no such"] {
        run(&format!(
            "SELECT * FROM users WHERE (username_key LIKE '%{keyword}%' ESCAPE '!' OR nickname LIKE '%{keyword}%' ESCAPE '!') AND id <> -1 AND deleted_at IS NULL ORDER BY username_key LIMIT 50"
        ));
    }
    println!("sqlite before: {:?} a search", start.elapsed() / 3);
    let size = |p: &std::path::Path| std::fs::metadata(p).unwrap().len() >> 20;
    let before = size(&path);
    let start = Instant::now();
    let store = Store::open(&location).await.unwrap();
    println!(
        "sqlite filled in {:?}; {before} -> {} MiB",
        start.elapsed(),
        {
            run("PRAGMA wal_checkpoint(TRUNCATE)");
            size(&path)
        }
    );
    println!(
        "sqlite parts: {}",
        run("SELECT COUNT(*) FROM name_parts").trim()
    );
    measure(&store, "sqlite").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore]
async fn maria() {
    let database = mysql::fresh().await;
    database.run(&insert(true)).await.unwrap();
    let like = |c: &str| {
        format!(
            "LOWER(CONVERT(CAST({c} AS BINARY) USING geostd8)) LIKE LOWER(CONVERT(CAST('%no such%' AS BINARY) USING geostd8)) COLLATE geostd8_bin ESCAPE '!'"
        )
    };
    let start = Instant::now();
    database.run(&format!("SELECT * FROM users WHERE ({} OR {}) AND id <> -1 AND deleted_at IS NULL ORDER BY username_key LIMIT 50", like("username_key"), like("nickname"))).await.unwrap();
    println!("maria before: {:?} a search", start.elapsed());
    let start = Instant::now();
    let store = Store::open(&database.location()).await.unwrap();
    println!("maria filled in {:?}", start.elapsed());
    measure(&store, "maria").await;
}
