//! The checked-in code is what the .proto files say.

use std::path::Path;

#[test]
fn generated_code_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().unwrap();
    let files = ["bus.proto", "sink.proto"];
    let descriptors = protox::compile(files, [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .bytes(".")
        .out_dir(out.path())
        .compile_fds(descriptors)
        .unwrap();
    let regenerate = std::env::var_os("LINGXI_REGENERATE").is_some();
    for name in ["lingxi.bus.v1.rs", "lingxi.sink.v1.rs"] {
        let made = std::fs::read_to_string(out.path().join(name)).unwrap();
        let kept = root.join("src/gen").join(name);
        if regenerate {
            std::fs::write(&kept, &made).unwrap();
        }
        let current = std::fs::read_to_string(&kept).unwrap_or_default();
        assert!(
            current == made,
            "{name} is not what the .proto files say: run LINGXI_REGENERATE=1 cargo test -p lingxi-proto"
        );
    }
}
