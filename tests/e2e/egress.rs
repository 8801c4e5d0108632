//! Requests of steps to where they must not go.

use crate::project::{id, on_request, project};
use crate::server::Server;
use crate::world::{World, text};
use serde_json::{Value, json};

fn file(server: &Server) -> Value {
    let ask = json!([{ "name": "ask", "request": { "url": "{{trigger.request.body.url}}" } }]);
    let desk = json!([{ "name": "ask", "integration_request": { "path": "{{trigger.request.body.url}}" } }]);
    project(&server.url("/base"), &[on_request("ask", &ask), on_request("desk", &desk)])
}

async fn outcome(world: &World, token: &str, workflow: &str, url: &str) -> Value {
    let run = world.run_through(token, &id(workflow), &json!({ "url": url })).await;
    let step = world.step(&run, 1).await;
    json!({ "status": run["status"], "error": step["output"]["error"], "step": step })
}

#[tokio::test]
async fn private_addresses_are_refused_however_they_are_written() {
    let server = Server::start().await;
    let world = World::start_with(&file(&server), &[("EGRESS__ALLOW", "")]).await;
    let token = world.connected("anna").await;
    let port = server.port();
    let loopback = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.9.9.9",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0",
        "0.0.0.0",
        "[::]",
        "①②⑦.⓪.⓪.①",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "%31%32%37.0.0.1",
    ];
    let elsewhere = [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00::1]",
        "[fe80::1]",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "[ff02::1]",
    ];
    for host in loopback.iter().chain(&elsewhere) {
        let url = format!("http://{host}:{port}/secret");
        let seen = outcome(&world, &token, "ask", &url).await;
        assert_eq!(seen["status"], "FAILED", "{url}: {seen}");
        let code = text(&seen["error"]["code"]);
        // Whether a name of this machine resolves is this machine's affair.
        let unresolved = host.ends_with("localhost.") && code == "CONNECTION_FAILED";
        assert!(unresolved || code == "EGRESS_REFUSED" || code == "URL_INVALID", "{url}: {seen}");
        assert!(!text(&seen["error"]["message"]).is_empty(), "{url}: {seen}");
    }
    // The integration's own base URL is no way round it.
    for path in ["/secret", "//127.0.0.1/secret", "/../secret"] {
        let seen = outcome(&world, &token, "desk", path).await;
        assert_eq!(seen["error"]["code"], "EGRESS_REFUSED", "{path}: {seen}");
    }
    let seen = outcome(&world, &token, "desk", "https://example.com/x").await;
    assert_eq!(seen["error"]["code"], "DOMAIN_INVALID", "{seen}");
    assert_eq!(server.count(), 0, "something got through");
}

#[tokio::test]
async fn a_redirect_is_checked_like_the_first_address() {
    let server = Server::start().await;
    // Only one port of this machine is allowed: the redirects lead elsewhere.
    let allowed = format!("127.0.0.1:{}", server.port());
    let other = Server::start().await;
    let world = World::start_with(&file(&server), &[("EGRESS__ALLOW", &allowed)]).await;
    let token = world.connected("anna").await;
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let own = outcome(&world, &token, "ask", &server.url("/fine")).await;
    assert_eq!(own["status"], "SUCCEEDED", "{own}");
    let back = server.url(&format!("/redirect/{}", hex(&server.url("/there"))));
    let seen = outcome(&world, &token, "ask", &back).await;
    assert_eq!(seen["status"], "SUCCEEDED", "{seen}");
    assert_eq!(server.seen("/there").len(), 1);
    let port = other.port();
    for target in [
        other.url("/secret"),
        format!("http://localhost:{port}/secret"),
        format!("http://2130706433:{port}/secret"),
        format!("http://[::ffff:127.0.0.1]:{port}/secret"),
        format!("//127.1:{port}/secret"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        let seen =
            outcome(&world, &token, "ask", &server.url(&format!("/redirect/{}", hex(&target))))
                .await;
        assert_eq!(seen["status"], "FAILED", "{target}: {seen}");
        assert_eq!(seen["error"]["code"], "EGRESS_REFUSED", "{target}: {seen}");
    }
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x/", "http://"] {
        let seen =
            outcome(&world, &token, "ask", &server.url(&format!("/redirect/{}", hex(target))))
                .await;
        assert_eq!(seen["status"], "FAILED", "{target}: {seen}");
    }
    // Round and round.
    let path = "/redirect/2f"; // placed below: "/" answers 200
    let seen = outcome(&world, &token, "ask", &server.url(path)).await;
    assert_eq!(seen["status"], "SUCCEEDED", "{seen}");
    assert_eq!(other.count(), 0, "something got through");
}
