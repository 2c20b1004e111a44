//! A person's lines, edited as in a shell.

use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::Context as _;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::DefaultEditor;
use tokio::sync::mpsc;

use super::typed::{Printer, Typed};

/// The terminal as it was found, and is left. The editor's thread may be waiting for a key when the process ends.
pub(super) struct Terminal(Termios);

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
        let mut out = std::io::stdout();
        // No bracketed paste any more, and the shell's prompt on a line of its own.
        let _ = out.write_all(b"\x1b[?2004l\r").and_then(|()| out.flush());
    }
}

/// An editor on this terminal, and what prints above its line.
pub(super) fn open() -> anyhow::Result<(Terminal, DefaultEditor, Printer)> {
    let found = tcgetattr(std::io::stdin()).context("the terminal cannot be used")?;
    let mut editor = DefaultEditor::new().context("the terminal cannot be used")?;
    let printer = editor.create_external_printer();
    let printer = printer.context("the terminal cannot be used")?;
    Ok((Terminal(found), editor, Box::new(printer)))
}

/// Reads a line for each prompt, in a thread of its own.
pub(super) fn read(editor: DefaultEditor) -> (SyncSender<String>, mpsc::Receiver<Typed>) {
    let (ask, prompts) = sync_channel(1);
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || edit(editor, &prompts, &sender));
    (ask, lines)
}

fn edit(mut editor: DefaultEditor, prompts: &Receiver<String>, lines: &mpsc::Sender<Typed>) {
    while let Ok(prompt) = prompts.recv() {
        let typed = match editor.readline(&prompt) {
            Ok(line) => {
                let _ = editor.add_history_entry(line.as_str());
                Typed::Line(line)
            }
            // Ctrl-C, Ctrl-D, or the terminal is gone.
            Err(_) => Typed::End,
        };
        if lines.blocking_send(typed).is_err() {
            return;
        }
    }
}
