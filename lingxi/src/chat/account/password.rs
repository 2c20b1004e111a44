//! A password, which is never on a command line: others see those.

use std::io::{BufRead as _, IsTerminal as _};

use anyhow::{Context as _, bail};

/// `LINGXI_PASSWORD`; or asked for at the terminal, without an echo, and twice for a new one; or the first line of the input.
pub(super) async fn password(user: &str, server: &str, new: bool) -> anyhow::Result<String> {
    if let Ok(password) = std::env::var("LINGXI_PASSWORD") {
        return Ok(password);
    }
    let prompt = format!("Password of {user} at {server}: ");
    // It waits for a person.
    tokio::task::spawn_blocking(move || match std::io::stdin().is_terminal() {
        true => asked(&prompt, new),
        false => first_line(),
    })
    .await
    .context("the password was not read")?
}

fn asked(prompt: &str, new: bool) -> anyhow::Result<String> {
    let ask =
        |prompt: &str| rpassword::prompt_password(prompt).context("cannot ask for the password");
    let password = ask(prompt)?;
    if new && ask("The same once more: ")? != password {
        bail!("the two passwords differ; try again");
    }
    Ok(password)
}

/// What is behind it stays for whoever reads the input next.
fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password")?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!(
            "there is no password: put it into LINGXI_PASSWORD, or on the first line of the input"
        );
    }
    Ok(password.to_owned())
}
