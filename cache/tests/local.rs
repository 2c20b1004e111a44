//! The in-process cache keeps the promises of every cache.

#[tokio::test]
async fn conforms() {
    lingxi_cache::conformance::run(lingxi_cache::local::LocalCache::shared()).await;
}
