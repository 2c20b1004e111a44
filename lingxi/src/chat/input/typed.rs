//! What comes of the input.

use rustyline::ExternalPrinter;

/// What came.
#[derive(Debug)]
pub(in super::super) enum Typed {
    /// A line.
    Line(String),
    /// What is no line: why.
    Unreadable(String),
    /// Nothing more.
    End,
}

/// Prints above a line that is being edited.
pub(in super::super) type Printer = Box<dyn ExternalPrinter + Send>;
