//! Users, groups and connections of a herd, before anything is lost.

use std::{rc::Rc, time::Duration};

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::task::spawn_local;

use super::{
    Fresh, Options, Running,
    books::{Answer, Books, Conversation},
    device::{Device, Plan},
    message::Recipient,
    sender::Sender,
};
use crate::{
    client::{Account, Accounts, Endpoint, Group, Socket, socket::PORTS_AN_ADDRESS},
    output::note,
};

/// Connections that are opened at once before the loss.
const CONCURRENCY: usize = 64;

/// Everything that is there before the loss.
pub(super) struct World {
    books: Books,
    senders: Vec<Socket>,
    clients: Vec<(Socket, String)>,
    refuges: Vec<Endpoint>,
}

/// Makes users and groups, and connects senders to the surviving gateways, clients to the one that will be lost.
pub(super) async fn world(options: &Options) -> anyhow::Result<World> {
    let endpoints = Endpoint::resolve_all(&options.url).await?;
    let (doomed, others) = endpoints.split_first().context("--url is empty")?;
    ensure!(
        options.cut || !others.is_empty(),
        "--kill-pid needs a second gateway in --url to come back to"
    );
    // With one gateway the clients lose their connections and come back to the same.
    let refuges = if others.is_empty() {
        &endpoints
    } else {
        others
    };

    note(&format!("{} users", options.clients + options.senders));
    let accounts = Accounts::new(&endpoints)?;
    let rest = accounts.rest().clone();
    let count = options.senders + options.clients;
    let accounts = match &options.accounts {
        Some(file) => accounts.reuse(file, count).await?,
        None => accounts.create(count).await?,
    };
    let (senders, clients) = accounts.split_at(options.senders);
    let mut conversations: Vec<Conversation> = clients
        .iter()
        .enumerate()
        .map(|(number, client)| {
            let to = Recipient::User(client.username.clone());
            conversation(options, to, number % senders.len(), 1)
        })
        .collect();
    for number in 0..options.groups {
        let members: Vec<Account> = clients
            .iter()
            .skip(number)
            .step_by(options.groups)
            .cloned()
            .collect();
        let sender = number % senders.len();
        let group = Group::create(&rest, &senders[sender], members.len() + 1).await?;
        group.join(&rest, &members).await?;
        let to = Recipient::Group(group.id);
        conversations.push(conversation(options, to, sender, members.len()));
    }

    note("connecting");
    let connect = async |endpoint: &Endpoint, account: &Account, number: usize| {
        Socket::connect(endpoint, &account.token, number)
            .await
            .context("cannot open a socket (open files: see ulimit -n, here and at the server)")
    };
    let mut sockets = Vec::new();
    for (number, account) in senders.iter().enumerate() {
        sockets.push(connect(&refuges[number % refuges.len()], account, number).await?);
    }
    let clients = stream::iter(clients.iter().enumerate())
        .map(async |(number, account)| {
            let socket = connect(doomed, account, number).await?;
            anyhow::Ok((socket, account.token.clone()))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let away = options.backlog.max(1);
    let early = options.fresh == Fresh::Back;
    Ok(World {
        books: Books::new(away, early, options.senders, conversations)?,
        senders: sockets,
        clients,
        refuges: refuges.to_vec(),
    })
}

fn conversation(options: &Options, to: Recipient, sender: usize, devices: usize) -> Conversation {
    // Before, while away, and fresh.
    let numbers = options.backlog.max(1) as usize + 2;
    Conversation {
        to,
        sender,
        devices,
        back: 0,
        messages: vec![(None, Answer::None); numbers],
    }
}

impl World {
    /// Lets senders and devices run, on the local task set that this is called in.
    pub(super) fn start(self, options: &Options) -> Running {
        let books = Rc::new(self.books);
        let mut tasks = Vec::with_capacity(self.senders.len() + self.clients.len());
        for (number, socket) in self.senders.into_iter().enumerate() {
            let sender = Sender {
                number,
                size: options.size,
                books: Rc::clone(&books),
                waiting: 0,
            };
            tasks.push(spawn_local(sender.run(socket)));
        }
        // Where the ports of the first connections may not be used again yet.
        let elsewhere = options.clients.next_multiple_of(PORTS_AN_ADDRESS);
        for (number, (socket, token)) in self.clients.into_iter().enumerate() {
            let plan = Plan {
                token,
                refuge: self.refuges[number % self.refuges.len()].clone(),
                number: number + elsewhere,
                cut: options.cut,
                jitter: Duration::from_millis(options.jitter_ms),
                attempt: Duration::from_millis(options.attempt_ms),
            };
            let mut conversations = vec![number];
            if options.groups > 0 {
                conversations.push(options.clients + number % options.groups);
            }
            let device = Device::new(plan, Rc::clone(&books), &conversations);
            tasks.push(spawn_local(device.run(socket)));
        }
        Running { books, tasks }
    }
}
