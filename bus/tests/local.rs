//! The in-process bus keeps the promises of every bus.

#[tokio::test]
async fn conforms() {
    lingxi_bus::conformance::run(lingxi_bus::local::LocalBus::shared(64)).await;
}
