//! Nothing private is reached, however it is asked for.

use super::job::{get, job, local_runner, runner};
use super::server::{Names, Server, answer, client, egress};
use connectors::guard::{Class, Guard, Refused, SystemResolver};
use connectors::http::{Client, Options};
use ports::Outbound;
use std::net::IpAddr;
use std::sync::Arc;

fn system(allow: &[&str]) -> Guard {
    Guard::new(egress(allow), Arc::new(SystemResolver::new(4)))
}

#[tokio::test]
async fn no_way_of_writing_an_address_gets_round_the_guard() {
    let inside = Server::start(|_| answer(200, &[], "secret")).await;
    let client = Client::new(system(&[]), &Options::default()).unwrap();
    let runner = runner(client);
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0X7F.0.0.0x1",
        "0177.0.0.1",
        "017700000001",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "good.example@127.0.0.1",
        "good.example:80@127.0.0.1",
        "LOCALHOST",
        "localhost.",
        "LocalHost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let outcome = runner.perform(job(get(&format!("http://{host}:{}/", inside.port)))).await;
        let failure = outcome.failure.unwrap();
        // Not every resolver knows this one; what matters is that it leads nowhere.
        let is_unknown = host == "localhost." && failure.code == "CONNECTION_FAILED";
        assert!(is_unknown || failure.code == "EGRESS_REFUSED", "{host}: {}", outcome.output);
    }
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn the_guard_itself_needs_no_url_parser_in_front() {
    let inside = Server::start(|_| answer(200, &[], "secret")).await;
    for host in ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost", "127.0.0.1", "[::1]"] {
        let uri = format!("http://{host}:{}/", inside.port).parse().unwrap();
        let refused = system(&[]).connect(&uri).await.unwrap_err();
        let expected = Refused::Address { host: host.to_owned(), class: Class::Loopback };
        assert_eq!(refused, expected);
    }
}

#[tokio::test]
async fn a_refusal_names_the_host_and_not_its_address() {
    let names = Names::of(&[("intranet.example", &[&["10.11.12.13"]])]);
    let outcome = runner(client(&[], &names)).perform(job(get("http://intranet.example/"))).await;
    let text = outcome.output.to_string();
    assert!(text.contains("intranet.example") && text.contains("private"), "{text}");
    assert!(!text.contains("10.11"), "{text}");
}

#[tokio::test]
async fn a_name_with_one_private_address_is_refused_whole() {
    let names = Names::of(&[("mixed.example", &[&["1.1.1.1", "127.0.0.1"]])]);
    let uri = "http://mixed.example/".parse().unwrap();
    let refused = Guard::new(egress(&[]), names).connect(&uri).await.unwrap_err();
    assert!(matches!(refused, Refused::Address { class: Class::Loopback, .. }), "{refused}");
}

#[tokio::test]
async fn a_name_that_changes_is_pinned_and_then_refused() {
    let outside = Server::start_at(IpAddr::from([127, 0, 0, 2]), 0, |_| {
        answer(200, &[("connection", "close")], "outside")
    })
    .await;
    let inside = Server::start_at(IpAddr::from([127, 0, 0, 1]), outside.port, |_| {
        answer(200, &[], "inside")
    })
    .await;
    let names = Names::of(&[("rebind.example", &[&["127.0.0.2"], &["127.0.0.1"]])]);
    let runner = runner(client(&["127.0.0.2"], &names));
    let url = format!("http://rebind.example:{}/", outside.port);
    let first = runner.perform(job(get(&url))).await;
    assert_eq!(first.output["response"]["body"], "outside");
    assert_eq!(names.lookups.lock().unwrap().len(), 1);
    let later = runner.perform(job(get(&url))).await;
    assert_eq!(later.failure.unwrap().code, "EGRESS_REFUSED");
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_into_the_network_is_refused() {
    let inside = Server::start(|_| answer(200, &[], "secret")).await;
    let port = inside.port;
    for target in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost.example:{port}/"),
        format!("//[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let location = target.clone();
        let outside =
            Server::start(move |_| answer(302, &[("location", location.as_str())], "")).await;
        let names = Names::of(&[
            ("outside.example", &[&["127.0.0.1"]]),
            ("localhost.example", &[&["127.0.0.1"]]),
        ]);
        let allowed = format!("outside.example:{}", outside.port);
        let runner = runner(client(&[&allowed], &names));
        let outcome = runner.perform(job(get(&format!("http://{allowed}/")))).await;
        assert_eq!(outside.seen().len(), 1);
        assert_eq!(outcome.failure.unwrap().code, "EGRESS_REFUSED", "{target}");
    }
    assert!(inside.seen().is_empty());
}

#[tokio::test]
async fn a_denied_port_is_refused_on_any_address() {
    let inside = Server::start(|_| answer(200, &[], "")).await;
    let mut rules = egress(&["127.0.0.0/8"]);
    rules.ports_denied = vec![inside.port];
    let uri = inside.url("/").parse().unwrap();
    let refused = Guard::new(rules, Names::of(&[])).connect(&uri).await.unwrap_err();
    assert_eq!(refused, Refused::Port { host: "127.0.0.1".to_owned(), port: inside.port });
}

#[tokio::test]
async fn what_does_not_answer_can_be_tried_again() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for url in [format!("http://127.0.0.1:{port}/"), "http://nowhere.example/".to_owned()] {
        let failure = local_runner().perform(job(get(&url))).await.failure.unwrap();
        assert_eq!((failure.code, failure.retryable), ("CONNECTION_FAILED", true), "{url}");
    }
}
