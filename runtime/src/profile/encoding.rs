//! A report as `profile.proto` of github.com/google/pprof has it; fields that are not written are left out.

use std::collections::HashMap;

use pprof::{Frames, Report, Symbol};

/// What was sampled. Strings are indices into `string_table`, whose first is empty.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Profile {
    #[prost(message, repeated, tag = "1")]
    pub(super) sample_type: Vec<ValueType>,
    #[prost(message, repeated, tag = "2")]
    pub(super) sample: Vec<Sample>,
    #[prost(message, repeated, tag = "3")]
    pub(super) mapping: Vec<Mapping>,
    #[prost(message, repeated, tag = "4")]
    pub(super) location: Vec<Location>,
    #[prost(message, repeated, tag = "5")]
    pub(super) function: Vec<Function>,
    #[prost(string, repeated, tag = "6")]
    pub(super) string_table: Vec<String>,
    #[prost(int64, tag = "9")]
    pub(super) time_nanos: i64,
    #[prost(int64, tag = "10")]
    pub(super) duration_nanos: i64,
    #[prost(message, optional, tag = "11")]
    pub(super) period_type: Option<ValueType>,
    #[prost(int64, tag = "12")]
    pub(super) period: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct ValueType {
    #[prost(int64, tag = "1")]
    pub(super) kind: i64,
    #[prost(int64, tag = "2")]
    pub(super) unit: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    /// The innermost first.
    #[prost(uint64, repeated, tag = "1")]
    pub(super) location_id: Vec<u64>,
    #[prost(int64, repeated, tag = "2")]
    pub(super) value: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    pub(super) label: Vec<Label>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Label {
    #[prost(int64, tag = "1")]
    pub(super) key: i64,
    #[prost(int64, tag = "2")]
    pub(super) text: i64,
}

/// The program itself; it says that the names need not be looked up again.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Mapping {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(int64, tag = "5")]
    pub(super) filename: i64,
    #[prost(bool, tag = "7")]
    pub(super) has_functions: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Location {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(uint64, tag = "2")]
    pub(super) mapping_id: u64,
    /// More than one where functions were inlined, the innermost first.
    #[prost(message, repeated, tag = "4")]
    pub(super) line: Vec<Line>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Line {
    #[prost(uint64, tag = "1")]
    pub(super) function_id: u64,
    #[prost(int64, tag = "2")]
    pub(super) line: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Function {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(int64, tag = "2")]
    pub(super) name: i64,
    #[prost(int64, tag = "3")]
    pub(super) system_name: i64,
    #[prost(int64, tag = "4")]
    pub(super) filename: i64,
}

/// Puts a report into that form.
pub(super) fn encode(report: &Report) -> Profile {
    let mut tables = Tables::default();
    tables.text("");
    let program = std::env::current_exe().unwrap_or_default();
    let filename = tables.text(&program.to_string_lossy());
    let samples = tables.value_type("samples", "count");
    let cpu = tables.value_type("cpu", "nanoseconds");
    let period = 1_000_000_000 / i64::from(report.timing.frequency.max(1));
    let sample = report
        .data
        .iter()
        .map(|(frames, &count)| tables.sample(frames, count as i64, period))
        .collect();
    let begun = report
        .timing
        .start_time
        .duration_since(std::time::UNIX_EPOCH);
    let nanos = |time: std::time::Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    Profile {
        sample_type: vec![samples, cpu.clone()],
        sample,
        mapping: vec![Mapping {
            id: 1,
            filename,
            has_functions: true,
        }],
        location: tables.location,
        function: tables.function,
        string_table: tables.string_table,
        time_nanos: nanos(begun.unwrap_or_default()),
        duration_nanos: nanos(report.timing.duration),
        period_type: Some(cpu),
        period,
    }
}

/// Without what the signal handler called to look at the stack, which is innermost wherever the signal hit.
fn below_the_sampling(frames: &[Vec<Symbol>]) -> &[Vec<Symbol>] {
    let sampling = |frame: &Vec<Symbol>| frame.iter().any(|s| s.name().contains("pprof::"));
    let depth = frames.iter().take(8).rposition(sampling);
    &frames[depth.map_or(0, |last| last + 1)..]
}

/// Everything once, referred to by its number.
#[derive(Default)]
struct Tables {
    string_table: Vec<String>,
    strings: HashMap<String, i64>,
    function: Vec<Function>,
    functions: HashMap<(i64, i64), u64>,
    location: Vec<Location>,
    locations: HashMap<Vec<(u64, i64)>, u64>,
}

impl Tables {
    fn text(&mut self, text: &str) -> i64 {
        if let Some(&index) = self.strings.get(text) {
            return index;
        }
        let index = self.string_table.len() as i64;
        self.string_table.push(text.to_owned());
        self.strings.insert(text.to_owned(), index);
        index
    }

    fn value_type(&mut self, kind: &str, unit: &str) -> ValueType {
        ValueType {
            kind: self.text(kind),
            unit: self.text(unit),
        }
    }

    fn sample(&mut self, frames: &Frames, count: i64, period: i64) -> Sample {
        let thread = Label {
            key: self.text("thread"),
            text: self.text(&frames.thread_name_or_id()),
        };
        let frames = below_the_sampling(&frames.frames);
        Sample {
            location_id: frames.iter().map(|f| self.location(f)).collect(),
            value: vec![count, count * period],
            label: vec![thread],
        }
    }

    fn location(&mut self, symbols: &[Symbol]) -> u64 {
        let lines: Vec<_> = symbols
            .iter()
            .map(|symbol| (self.function(symbol), i64::from(symbol.lineno())))
            .collect();
        if let Some(&id) = self.locations.get(&lines) {
            return id;
        }
        let id = self.location.len() as u64 + 1;
        let line = |&(function_id, line)| Line { function_id, line };
        self.location.push(Location {
            id,
            mapping_id: 1,
            line: lines.iter().map(line).collect(),
        });
        self.locations.insert(lines, id);
        id
    }

    fn function(&mut self, symbol: &Symbol) -> u64 {
        let system_name = self.text(&symbol.sys_name());
        let file = symbol.filename.as_ref();
        let filename = self.text(&file.map(|f| f.to_string_lossy()).unwrap_or_default());
        if let Some(&id) = self.functions.get(&(system_name, filename)) {
            return id;
        }
        let id = self.function.len() as u64 + 1;
        let name = self.text(&symbol.name());
        self.function.push(Function {
            id,
            name,
            system_name,
            filename,
        });
        self.functions.insert((system_name, filename), id);
        id
    }
}
