//! TLS before the embedded DynamoDB, by certificates made for the occasion.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

/// An address, so that no name is looked up: what differs from plain HTTP is TLS alone.
const HOST: &str = "127.0.0.1";

/// Ends TLS and passes on what is inside, for as long as the process runs.
pub struct Proxy {
    port: u16,
    ca_bundle: PathBuf,
    _directory: TempDir,
}

impl Proxy {
    /// In a thread of its own, so that handshakes do not wait for the engine.
    pub fn start(engine: SocketAddr) -> Self {
        let (acceptor, ca) = certificates();
        let directory = tempfile::tempdir().expect("a directory");
        let ca_bundle = directory.path().join("ca.pem");
        fs::write(&ca_bundle, ca).expect("a writable directory");
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
                let listener = listener.expect("a free port");
                let address = listener.local_addr().expect("an address");
                tell.send(address.port()).expect("somebody waits");
                while let Ok((client, _)) = listener.accept().await {
                    tokio::spawn(pass_on(acceptor.clone(), client, engine));
                }
            });
        });
        Self {
            port: told.recv().expect("a port"),
            ca_bundle,
            _directory: directory,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("https://{HOST}:{}", self.port)
    }

    pub fn ca_bundle(&self) -> &Path {
        &self.ca_bundle
    }
}

async fn pass_on(acceptor: TlsAcceptor, client: TcpStream, engine: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = acceptor.accept(client).await?;
    let mut engine = TcpStream::connect(engine).await?;
    engine.set_nodelay(true)?;
    // A function that ends leaves its connection as it is.
    copy_bidirectional(&mut client, &mut engine).await?;
    Ok(())
}

/// A server's side of TLS, and the authority that a client has to trust for it.
fn certificates() -> (TlsAcceptor, String) {
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(ca, key()).expect("a root certificate");
    let server_key = key();
    let server = CertificateParams::new([HOST.to_owned()])
        .and_then(|params| params.signed_by(&server_key, &ca))
        .expect("a certificate");
    let server_key = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![server.der().clone()], server_key)
        .expect("the key is the certificate's");
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}

fn key() -> KeyPair {
    KeyPair::generate().expect("randomness")
}
