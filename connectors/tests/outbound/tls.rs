//! TLS: who is trusted, and what is said of who is not.

use super::client::{call, with_credentials};
use super::server::{Names, Seen, Server, answer, egress, listen, serve};
use connectors::guard::Guard;
use connectors::http::{Client, Error, Options};
use hyper::Method;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Tls {
    ca_pem: String,
    port: u16,
}

/// A TLS server for `secure.example`, signed by itself.
async fn tls(location: Option<String>) -> Tls {
    tls_until(2100, location).await
}

/// One whose certificate is valid until the year.
async fn tls_until(year: i32, location: Option<String>) -> Tls {
    let mut params = CertificateParams::new(vec!["secure.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let port = listen(HERE, 0, move |stream| {
        let (acceptor, location) = (acceptor.clone(), location.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let respond = move |_: &Seen| match &location {
                Some(location) => answer(307, &[("location", location.as_str())], ""),
                None => answer(200, &[], "secure"),
            };
            serve(TokioIo::new(stream), Arc::default(), Arc::new(respond)).await;
        }
    })
    .await;
    Tls { ca_pem: cert.pem(), port }
}

fn trusting(pem: Option<&str>) -> Client {
    let names =
        Names::of(&[("secure.example", &[&["127.0.0.1"]]), ("other.example", &[&["127.0.0.1"]])]);
    let options =
        Options { extra_ca_pem: pem.map(|pem| pem.as_bytes().to_vec()), ..Options::default() };
    Client::new(Guard::new(egress(&["127.0.0.1"]), names), &options).unwrap()
}

#[tokio::test]
async fn an_authority_of_one_s_own_is_trusted_when_it_is_given() {
    let tls = tls(None).await;
    let url = format!("https://secure.example:{}/", tls.port);
    let answer = trusting(Some(&tls.ca_pem)).send(call(Method::GET, &url)).await.unwrap();
    assert_eq!(answer.body, "secure");
}

#[tokio::test]
async fn what_is_wrong_with_tls_is_said_so() {
    let (valid, expired) = (tls(None).await, tls_until(2020, None).await);
    let plain = Server::start(|_| answer(200, &[], "")).await;
    for (name, port, pem, reason) in [
        ("secure", valid.port, None, "not from an authority that is trusted here"),
        ("other", valid.port, Some(&valid.ca_pem), "is for another name"),
        ("secure", expired.port, Some(&expired.ca_pem), "has expired"),
        ("secure", plain.port, None, "does not speak TLS at this port"),
    ] {
        let url = format!("https://{name}.example:{port}/");
        let client = trusting(pem.map(String::as_str));
        let error = client.send(call(Method::GET, &url)).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("TLS_FAILED", true), "{error}");
        assert!(error.to_string().starts_with(&format!("no TLS with {name}.example: ")), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn authorities_that_cannot_be_read_are_an_error() {
    for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let options = Options { extra_ca_pem: Some(pem.into()), ..Options::default() };
        assert!(Client::new(Guard::new(egress(&[]), Names::of(&[])), &options).is_err());
    }
}

#[tokio::test]
async fn credentials_and_bodies_never_go_from_https_to_http() {
    let open = Server::start(|_| answer(200, &[], "open")).await;
    let tls = tls(Some(open.url("/"))).await;
    let url = format!("https://secure.example:{}/", tls.port);
    let client = trusting(Some(&tls.ca_pem));
    let error = client.send(with_credentials(Method::POST, &url)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
    assert!(open.seen().is_empty());
    assert_eq!(client.send(call(Method::GET, &url)).await.unwrap().body, "open");
}
