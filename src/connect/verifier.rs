//! rustls for PostgreSQL: the connector for a mode, and the two ways of checking that rustls does not have by itself.
//!
//! `require` without a root certificate trusts whoever answers, as libpq does: it keeps listeners out, not impostors.
//! `verify-ca` checks the chain and not the name.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::passfile::readable_by_others;
use super::tls::{Roots, TlsMode, TlsOptions};
use crate::error::{Error, ErrorKind, Result};

/// The connector that `options` ask for.
pub(super) fn connector(options: &TlsOptions) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let failed = |cause: TlsError| Error::new(ErrorKind::Connect, "failed to set up TLS").caused_by(cause);
    let verifier = PostgresVerifier::new(options, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &options.identity {
        Some((certificate, key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(failed)?,
        None => builder.with_no_client_auth(),
    };
    // sslnegotiation=direct insists on it; otherwise servers ignore it.
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}

fn unreadable(path: &Path, what: &str, cause: rustls::pki_types::pem::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("failed to read the {what} {}", path.display()),
    )
    .caused_by(cause)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let failed = |cause| unreadable(path, "certificate", cause);
    let all: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if all.is_empty() {
        return Err(Error::input(format!("{} holds no certificate", path.display())));
    }
    Ok(all)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let metadata = fs::metadata(path).map_err(|cause| Error::io(path, "read", cause))?;
    if readable_by_others(&metadata) {
        return Err(Error::input(format!(
            "the private key {} can be read by others",
            path.display()
        ))
        .with_help("chmod 0600 it"));
    }
    PrivateKeyDer::from_pem_file(path).map_err(|cause| unreadable(path, "private key", cause))
}

/// Checks the server's certificate as far as the mode says.
#[derive(Debug)]
struct PostgresVerifier {
    provider: Arc<CryptoProvider>,
    /// `None`: nobody is checked.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// The trusted certificates themselves, for servers that present one of them.
    trusted: Vec<CertificateDer<'static>>,
    check_name: bool,
}

impl PostgresVerifier {
    fn new(options: &TlsOptions, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let trusted = match &options.roots {
            Roots::Unchecked => {
                return Ok(Self {
                    provider: Arc::clone(provider),
                    chain: None,
                    trusted: Vec::new(),
                    check_name: false,
                });
            }
            Roots::File(path) => certificates(path)?,
            Roots::System => rustls_native_certs::load_native_certs().certs,
        };
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(trusted.iter().cloned());
        let chain = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .build()
            .map_err(|cause| {
                Error::new(ErrorKind::Connect, "no trusted root certificate could be loaded").caused_by(cause)
            })?;
        Ok(Self {
            provider: Arc::clone(provider),
            chain: Some(chain),
            trusted,
            check_name: options.mode == TlsMode::VerifyFull,
        })
    }

    /// A self-signed server certificate that was given as the root, as PostgreSQL's manual makes it: rustls refuses it
    /// for being an authority's, OpenSSL takes it. Expiry is checked before that refusal.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>, error: &TlsError) -> bool {
        matches!(error, TlsError::InvalidCertificate(CertificateError::Other(other))
            if format!("{other:?}").contains("CaUsedAsEndEntity"))
            && self.trusted.iter().any(|trusted| trusted == certificate)
    }
}

fn is_about_the_name(error: &TlsError) -> bool {
    matches!(
        error,
        TlsError::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    )
}

impl ServerCertVerifier for PostgresVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        // rustls looks at the name last: an error about it means that the chain holds.
        let error = match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        if self.is_trusted_itself(end_entity, &error) {
            if self.check_name {
                let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&parsed, server_name)?;
            }
            return Ok(ServerCertVerified::assertion());
        }
        if !self.check_name && is_about_the_name(&error) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(error)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
