//! What travels between processes: bus payloads and internal gRPC, generated from `proto/*.proto`.
//!
//! The generated files are checked in, so a build needs no `protoc`; the test `generated_code_is_current` fails when
//! they drift and says how to make them again.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod bus {
    //! Payloads on the bus.
    include!("gen/lingxi.bus.v1.rs");
}

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod sink {
    //! The gateways' `TokenSink` service.
    include!("gen/lingxi.sink.v1.rs");
}

mod push;

pub use prost::Message;
