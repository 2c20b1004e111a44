//! A line at a time, from wherever.

use tokio::sync::mpsc;

use super::typed::{Printer, Typed};
use super::{editor, lines};

/// A line at a time. Reading blocks, so it has a thread of its own, which ends with the process.
pub(in super::super) struct Input {
    lines: mpsc::Receiver<Typed>,
    /// A person's editor asks for the next line when it is told so, with what stands before it.
    prompts: Option<std::sync::mpsc::SyncSender<String>>,
    asked: bool,
    _terminal: Option<editor::Terminal>,
}

impl Input {
    /// Lines as they are piped in.
    pub(in super::super) fn lines() -> Self {
        Self {
            lines: lines::read(),
            prompts: None,
            asked: false,
            _terminal: None,
        }
    }

    /// A person's lines, with an editor and a history, and how to print above them.
    ///
    /// # Errors
    /// When the terminal is none.
    pub(in super::super) fn person() -> anyhow::Result<(Self, Printer)> {
        let (terminal, editor, printer) = editor::open()?;
        let (prompts, lines) = editor::read(editor);
        let input = Self {
            lines,
            prompts: Some(prompts),
            asked: false,
            _terminal: Some(terminal),
        };
        Ok((input, printer))
    }

    /// Whether it is a person who types.
    pub(in super::super) fn is_person(&self) -> bool {
        self.prompts.is_some()
    }

    /// The next line. `prompt` is what a person sees before it. Nothing is lost when this is dropped before it is done.
    pub(in super::super) async fn next(&mut self, prompt: &str) -> Typed {
        if let Some(prompts) = self.prompts.as_ref().filter(|_| !self.asked) {
            self.asked = true;
            let _ = prompts.try_send(prompt.to_owned());
        }
        let typed = self.lines.recv().await;
        self.asked = false;
        typed.unwrap_or(Typed::End)
    }
}
