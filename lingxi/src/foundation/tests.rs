use super::*;

use lingxi_runtime::config::{Sources, load_from};

#[test]
fn the_way_to_any_server_of_the_bus_will_do() {
    let address = |url: &str| {
        let config = Config {
            nats_url: Some(url.to_owned()),
            ..load_from(Sources::default()).unwrap()
        };
        reachable_address(&config)
    };
    let loopback = Some(IpAddr::from([127, 0, 0, 1]));
    assert_eq!(address("nats://127.0.0.1:4222"), loopback);
    assert_eq!(address("nats://user:p@ss@127.0.0.1/"), loopback);
    assert_eq!(
        address("nats://down.invalid:4222,nats://127.0.0.1:4222/"),
        loopback
    );
    assert_eq!(address("nats://down.invalid:4222"), None);
}
