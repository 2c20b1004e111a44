//! The session's loop: what happens, and what is done then.

use anyhow::{Context as _, bail};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::fetch::Fetch;
use super::link::{Happened, Link};
use super::sitting::Sitting;
use super::state::State;
use super::typed::{Meaning, meaning};
use crate::chat::account::Account;
use crate::chat::commands::{self, Context, Running};
use crate::chat::event::Event;
use crate::chat::input::{Input, Typed};
use crate::chat::server::Refused;
use crate::chat::talk::Talk;
use crate::chat::view::{Scene, View};

/// What a session is to do.
pub(in super::super) struct Plan {
    pub(in super::super) account: Account,
    /// Lines to say and do, if there are any.
    pub(in super::super) input: Option<Input>,
    pub(in super::super) view: View,
    pub(in super::super) talk: Option<Talk>,
    /// To be said first.
    pub(in super::super) say: Vec<String>,
    /// The session ends after so many messages from others.
    pub(in super::super) expect: Option<usize>,
    /// The session does not end with its input.
    pub(in super::super) follow: bool,
    /// Lines that begin with `{` are messages' fields.
    pub(in super::super) fields: bool,
}

/// Connects and goes on until the plan is done.
///
/// # Errors
/// When it cannot connect, when the server ends it, and when something was refused or has no ACK at the end.
pub(in super::super) async fn run(plan: Plan) -> anyhow::Result<()> {
    let Account { rest, username } = plan.account;
    let link = Link::open(rest.clone()).await?;
    let (shows, shown) = mpsc::channel(64);
    let mut state = State::new(username, plan.talk, plan.expect);
    state.input_ended = plan.input.is_none();
    state.shown.push_back(Event::Connected { again: false });
    let sitting = Sitting {
        rest,
        link,
        state,
        input: plan.input,
        view: plan.view,
        fetch: Fetch::default(),
        running: None,
        shows,
        shown,
        say: plan.say.into_iter(),
        follow: plan.follow,
        fields: plan.fields,
        away_since: None,
        idle_since: None,
        leaves_at: None,
    };
    sitting.run().await
}

impl Sitting {
    async fn run(mut self) -> anyhow::Result<()> {
        loop {
            self.do_what_is_due().await?;
            let now = Instant::now();
            if self.is_over(now)? {
                break;
            }
            let (due, takes_input, prompt) = (self.due(now), self.takes_input(), self.prompt());
            tokio::select! {
                happened = self.link.next() => self.happened(happened)?,
                typed = next_line(&mut self.input, &prompt), if takes_input => self.typed(typed),
                Some(event) = self.shown.recv() => self.state.shown.push_back(event),
                done = done(&mut self.running), if self.running.is_some() => self.done(done)?,
                Some(page) = self.fetch.next(), if !self.fetch.is_idle() => {
                    self.state.page(page, Instant::now());
                }
                () = sleep_until(due) => {}
            }
        }
        for receipt in self.state.farewell() {
            self.link.send(&receipt).await;
        }
        self.link.close().await;
        let is_person = self.input.as_ref().is_some_and(Input::is_person);
        match is_person && self.state.all_acked() {
            // They were told at once.
            true => Ok(()),
            false => self.state.verdict(),
        }
    }

    /// Shows, sends and fetches what waits for it.
    async fn do_what_is_due(&mut self) -> anyhow::Result<()> {
        let state = &mut self.state;
        while !state.outbox.is_full()
            && let Some(text) = self.say.next()
        {
            let talk = state
                .talk
                .as_ref()
                .context("say whom it is for: --to NAME or --group ID")?;
            let message = talk.message(&json!({"content": text}));
            state.say(message);
        }
        while let Some(event) = state.shown.pop_front() {
            let scene = Scene {
                me: &state.me,
                server: &self.rest.server.named,
                names: &state.names,
                talk: state.talk.as_ref(),
            };
            self.view
                .show(&event, &scene)
                .context("nobody reads the output")?;
        }
        for pull in state.pulls.drain(..) {
            self.fetch.add(pull);
        }
        self.fetch.begin(&self.rest, &state.me, &state.names);
        if !self.link.is_open() {
            return Ok(());
        }
        let now = Instant::now();
        for frame in state.frames.drain(..).chain(state.receipts.take(now)) {
            self.link.send(&frame).await;
        }
        if let Some(message) = state.outbox.next(now) {
            self.link.send(message).await;
        }
        Ok(())
    }

    fn happened(&mut self, happened: Happened) -> anyhow::Result<()> {
        let now = Instant::now();
        match happened {
            Happened::Frame(frame) => self.state.frame(frame, now),
            Happened::Opened => {
                self.away_since = None;
                self.state.connected(now);
            }
            Happened::Lost { why, retry_in } => {
                self.away_since.get_or_insert(now);
                self.state.outbox.lost();
                self.state.shown.push_back(Event::Lost { why, retry_in });
            }
            Happened::Ended(why) => bail!(why),
        }
        Ok(())
    }

    fn typed(&mut self, typed: Typed) {
        let line = match typed {
            Typed::Line(line) => line,
            Typed::Unreadable(why) => {
                self.state.tally.command();
                self.state.refused("", Refused::usage(why));
                self.state.input_ended = true;
                return;
            }
            Typed::End => {
                self.state.input_ended = true;
                self.state.quitting |= self.input.as_ref().is_some_and(Input::is_person);
                return;
            }
        };
        match meaning(&line, self.fields, self.state.talk.as_ref()) {
            Ok(Meaning::Nothing) => {}
            Ok(Meaning::Message(frame)) => self.state.say(frame),
            Ok(Meaning::Command(command, rest)) => {
                self.state.tally.command();
                let context = Context {
                    rest: self.rest.clone(),
                    talk: self.state.talk.clone(),
                    last: self.state.last,
                    shown: self.shows.clone(),
                };
                let running = (command.run)(context, rest.to_owned());
                self.running = Some((command.name, line, running));
            }
            Err(why) => {
                self.state.tally.command();
                self.state.refused(&line, why);
            }
        }
    }

    fn done(&mut self, done: Result<commands::Done, Refused>) -> anyhow::Result<()> {
        // What it said before it was done.
        while let Ok(event) = self.shown.try_recv() {
            self.state.shown.push_back(event);
        }
        let Some((name, line, _)) = self.running.take() else {
            return Ok(());
        };
        match done {
            Ok(done) => self.state.done(name, done, Instant::now()),
            Err(why) => self.state.refused(&line, why),
        }
        Ok(())
    }
}

async fn next_line(input: &mut Option<Input>, prompt: &str) -> Typed {
    match input {
        Some(input) => input.next(prompt).await,
        None => Typed::End,
    }
}

async fn done(
    running: &mut Option<(&'static str, String, Running)>,
) -> Result<commands::Done, Refused> {
    match running {
        Some((_, _, running)) => running.await,
        None => std::future::pending().await,
    }
}
