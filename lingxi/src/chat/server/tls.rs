//! Whom to trust.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, crypto};

/// TLS as requests and sockets use it: the system's certificates are trusted, or those in `ca` and no others. They are read
/// only where TLS is `wanted`.
pub(super) fn config(wanted: bool, ca: Option<&Path>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            let named = || format!("--ca {}", file.display());
            let certificates = CertificateDer::pem_file_iter(file).with_context(named)?;
            for certificate in certificates {
                roots
                    .add(certificate.with_context(named)?)
                    .with_context(named)?;
            }
            if roots.is_empty() {
                bail!(
                    "{}: there is no certificate in it; expected PEM",
                    file.display()
                );
            }
        }
        // What of the system's cannot be read is not trusted; others may do.
        None if wanted => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
        None => {}
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
