//! Where events are shown: to a person, or as JSON.

mod person;

use std::io::Write as _;

use serde_json::Value;

use super::event::Event;
use super::input::Printer;
use super::text;

pub(super) use person::Scene;

/// Shows events.
pub(super) struct View {
    json: bool,
    /// Prints above the line that a person edits.
    printer: Option<Printer>,
    /// Whether the last line has no end yet: the assistant is in the middle of a sentence.
    in_a_line: bool,
}

impl View {
    /// One object a line.
    pub(super) fn json() -> Self {
        Self {
            json: true,
            printer: None,
            in_a_line: false,
        }
    }

    /// For people, above the line that they edit, if they do.
    pub(super) fn person(printer: Option<Printer>) -> Self {
        Self {
            json: false,
            printer,
            in_a_line: false,
        }
    }

    /// Shows it.
    ///
    /// # Errors
    /// When nobody reads the output any more.
    pub(super) fn show(&mut self, event: &Event, scene: &Scene<'_>) -> std::io::Result<()> {
        if self.json {
            let line = text::json(&event.json());
            return self.print(format!("{line}\n"));
        }
        if let Event::Answer { body, .. } = event
            && body["type"] == "chunk"
        {
            return self.piece(body);
        }
        let lines = person::lines(event, scene);
        // The next prompt would be written over the assistant's last words.
        let is_last = matches!(event, Event::Answer { body, .. } if body["type"] == "done");
        if lines.is_empty() && !(is_last && self.in_a_line) {
            return Ok(());
        }
        let mut text = String::new();
        if std::mem::take(&mut self.in_a_line) {
            text.push('\n');
        }
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
        self.print(text)
    }

    /// A piece of the assistant's text.
    fn piece(&mut self, body: &Value) -> std::io::Result<()> {
        let piece = body["content"].as_str().unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        self.in_a_line = !piece.ends_with('\n');
        let lines: Vec<String> = piece.split('\n').map(text::line).collect();
        self.print(lines.join("\n"))
    }

    fn print(&mut self, text: String) -> std::io::Result<()> {
        match &mut self.printer {
            Some(printer) => printer.print(text).map_err(std::io::Error::other),
            None => {
                let mut out = std::io::stdout().lock();
                out.write_all(text.as_bytes())?;
                out.flush()
            }
        }
    }
}
