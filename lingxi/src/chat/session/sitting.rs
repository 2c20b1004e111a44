//! A session while it goes on: what it waits for.

use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::fetch::Fetch;
use super::link::Link;
use super::state::State;
use crate::chat::commands::Running;
use crate::chat::event::Event;
use crate::chat::input::Input;
use crate::chat::server::Rest;
use crate::chat::text;
use crate::chat::view::View;

/// A script does not wait longer than this for a server that is away; a person does.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long a message that has its ACK may take to come back, before the session ends without it.
const COMES_BACK: Duration = Duration::from_secs(10);
/// How long the server may take to keep what was read. Until it has, the next session is shown the same again.
const KEPT: Duration = Duration::from_secs(1);

/// A session while it goes on.
pub(super) struct Sitting {
    pub(super) rest: Rest,
    pub(super) link: Link,
    pub(super) state: State,
    pub(super) input: Option<Input>,
    pub(super) view: View,
    pub(super) fetch: Fetch,
    /// The command that is being done, and the line that gave it.
    pub(super) running: Option<(&'static str, String, Running)>,
    pub(super) shows: mpsc::Sender<Event>,
    pub(super) shown: mpsc::Receiver<Event>,
    pub(super) say: std::vec::IntoIter<String>,
    pub(super) follow: bool,
    pub(super) fields: bool,
    /// Since when there is no connection.
    pub(super) away_since: Option<Instant>,
    /// Since when nothing is left to do but to see one's own messages come back.
    pub(super) idle_since: Option<Instant>,
    /// When the session ends whether the server has kept what was read or not.
    pub(super) leaves_at: Option<Instant>,
}

impl Sitting {
    /// Whether all is done that was to be done.
    ///
    /// # Errors
    /// When the server has been away for too long.
    pub(super) fn is_over(&mut self, now: Instant) -> anyhow::Result<bool> {
        let waits = self.state.all_acked() && !self.state.is_complete();
        self.idle_since = waits.then(|| self.idle_since.unwrap_or(now));
        if self
            .idle_since
            .is_some_and(|since| now >= since + COMES_BACK)
        {
            self.state.tally.give_up();
        }
        let is_person = self.input.as_ref().is_some_and(Input::is_person);
        let away = self.away_since.is_some_and(|since| now >= since + PATIENCE);
        if away && !is_person && !self.follow {
            let server = &self.rest.server.named;
            self.state.verdict()?;
            return Err(anyhow!("{server} cannot be reached for {PATIENCE:?}"));
        }
        let ends = match self.state.expected {
            _ if self.state.quitting => true,
            Some(expected) => expected == 0,
            None => self.state.input_ended && !self.follow,
        };
        let is_idle = self.running.is_none()
            && self.fetch.is_idle()
            && self.say.as_slice().is_empty()
            && self.state.answer_until(now).is_none();
        if !ends || !is_idle || !self.state.is_complete() {
            self.leaves_at = None;
            return Ok(false);
        }
        let receipts = &mut self.state.receipts;
        if self.leaves_at.is_none() {
            receipts.hurry(now);
        }
        let leaves_at = *self.leaves_at.get_or_insert(now + KEPT);
        Ok(is_person || !self.link.is_open() || receipts.all_kept() || now >= leaves_at)
    }

    /// A script's lines are done one after the other, a person's when they are typed.
    pub(super) fn takes_input(&self) -> bool {
        let state = &self.state;
        let has_room = match &self.input {
            Some(input) if input.is_person() => !state.outbox.is_full() && !state.tally.is_full(),
            _ => state.is_complete() && self.say.as_slice().is_empty(),
        };
        has_room && !state.input_ended && !state.quitting && self.running.is_none()
    }

    /// When something is to be done, whatever happens.
    pub(super) fn due(&self, now: Instant) -> Instant {
        let open = self.link.is_open();
        let to_send = [self.state.outbox.due(now), self.state.receipts.due()];
        let to_send = to_send.into_iter().flatten().filter(|_| open);
        let waited_for = [
            self.idle_since.map(|since| since + COMES_BACK),
            self.away_since.map(|since| since + PATIENCE),
            self.state.answer_until(now),
            self.leaves_at,
        ];
        let waited_for = waited_for.into_iter().flatten().filter(|due| *due > now);
        to_send.chain(waited_for).min().unwrap_or(now + PATIENCE)
    }

    /// What stands before a person's line.
    pub(super) fn prompt(&self) -> String {
        let talk = self.state.talk.as_ref().map(ToString::to_string);
        format!("{}> ", text::line(&talk.unwrap_or_default()))
    }
}
