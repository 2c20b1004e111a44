//! Fields of the text log in which nobody can forge a record: what comes from outside, in a message or in a field, stays
//! in its line and colours nothing.

use std::fmt::{self, Write as _};

use tracing_subscriber::field::{MakeExt as _, RecordFields};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

/// The most bytes of one value that are written.
const MOST: usize = 8 * 1024;

/// Writes fields as `message name=value`, each value escaped and cut.
pub(crate) fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    Fields
}

struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let each = debug_fn(|writer: &mut Writer<'_>, field, value: &dyn fmt::Debug| {
            let name = field.name();
            let (italic, dimmed, plain) = match writer.has_ansi_escapes() {
                true => ("\u{1b}[3m", "\u{1b}[2m", "\u{1b}[0m"),
                false => ("", "", ""),
            };
            if name != "message" {
                let name = name.strip_prefix("r#").unwrap_or(name);
                write!(writer, "{italic}{name}{plain}{dimmed}={plain}")?;
            }
            let mut escaping = Escaping {
                writer,
                written: 0,
                left_out: 0,
            };
            write!(escaping, "{value:?}")?;
            match escaping.left_out {
                0 => Ok(()),
                bytes => write!(writer, "… ({bytes} bytes more)"),
            }
        });
        each.delimited(" ").format_fields(writer, fields)
    }
}

/// Lets through what stays within a line and moves nothing in it.
struct Escaping<'a, W> {
    writer: &'a mut W,
    written: usize,
    left_out: usize,
}

impl<W: fmt::Write> fmt::Write for Escaping<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.written >= MOST || self.left_out > 0 {
                self.left_out += c.len_utf8();
                continue;
            }
            self.written += c.len_utf8();
            match breaks_out(c) {
                true => write!(self.writer, "{}", c.escape_default())?,
                false => self.writer.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Returns true for control characters (line breaks, ESC, those of C1), Unicode's line separators, and what turns the
/// direction of the text around it.
fn breaks_out(c: char) -> bool {
    let separates = matches!(c, '\u{2028}' | '\u{2029}');
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || separates || turns
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::{MakeWriter, layer};
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::fields;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(ansi: bool, event: impl FnOnce()) -> String {
        let written = Written::default();
        let layer = layer()
            .with_writer(written.clone())
            .with_ansi(ansi)
            .fmt_fields(fields());
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, event);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const FORGED: &str = "no\r\n2026-11-26T00:00:00Z ERROR lingxi: forged\u{1b}[31m\u{9b}2J\u{2028}\u{202e}\t\u{7f}\0";

    #[test]
    fn what_comes_from_outside_stays_in_its_line() {
        let error = io::Error::other(FORGED);
        let text = logged(false, || {
            let span = tracing::info_span!("request", path = %FORGED, name = FORGED);
            let _entered = span.enter();
            tracing::info!(%error, body = ?FORGED, text = FORGED, debug = ?error, "{FORGED}");
            let error: &dyn std::error::Error = &error;
            tracing::info!(error, "as an error");
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with('\n'));
        let forged: Vec<_> = text
            .chars()
            .filter(|&c| c != '\n' && super::breaks_out(c))
            .collect();
        assert!(forged.is_empty(), "{forged:?} in {text}");
        assert!(text.contains(r"no\r\n2026-11-26T00:00:00Z ERROR"), "{text}");
        assert!(text.contains(r"error=no\r\n2026"), "{text}");
    }

    #[test]
    fn what_is_written_in_any_language_is_left_as_it_is() {
        let text = logged(
            false,
            || tracing::info!(who = %"灵犀 été हिन्दी", count = 3, "done: {}", "a\\b"),
        );
        assert!(
            text.ends_with("done: a\\b who=灵犀 été हिन्दी count=3\n"),
            "{text}"
        );
    }

    #[test]
    fn our_own_colours_survive_and_nobody_elses() {
        let text = logged(
            true,
            || tracing::info!(error = %"\u{1b}[31mred", "said \u{1b}[31m"),
        );
        assert!(text.contains("\u{1b}[3merror\u{1b}[0m"), "{text:?}");
        assert!(!text.contains("\u{1b}[31m"), "{text:?}");
    }

    #[test]
    fn a_long_value_is_cut() {
        let long = "x".repeat(100_000);
        let text = logged(false, || tracing::info!(error = %long, "m"));
        assert!(
            text.len() < 10_000 && text.contains("bytes more)"),
            "{}",
            text.len()
        );
    }
}
