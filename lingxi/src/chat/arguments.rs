//! What `lingxi chat` is told.

use std::path::PathBuf;

/// What `lingxi chat` is told.
#[derive(clap::Args)]
#[command(
    after_help = "Whom to be: --user (the password is asked for, or in LINGXI_PASSWORD, or the first line of the input), else \
--token or LINGXI_TOKEN, else --token-file, else who was remembered.\n\
Lines of the input are messages; those that begin with / are commands: /help lists them. With --json a line may also be a \
message's fields, as in {\"to\":\"bob\",\"content\":\"hi\"}.\n\
Exit status: 0 when all was sent and done, 1 when something was refused or has no answer, 2 when this was called wrongly."
)]
pub(crate) struct Arguments {
    /// The server, as in `https://chat.example`; `http://127.0.0.1:8080`, or that of who was remembered, where there is none.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Trusts the certificates in this PEM file, in place of the system's.
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Logs in as this user.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Makes the account first.
    #[arg(long, requires = "user")]
    pub(super) register: bool,
    /// Keeps the token in a file that nobody else can read; the next time, --user is not needed.
    #[arg(long)]
    pub(super) remember: bool,
    /// The token that login answered. Others on this machine may see it; LINGXI_TOKEN and --token-file they do not.
    #[arg(long, env = "LINGXI_TOKEN", hide_env_values = true)]
    pub(super) token: Option<String>,
    /// A file with the token; where --remember keeps it.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Whom to write to.
    #[arg(long, value_name = "NAME", conflicts_with = "group")]
    pub(super) to: Option<String>,
    /// Which group to write to.
    #[arg(long, value_name = "ID")]
    pub(super) group: Option<i64>,
    /// A message to send; may be repeated. Ends when each has its ACK and was shown, or was refused. Implies --json.
    #[arg(long, value_name = "TEXT")]
    pub(super) say: Vec<String>,
    /// Ends after this many messages from others were shown. Implies --json.
    #[arg(long, value_name = "COUNT")]
    pub(super) expect: Option<usize>,
    /// Goes on showing what comes when the input has ended.
    #[arg(long)]
    pub(super) follow: bool,
    /// Prints every event as one JSON object a line: frames as they came, what the client does as {"client":…}.
    #[arg(long)]
    pub(super) json: bool,
}

impl Arguments {
    /// Whether events are printed as JSON.
    pub(super) fn as_json(&self) -> bool {
        self.json || !self.say.is_empty() || self.expect.is_some()
    }

    /// Whether lines of the input are messages and commands.
    pub(super) fn reads_input(&self) -> bool {
        let target = self.to.is_some() || self.group.is_some();
        self.say.is_empty() && (self.expect.is_none() || target)
    }
}
