//! What the machine can do without a server between.

use std::{path::Path, sync::Arc, time::Instant};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinSet, spawn_blocking},
};

/// Writes so many files, each on the disk before the next is; MiB a second.
pub(super) async fn disk(folder: &Path, bytes: &Arc<[u8]>, files: usize) -> anyhow::Result<f64> {
    let (folder, bytes) = (folder.to_owned(), bytes.clone());
    spawn_blocking(move || {
        let begun = Instant::now();
        let paths: Vec<_> = (0..files)
            .map(|n| folder.join(format!("bench-files-{n}")))
            .collect();
        let written = paths.iter().try_for_each(|path| {
            let mut file = std::fs::File::create(path)?;
            std::io::Write::write_all(&mut file, &bytes)?;
            file.sync_all()
        });
        let took = begun.elapsed().as_secs_f64();
        for path in &paths {
            let _ = std::fs::remove_file(path);
        }
        written.with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(mib(&bytes, files) / took)
    })
    .await?
}

/// Carries so many files over as many connections, within this process; MiB a second.
pub(super) async fn loopback(bytes: &Arc<[u8]>, files: usize) -> anyhow::Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let sent = bytes.clone();
    // On a thread of its own, as the server is a process of its own.
    let serving = std::thread::spawn(move || -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async move {
            let mut sending = JoinSet::new();
            for _ in 0..files {
                let (mut stream, _) = listener.accept().await?;
                let sent = sent.clone();
                sending.spawn(async move { stream.write_all(&sent).await });
            }
            while let Some(sent) = sending.join_next().await {
                sent??;
            }
            Ok(())
        })
    });
    let begun = Instant::now();
    let mut reading = JoinSet::new();
    for _ in 0..files {
        reading.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            let mut piece = vec![0; 64 * 1024];
            while stream.read(&mut piece).await? > 0 {}
            anyhow::Ok(())
        });
    }
    while let Some(read) = reading.join_next().await {
        read??;
    }
    let took = begun.elapsed().as_secs_f64();
    serving
        .join()
        .map_err(|_| anyhow::anyhow!("the sender panicked"))??;
    Ok(mib(bytes, files) / took)
}

fn mib(bytes: &Arc<[u8]>, files: usize) -> f64 {
    (bytes.len() * files) as f64 / (1024.0 * 1024.0)
}
